// Writes into a space without end, and says what is safe: a line `saved <treeId> <peerId> <first> <last> <digest>` for each
// flush, `refused <code>` where one fails.
import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { FileSystemPersistenceLayer, SpaceManager } from "../../dist/index.js";
import { encodeLine } from "../../dist/log/index.js";

const [folder, spaceId, mostBytes = "200000", pauseMs = "0"] = process.argv.slice(2);
const layer = new FileSystemPersistenceLayer(folder, spaceId, { flushIntervalMs: 5 });
const space = await new SpaceManager().loadSpace({ id: spaceId }, [layer]);
const { tree } = space;
let unsaved = [];
tree.observeOpApplied((op, isLocal) => {
  if (isLocal) unsaved.push(op);
});
process.stdout.write("ready\n");
for (let round = 0; ; round++) {
  const bytes = Math.floor(Math.random() ** 3 * Number(mostBytes));
  for (let written = 0; written <= bytes; written += 1_000)
    tree.root.newNamedChild(`entry ${round}`, { text: `${"é".repeat(Math.random() * 900)} "${written}"` });
  const ops = unsaved;
  try {
    await space.flush();
    unsaved = [];
    const digest = createHash("sha256").update(ops.map(encodeLine).join("\n")).digest("hex");
    process.stdout.write(`saved ${spaceId} ${space.peerId} ${ops[0].id.counter} ${ops.at(-1).id.counter} ${digest}\n`);
  } catch (error) {
    process.stdout.write(`refused ${error.data?.layers?.[0]?.code ?? error.code}\n`);
    await delay(20);
  }
  if (Number(pauseMs) > 0) await delay(Number(pauseMs));
}
