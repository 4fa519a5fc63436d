/** The parts of Electron's types that docs/electron.md uses, as in `electron.d.ts` of Electron 41: a package that would download Electron. */
export const ELECTRON_MODULE = `
declare module "electron" {
  import { EventEmitter } from "node:events";
  class MessagePortMain extends EventEmitter {
    on(event: "close", listener: () => void): this;
    on(event: "message", listener: (messageEvent: { data: any; ports: MessagePortMain[] }) => void): this;
    close(): void;
    postMessage(message: any, transfer?: MessagePortMain[]): void;
    start(): void;
  }
  interface WebFrameMain { readonly url: string; readonly parent: WebFrameMain | null }
  interface IpcMainEvent { ports: MessagePortMain[]; readonly senderFrame: WebFrameMain | null; frameId: number }
  interface IpcMain extends EventEmitter {
    on(channel: string, listener: (event: IpcMainEvent, ...args: any[]) => void): this;
    removeListener(channel: string, listener: (...args: any[]) => void): this;
  }
  interface IpcRenderer extends EventEmitter {
    postMessage(channel: string, message: any, transfer?: MessagePort[]): void;
  }
  const ipcMain: IpcMain;
  const ipcRenderer: IpcRenderer;
  const app: { whenReady(): Promise<void>; getPath(name: "documents" | "userData"): string };
  const net: { fetch(input: string): Promise<Response> };
  const protocol: {
    registerSchemesAsPrivileged(schemes: { scheme: string; privileges?: Record<string, boolean> }[]): void;
    handle(scheme: string, handler: (request: Request) => Response | Promise<Response>): void;
  };
  class BrowserWindow {
    constructor(options?: { webPreferences?: { preload?: string; contextIsolation?: boolean; sandbox?: boolean } });
    loadURL(url: string): Promise<void>;
  }
}
`;
