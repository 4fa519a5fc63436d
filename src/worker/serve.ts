import { MAX_LISTED_OF_FILE } from "../limits.ts";
import { LogParser } from "../log/parser.ts";
import { buffersOf, OPS_PER_MESSAGE, packOps, type FromWorker, type ToWorker } from "./protocol.ts";

interface Job {
  readonly peerId: string;
  readonly parser: LogParser;
}

/** Bytes to parse before the operations are sent: the page unpacks while the worker continues. */
const SLICE_BYTES = 512 * 1024;

/**
 * The worker's side: parses the chunks that it receives.
 * @param send answers the page
 * @returns the function that handles each message
 */
export function serveParsing(send: (message: FromWorker, transfer: ArrayBuffer[]) => void): (message: ToWorker) => void {
  const jobs = new Map<number, Job>();
  const sendOps = (job: number, { peerId, parser }: Job): void => {
    for (let start = 0; start < parser.ops.length; start += OPS_PER_MESSAGE) {
      const packed = packOps(peerId, parser.ops.slice(start, start + OPS_PER_MESSAGE));
      send({ type: "ops", job, packed }, buffersOf(packed));
    }
    parser.ops.length = 0;
  };
  send({ type: "ready" }, []);
  return (message) => {
    if (message.type === "start") {
      const { peerId, from } = message;
      jobs.set(message.job, { peerId, parser: new LogParser({ peerId, from, maxProblems: MAX_LISTED_OF_FILE }) });
      return;
    }
    const job = jobs.get(message.job);
    if (!job) return;
    if (message.type === "chunk") {
      for (let start = 0; start < message.bytes.length; start += SLICE_BYTES) {
        job.parser.push(message.bytes.subarray(start, start + SLICE_BYTES));
        sendOps(message.job, job);
      }
      send({ type: "taken", job: message.job }, []);
      return;
    }
    const finalProblems = job.parser.problems.length;
    const finalProblemCount = job.parser.problemCount;
    job.parser.end();
    sendOps(message.job, job);
    jobs.delete(message.job);
    const { problems, problemCount, position } = job.parser;
    send(
      {
        type: "done",
        job: message.job,
        result: { problems, problemCount, finalProblems, finalProblemCount, position },
      },
      [],
    );
  };
}
