// Electron's own types would make it a dependency of every app that uses foldspace. These are the parts that are used; the objects of
// Electron fit them.

/** Default name of the channel on which pages ask for a folder. */
export const CHANNEL = "foldspace";

/** The part of Electron's `MessagePortMain` that is used: a port in the main process. */
export interface MainPort {
  /** Sends a message, which is cloned. */
  postMessage(message: unknown): void;
  /** Begins to deliver messages. */
  start(): void;
  /** Ends the connection of both ports. */
  close(): void;
  /** Calls the listener with each message. */
  on(event: "message", listener: (event: { readonly data: unknown }) => void): unknown;
  /** Calls the listener when the other port is closed or gone. */
  on(event: "close", listener: () => void): unknown;
}

/** A frame of a page, the part of Electron's `WebFrameMain` that is used. */
export interface RequestingFrame {
  /** Address of the page in the frame. */
  readonly url: string;
}

/** The part of Electron's `IpcMainEvent` that is used. */
export interface PortRequest {
  readonly ports: readonly MainPort[];
  /** `null` if the frame is gone. */
  readonly senderFrame: RequestingFrame | null;
}

/** The part of Electron's `ipcMain` that is used. */
export interface IpcMain {
  /** Calls the listener with each message that pages send on a channel. */
  on(channel: string, listener: (event: PortRequest, token: unknown) => void): unknown;
  /** Ends that. */
  removeListener(channel: string, listener: (event: PortRequest, token: unknown) => void): unknown;
}

/** The part of Electron's `ipcRenderer` that is used. */
export interface IpcRenderer {
  /** Sends a message and ports to the main process. */
  postMessage(channel: string, message: unknown, transfer?: MessagePort[]): void;
}

/** The message by which a page hands its port to the preload script. */
export interface PortOffer {
  /** Channel of the folder. */
  readonly foldspace: string;
  /** The secret that both sides of the port prove to know. */
  readonly token: string;
}
