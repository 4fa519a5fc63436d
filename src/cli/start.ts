import { NodeFileSystem } from "../fs/node/node-file-system.ts";
import type { OutputStream } from "./environment.ts";
import { toInputStream } from "./input.ts";
import { run } from "./program.ts";

function toOutputStream(stream: NodeJS.WriteStream): OutputStream {
  // a failed write rejects below; without a listener the same error would end the process as well
  stream.on("error", () => undefined);
  return {
    isTTY: stream.isTTY ?? false,
    get columns() {
      return stream.columns;
    },
    write: (text) => new Promise((resolve, reject) => stream.write(text, (error) => (error ? reject(error) : resolve()))),
  };
}

function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    process.once("SIGINT", () => resolve());
    process.once("SIGTERM", () => resolve());
  });
}

// instead of `process.exit`, which would discard pending output
process.exitCode = await run(process.argv.slice(2), {
  stdin: toInputStream(process.stdin, process.stderr),
  stdout: toOutputStream(process.stdout),
  stderr: toOutputStream(process.stderr),
  variables: process.env,
  cwd: process.cwd(),
  // nothing else runs in this process, and synchronous calls are faster
  fs: new NodeFileSystem({ io: "sync" }),
  interrupted,
});
