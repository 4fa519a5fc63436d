import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { linkSync, mkdirSync, symlinkSync, truncateSync, writeFileSync, openSync, writeSync, closeSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { dirname, join } from "node:path";
import { logFilePath } from "../../src/log/index.ts";

export const SPACE_ID = "0123456789abcdef0123456789abcdef";
const PEER = "a".repeat(32);
const DAY = dirname(logFilePath(SPACE_ID, PEER, PEER, new Date("2026-11-22")));
const LOG = `${DAY}/${PEER}.jsonl`;
const ROOT = `["m",1,"0",null]\n["m",2,"${SPACE_ID}",null]\n`;
/** Must never be printed: it stands outside of the space. */
export const OUTSIDE_MARK = "stands-outside-of-the-space";
const OUTSIDE_LOG = `["p",99,"${SPACE_ID}","${OUTSIDE_MARK}",1]\n`;
/** In every space, and to be found in its export. */
export const INSIDE_MARK = "stands-inside";

/** How large hostile things are made: for every day, or as large as they may come. */
export interface Scale {
  readonly tinyFiles: number;
  /** Of zeros that take no room. */
  readonly longLineBytes: number;
  readonly writtenLineBytes: number;
  readonly garbageBytes: number;
}

export const EVERY_DAY: Scale = {
  tinyFiles: 100_000,
  longLineBytes: 5 * 2 ** 30,
  writtenLineBytes: 64 * 2 ** 20,
  garbageBytes: 32 * 2 ** 20,
};
export const FULL: Scale = {
  tinyFiles: 1_000_000,
  longLineBytes: 5 * 2 ** 30,
  writtenLineBytes: 5 * 2 ** 30,
  garbageBytes: 2 ** 30,
};

export interface HostileFolder {
  readonly name: string;
  /** Makes it in an empty folder. @param outside a folder that must not be looked into */
  readonly build: (path: string, outside: string, scale: Scale) => void | (() => void) | Promise<() => void>;
  /** In MB; {@link DEFAULT_HEAP_MB} where it is not said. */
  readonly heapMb?: (scale: Scale) => number;
  /** What has to be in the export besides {@link INSIDE_MARK}, as it stands in good lines among the bad. */
  readonly marks?: readonly string[];
  /** Whether the space cannot be opened at all. */
  readonly isRefused?: true;
}

export const DEFAULT_HEAP_MB = 256;

function put(path: string, file: string, content: string | Uint8Array): string {
  const full = join(path, file);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, content);
  return full;
}

function good(path: string): void {
  put(path, "space-v1/space.json", JSON.stringify({ id: SPACE_ID }));
  put(path, LOG, `${ROOT}["p",3,"${SPACE_ID}","${INSIDE_MARK}",1]\n`);
}

/** A file of zeros that takes no room on the disk. */
function sparse(path: string, file: string, bytes: number, start = ""): void {
  const full = put(path, file, start);
  truncateSync(full, bytes);
}

const otherPeer = (number: number): string => number.toString(16).padStart(32, "0");
const otherLog = (number: number): string => `${DAY}/${otherPeer(number)}.jsonl`;
const MAX_LINE = 8 * 2 ** 20;

function putLine(path: string, number: number, start: string, piece: string, end = ""): void {
  const count = Math.floor((MAX_LINE - start.length - end.length) / piece.length);
  put(path, otherLog(number), `${start}${piece.repeat(count)}${end}\n["p",7,"${SPACE_ID}","k${number}",1]\n`);
}

export const HOSTILE_FOLDERS: readonly HostileFolder[] = [
  {
    name: "very many tiny files",
    // each is by a peer of its own
    heapMb: ({ tinyFiles }) => Math.max(DEFAULT_HEAP_MB, Math.ceil(tinyFiles / 325)),
    build: (path, _outside, { tinyFiles }) => {
      good(path);
      let day = "";
      for (let number = 0; number < tinyFiles; number++) {
        if (number % 1_000 === 0) {
          const time = new Date(Date.UTC(2000, 0, 1 + number / 1_000));
          day = join(path, dirname(logFilePath(SPACE_ID, PEER, PEER, time)));
          mkdirSync(day, { recursive: true });
        }
        writeFileSync(
          join(day, `${otherPeer(number)}.jsonl`),
          `["p",${number + 4},"${SPACE_ID}","k${number % 100}",${number}]\n`,
        );
      }
    },
  },
  {
    name: "one endless line of zeros",
    build: (path, _outside, { longLineBytes }) => {
      good(path);
      sparse(path, otherLog(1), longLineBytes, `["p",4,"${SPACE_ID}","k",1]\n`);
      sparse(path, `${DAY}/${otherPeer(1)} (1).jsonl`, longLineBytes, `["p",4,"${SPACE_ID}","k",1]\n`);
    },
  },
  {
    name: "one endless line of letters",
    build: (path, _outside, { writtenLineBytes }) => {
      good(path);
      const file = openSync(put(path, otherLog(1), `["p",4,"${SPACE_ID}","k","`), "a");
      const piece = Buffer.alloc(2 ** 24, "a");
      for (let written = 0; written < writtenLineBytes; written += piece.length) writeSync(file, piece);
      closeSync(file);
    },
  },
  {
    name: "nothing but garbage",
    build: (path, _outside, { garbageBytes }) => {
      good(path);
      const piece = "a\n".repeat(2 ** 19);
      const file = openSync(put(path, otherLog(1), ""), "a");
      for (let written = 0; written < garbageBytes; written += piece.length) writeSync(file, piece);
      closeSync(file);
    },
  },
  {
    name: "values nested without end, and lines made to be slow",
    heapMb: () => 768,
    marks: Array.from({ length: 16 }, (_, index) => `"k${index + 1}":`),
    build: (path) => {
      good(path);
      const value = `["p",4,"${SPACE_ID}","k",`;
      putLine(path, 1, value, "[");
      putLine(path, 2, value, '{"a":');
      putLine(path, 3, `${value}${"[".repeat(4_000_000)}`, "]");
      putLine(path, 4, `["p",4,"${SPACE_ID}","`, "a");
      putLine(path, 5, `["p",4,"${SPACE_ID}","`, String.raw`\"`);
      putLine(path, 6, '["p",4,"', "a");
      putLine(path, 7, "", '["m",');
      putLine(path, 8, "", '["p",1,"x","k",');
      putLine(path, 9, "", '["m",5,"x",null]', '["m",');
      putLine(path, 10, '["p",', "1");
      putLine(path, 11, "", "\0", "a");
      putLine(path, 12, "", "\uFEFF", "a");
      putLine(path, 13, "", '["m",5,"x",null]\uFEFF');
      putLine(path, 14, "", " ", "a");
      putLine(path, 15, value, '"a",');
      putLine(path, 16, "", "\n");
    },
  },
  {
    name: "folders nested without end",
    build: (path) => {
      good(path);
      // longer than any path may be: only step by step can it be made
      const script = `
        process.chdir(process.argv[1]);
        for (let depth = 0; depth < 3000; depth++) { require("fs").mkdirSync("dd"); process.chdir("dd"); }
        require("fs").writeFileSync(${JSON.stringify(`${PEER}.jsonl`)}, ${JSON.stringify(OUTSIDE_LOG)});`;
      run(process.execPath, "-e", script, join(path, DAY));
    },
  },
  {
    name: "links in circles and out of the space",
    build: (path, outside) => {
      good(path);
      put(outside, `${DAY}/${otherPeer(1)}.jsonl`, OUTSIDE_LOG);
      const secret = put(outside, "log.jsonl", OUTSIDE_LOG);
      const at = (name: string): string => join(path, DAY, name);
      symlinkSync(".", at("self"));
      symlinkSync("loop-b", at("loop-a"));
      symlinkSync("loop-a", at("loop-b"));
      symlinkSync("../../../../../..", at("up"));
      symlinkSync("/", at("root"));
      symlinkSync(secret, at(`${otherPeer(1)}.jsonl`));
      symlinkSync(`${otherPeer(2)}.jsonl`, at(`${otherPeer(2)}.jsonl`));
      symlinkSync(outside, join(path, "space-v1/ops/ab"));
      symlinkSync(join(outside, DAY), join(path, "space-v1/ops/01", `${SPACE_ID.slice(2)} 2`));
      symlinkSync(outside, join(path, "space-v1/lost+found"));
    },
  },
  ...["space-v1", "space-v1/ops", "space-v1/space.json"].map((link): HostileFolder => ({
    name: `a link in the place of ${link}`,
    isRefused: true,
    build: (path, outside) => {
      good(outside);
      put(outside, `${DAY}/${otherPeer(1)}.jsonl`, OUTSIDE_LOG);
      if (link !== "space-v1") mkdirSync(join(path, "space-v1"));
      if (link === "space-v1/ops") put(path, "space-v1/space.json", JSON.stringify({ id: SPACE_ID }));
      symlinkSync(join(outside, link), join(path, link));
    },
  })),
  {
    name: "pipes, sockets and devices",
    build: async (path) => {
      good(path);
      run("mkfifo", join(path, otherLog(1)));
      // only root can make one
      spawnSync("mknod", [join(path, otherLog(2)), "c", "1", "5"]);
      const server = await listen(join(path, DAY, "s.jsonl"));
      return () => void server.close();
    },
  },
  {
    name: "a pipe in the place of space.json",
    isRefused: true,
    build: (path) => {
      mkdirSync(join(path, "space-v1"));
      run("mkfifo", join(path, "space-v1/space.json"));
    },
  },
  {
    name: "names of every kind",
    build: (path) => {
      good(path);
      const names = [
        "é",
        "e\u0301",
        "ق\u202eجنوب",
        "👩‍👩‍👧‍👦",
        "\n",
        "\u001b[31m",
        "\t",
        "\\",
        '"',
        "'",
        "$(id)",
        "%s",
        "中",
        "x".repeat(217),
        "😀".repeat(54),
      ];
      for (const [index, name] of names.entries()) {
        put(path, `${DAY}/${name}${otherPeer(index)}.jsonl`, `["p",4,"${SPACE_ID}","k${index}",1]\n`);
        put(path, `${DAY} ${name}/${otherPeer(index)}.jsonl`, `["p",4,"${SPACE_ID}","k${index}",1]\n`);
        put(path, `${DAY}/${name}`, "not a log");
      }
      for (const bytes of [[0xff], [0xc3, 0x28], [0xed, 0xa0, 0x80]]) {
        const day = Buffer.from(`${join(path, DAY)}/`);
        writeFileSync(Buffer.concat([day, Buffer.from(bytes), Buffer.from(`${PEER}.jsonl`)]), ROOT);
        mkdirSync(Buffer.concat([day, Buffer.from(bytes)]));
      }
    },
  },
  {
    name: "hard links",
    build: (path, outside) => {
      good(path);
      for (let number = 1; number <= 100; number++) linkSync(join(path, LOG), join(path, DAY, `${PEER} (${number}).jsonl`));
      linkSync(put(outside, "own.jsonl", `["p",4,"${SPACE_ID}","k",1]\n`), join(path, otherLog(1)));
    },
  },
  {
    name: "a space.json of 1 GB",
    isRefused: true,
    build: (path) => {
      good(path);
      sparse(path, "space-v1/space.json", 2 ** 30, JSON.stringify({ id: SPACE_ID }));
    },
  },
  {
    name: "a space.json that is nested without end",
    isRefused: true,
    build: (path) => {
      good(path);
      put(path, "space-v1/space.json", `{"id":${"[".repeat(500_000)}${"]".repeat(500_000)}}`);
    },
  },
  {
    name: "a file that grows as it is read",
    build: (path) => {
      good(path);
      const child = grow(put(path, otherLog(1), ""));
      return () => void child.kill("SIGKILL");
    },
  },
];

/** Appends blank lines without a pause, some 20 MB of them in a second. */
function grow(file: string): ChildProcess {
  const script = `
    const { openSync, writeSync } = require("fs");
    const file = openSync(process.argv[1], "a");
    const piece = "\\n".repeat(2 ** 16);
    let bytes = 0;
    const timer = setInterval(() => { if ((bytes += writeSync(file, piece)) > 2 ** 30) clearInterval(timer); }, 3);`;
  return spawn(process.execPath, ["-e", script, file], { stdio: "ignore" });
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(path, () => resolve(server));
  });
}

function run(file: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync(file, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${file} failed: ${stderr}`);
}
