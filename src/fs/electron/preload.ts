import { CHANNEL, type IpcRenderer, type PortOffer } from "./ports.ts";

export type { IpcRenderer } from "./ports.ts";

/**
 * The side of the preload script: hands ports of the page to the main process, and nothing else. The page gets no access to
 * `ipcRenderer`.
 * @param ipcRenderer that of Electron
 * @param channels names of the channels on which the main process serves folders. Default: `["foldspace"]`
 */
export function forwardPorts(ipcRenderer: IpcRenderer, channels: readonly string[] = [CHANNEL]): void {
  window.addEventListener("message", ({ source, data, ports }: MessageEvent<unknown>) => {
    // frames of other origins can send messages to this window, too
    if (source !== window || !isOffer(data) || !channels.includes(data.foldspace)) return;
    ipcRenderer.postMessage(data.foldspace, data.token, [...ports]);
  });
}

function isOffer(data: unknown): data is PortOffer {
  return (
    typeof data === "object" && data !== null && "foldspace" in data && typeof data.foldspace === "string" && "token" in data
  );
}
