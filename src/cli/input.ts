import type { InputStream } from "./environment.ts";

const ENTER = new Set(["\r", "\n"]);
const ERASE = new Set(["\u007f", "\b"]);
const INTERRUPT = "\u0003";
const END_OF_INPUT = "\u0004";
const ERASE_LINE = "\u0015";

/** @param screen shows questions: not stdout, which may go to a file */
export function toInputStream(stdin: NodeJS.ReadStream, screen: NodeJS.WriteStream): InputStream {
  return {
    isTTY: stdin.isTTY ?? false,
    async readAll() {
      const parts: Buffer[] = [];
      for await (const part of stdin) parts.push(part as Buffer);
      return Buffer.concat(parts);
    },
    readHidden: async (question) => await readHidden(stdin, screen, question),
  };
}

async function readHidden(stdin: NodeJS.ReadStream, screen: NodeJS.WriteStream, question: string): Promise<string> {
  const wasRaw = stdin.isRaw;
  stdin.setRawMode(true);
  stdin.setEncoding("utf8");
  screen.write(question);
  try {
    return await new Promise((resolve) => {
      let line: string[] = [];
      const onData = (text: string): void => {
        // pasted or quickly typed text arrives in one piece
        for (const character of text) {
          if (ENTER.has(character) || character === END_OF_INPUT) {
            stdin.off("data", onData);
            resolve(line.join(""));
            return;
          }
          if (character === INTERRUPT) {
            stdin.setRawMode(wasRaw);
            process.kill(process.pid, "SIGINT");
          } else if (ERASE.has(character)) line.pop();
          else if (character === ERASE_LINE) line = [];
          else line.push(character);
        }
      };
      stdin.on("data", onData).resume();
    });
  } finally {
    stdin.setRawMode(wasRaw);
    stdin.pause();
    screen.write("\n");
  }
}
