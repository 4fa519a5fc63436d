// Runs in a worker thread of Node.
import { parentPort } from "node:worker_threads";
import type { ToWorker } from "./protocol.ts";
import { serveParsing } from "./serve.ts";

const port = parentPort!;
const receive = serveParsing((message, transfer) => port.postMessage(message, transfer));
port.on("message", (message: ToWorker) => receive(message));
