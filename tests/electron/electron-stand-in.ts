import { EventEmitter } from "node:events";
import { MessageChannel, type MessagePort as NodePort, receiveMessageOnPort, type Transferable } from "node:worker_threads";
import type { IpcMain, IpcRenderer, MainPort, RequestingFrame } from "../../src/fs/electron/ports.ts";

/**
 * Stands in for Electron: a window, `ipcRenderer` and `ipcMain`. Each message and each port passes a channel of Node, so that it is
 * cloned or transferred as between processes.
 */
export class ElectronStandIn {
  readonly #ipc = new EventEmitter();
  /** The messages that have passed from the preload script to the main process. */
  readonly forwarded: unknown[] = [];
  frame: RequestingFrame | null = { url: "app://outline/index.html" };
  readonly window: EventTarget & { postMessage(data: unknown, origin: string, transfer: readonly Transferable[]): void };

  constructor() {
    const target = new EventTarget();
    this.window = Object.assign(target, {
      postMessage: (data: unknown, _origin: string, transfer: readonly Transferable[]) => {
        const passed = pass({ data, ports: transfer }, transfer);
        queueMicrotask(() => target.dispatchEvent(Object.assign(new Event("message"), passed, { source: this.window })));
      },
    });
  }

  get ipcMain(): IpcMain {
    return this.#ipc;
  }

  readonly ipcRenderer: IpcRenderer = {
    postMessage: (channel, message, transfer = []) => {
      const ports = transfer as unknown as NodePort[];
      const passed = pass({ message, ports }, ports);
      this.forwarded.push(passed.message);
      queueMicrotask(() =>
        this.#ipc.emit(channel, { ports: passed.ports.map(mainPort), senderFrame: this.frame }, passed.message),
      );
    },
  };
}

/** Sends a message through a channel. @returns what arrives */
function pass<T>(message: T, transfer: readonly Transferable[]): T {
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(message, [...transfer]);
  const received = receiveMessageOnPort(port2) as { readonly message: T };
  port1.close();
  return received.message;
}

/** A port of Node with the methods and events of `MessagePortMain`. */
function mainPort(port: NodePort): MainPort {
  return {
    postMessage: (message) => port.postMessage(message),
    start: () => port.start(),
    close: () => port.close(),
    on: (event: "message" | "close", listener: ((event: { readonly data: unknown }) => void) | (() => void)) =>
      event === "close" ? port.on("close", listener as () => void) : port.on("message", (data: unknown) => listener({ data })),
  };
}
