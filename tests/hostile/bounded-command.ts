import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { MAIN } from "../built-command.ts";

const REPORT_PEAK = fileURLToPath(new URL("report-peak.mjs", import.meta.url));
const SHOWN_CHARACTERS = 20_000;
const PRLIMIT = "/usr/bin/prlimit";
/** What Node takes beside its heap: its own code, buffers, and what is read. */
const BESIDE_HEAP_MB = 256;

export interface Bounds {
  /** Of the heap, in MB. */
  readonly heapMb: number;
  /** After which the process is killed. */
  readonly seconds: number;
}

export interface BoundedRun {
  readonly code: number | null;
  /** `SIGKILL` where the time was over, `SIGABRT` where the memory was. */
  readonly signal: NodeJS.Signals | null;
  /** The end of what it printed. */
  readonly stdout: string;
  readonly stderr: string;
  /** `undefined` where it could not report. */
  readonly peakMb: number | undefined;
  readonly seconds: number;
}

/**
 * Runs the built command with bounds that the system holds it to.
 * @param until to be found in what it prints on stderr before it is asked to end, for commands that do not end by themselves
 */
export async function runBounded(args: readonly string[], bounds: Bounds, until?: string): Promise<BoundedRun> {
  const scratch = mkdtempSync(join(tmpdir(), "foldspace-peak-"));
  const peakFile = join(scratch, "peak");
  const node = [`--max-old-space-size=${bounds.heapMb}`, "--import", REPORT_PEAK, MAIN, ...args];
  const limit = [`--data=${(bounds.heapMb + BESIDE_HEAP_MB) * 2 ** 20}`, "--core=0", process.execPath];
  const [file, all] = existsSync(PRLIMIT) ? [PRLIMIT, [...limit, ...node]] : [process.execPath, node];
  const started = performance.now();
  const child = spawn(file, all, { env: { ...process.env, FOLDSPACE_PEAK_FILE: peakFile }, stdio: ["ignore", "pipe", "pipe"] });
  const killer = setTimeout(() => child.kill("SIGKILL"), bounds.seconds * 1_000);
  const printed = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].on("data", (bytes: Buffer) => {
      printed[name] = (printed[name] + bytes.toString()).slice(-SHOWN_CHARACTERS);
      if (name === "stderr" && until !== undefined && printed.stderr.includes(until)) child.kill("SIGTERM");
    });
  }
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
    child.once("close", (...how) => resolve(how)),
  );
  clearTimeout(killer);
  const seconds = (performance.now() - started) / 1_000;
  const peakMb = existsSync(peakFile) ? Number(readFileSync(peakFile, "utf8")) / 1_024 : undefined;
  rmSync(scratch, { recursive: true });
  return { code, signal, ...printed, peakMb, seconds };
}
