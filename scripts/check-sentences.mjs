// Counts turns of phrase that readers stumble over, and fails above a limit. `--list [part of a path]` shows each with its place.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Each with what to write instead, and how often it may occur. */
const PATTERNS = [
  [/\bwhere (?:there (?:is|are)|it|one|none|nothing)\b/gi, '"if" or "when"', 30],
  [/\b(?:tells?|told)\b/gi, '"report", "notify", "show" or "say", with an object', 18],
  [/(?:\/\*\*|\/\/|\*|\. |^[-|] |\| )\s*What (?!is new\b)[a-z]/gm, 'a noun: "the file", "a change"', 16],
  [/\bstands?\b(?! for\b)/gi, '"is", "contains" or "wins"', 13],
  [/\b(?:nobody|somebody|whoever)\b/gi, "the actor: peer, device, tab, caller, user", 13],
  [/\blook(?:s|ed|ing)? (?:at|for|into)\b/gi, '"read", "check", "search" or "rescan"', 5],
  [/\b(?:has to be|have to be|(?:is|are) to (?:be|go|do|have|keep|stay|come|make)\b)/gi, '"must" or "should"', 5],
  [/\bgo(?:es)? on\b/gi, '"continue"', 4],
  [/\b(?:is|are) none\b/gi, '"is no …", or name what it is', 4],
];

const listed = spawnSync("git", ["ls-files", "src", "app/src", "rust", "app/src-tauri", "scripts", "*.md"], {
  cwd: root,
  encoding: "utf8",
});
const files = listed.stdout
  .split("\n")
  .filter(
    (file) => /\.(?:ts|svelte|rs|mjs|md)$/.test(file) && !file.endsWith(".test.ts") && file !== "scripts/check-sentences.mjs",
  );
const [, , option, part = ""] = process.argv;
let isFailed = false;
for (const [pattern, instead, limit] of PATTERNS) {
  const places = files.filter((file) => file.includes(part)).flatMap((file) => findIn(file, pattern));
  if (option === "--list") for (const { file, line, text } of places) console.log(`${file}:${line}: ${text}`);
  const isOver = places.length > limit;
  isFailed ||= isOver;
  if (isOver || option === "--list") console.log(`${places.length} × ${pattern.source} (at most ${limit}): write ${instead}\n`);
}
if (isFailed) {
  console.log("`node scripts/check-sentences.mjs --list [part of a path]` shows the places.");
  process.exit(1);
}

function findIn(file, pattern) {
  const source = readFileSync(join(root, file), "utf8");
  return Array.from(source.matchAll(pattern), ({ index }) => {
    const line = source.slice(0, index).split("\n").length;
    return { file, line, text: source.split("\n")[line - 1].trim() };
  });
}
