// Measures one task of one system in a process of its own: node measure.mjs TASK SYSTEM FOLDER EDITS. Prints one line of JSON.
import { History, readAll } from "./history.mjs";

const [task, name, folder, edits] = process.argv.slice(2);
const system = await import(`./systems/${name}.mjs`);
const EDITS_PER_BATCH = 100;
const LATE_EDITS = 15_000;

const tasks = { save, load, merge };
console.log(JSON.stringify(await tasks[task](Number(edits))));
// some systems leave timers
process.exit(0);

/** Edits in batches, each of which is awaited until it is in a file. */
async function save(count) {
  const history = new History(1);
  const session = await (system.Session.open?.(folder) ?? new system.Session(folder));
  let cpuMs = 0;
  for (let done = 0; done < count; done += EDITS_PER_BATCH) {
    const batch = history.next(EDITS_PER_BATCH);
    const watch = startWatch();
    session.apply(batch);
    await session.flush();
    cpuMs += watch();
  }
  const watch = startWatch();
  await session.close();
  return { cpuMs: cpuMs + watch() };
}

/** Opens what was saved, and reads all of it. */
async function load() {
  const watch = startWatch();
  const view = await system.load(folder);
  const found = readAll(view);
  const cpuMs = watch();
  await view.close?.();
  return { cpuMs, peakMegabytes: process.resourceUsage().maxRSS / 1024, ...found };
}

/** Merges late edits of another replica. */
async function merge(count) {
  const history = new History(1);
  const one = new system.Replica();
  for (let done = 0; done < count; done += EDITS_PER_BATCH) one.apply(history.next(EDITS_PER_BATCH));
  const other = one.fork();
  const [mine, theirs] = [history.fork(2), history.fork(3)];
  for (let done = 0; done < LATE_EDITS; done += EDITS_PER_BATCH) {
    one.apply(mine.next(EDITS_PER_BATCH));
    other.apply(theirs.next(EDITS_PER_BATCH));
  }
  const [own, changes] = [one.changes(), other.changes()];
  const watch = startWatch();
  one.merge(changes);
  const cpuMs = watch();
  other.merge(own);
  const [here, there] = [readAll(one.view()), readAll(other.view())];
  if (here.digest !== there.digest) throw new Error(`${name} differs after merging: ${JSON.stringify([here, there])}`);
  return { cpuMs, ...here };
}

function startWatch() {
  const start = process.cpuUsage();
  return () => {
    const { user, system: kernel } = process.cpuUsage(start);
    return (user + kernel) / 1000;
  };
}
