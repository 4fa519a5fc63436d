// The outliner's model on a page of 10,000 items: typing, moving, collapsing, the history's slider, search. Needs a build
// (`npm run build`).

import { build } from "esbuild";
import { fileURLToPath } from "node:url";
import { check, median, seededRandom } from "./harness.mjs";

export const name = "outline";

const SEED = 20_261_122;
const ITEMS = 10_000;
const EDITS = 200;
/** Operations in the page's history. */
const OPS = 50_000;

export async function run(report) {
  const model = await load();
  await editing(report, model);
  await history(report, model);
  await search(report, model);
}

/** The model as the app bundles it, including the tree, so that both use the same classes. */
async function load() {
  const entry = ["outline.ts", "editing.ts", "history.ts", "search.ts"].map((file) => `export * from "./${file}";`);
  const { outputFiles } = await build({
    stdin: {
      contents: [...entry, 'export { ReplicatedTree } from "foldspace/tree";'].join("\n"),
      resolveDir: fileURLToPath(new URL("../app/src/model", import.meta.url)),
    },
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
  });
  return await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
}

/** A page of nested lists, four levels deep. */
function newPage({ ReplicatedTree, Outline, OutlineEditor }) {
  const tree = new ReplicatedTree("peer");
  tree.createRoot("page");
  const outline = new Outline(tree);
  const editor = new OutlineEditor(outline);
  const nodes = (prefix, widths) =>
    Array.from({ length: widths[0] ?? 0 }, (_, index) => ({
      text: `Item ${prefix}${index} of the outline`,
      children: nodes(`${prefix}${index}.`, widths.slice(1)),
    }));
  // 10 + 90 + 990 + 8,910
  editor.insertNodes("page", nodes("", [10, 9, 11, 9]));
  return { tree, outline, editor };
}

/** Each edit appears in the rows before the next one, as with a real user. */
async function editing(report, model) {
  const page = newPage(model);
  const { outline, editor } = page;
  check(outline.rows.length === ITEMS, "items on the page");
  const deep = outline.rows.filter((row) => row.depth === 3).map((row) => row.id);
  const parents = outline.rows.filter((row) => row.depth === 1).map((row) => row.id);
  const pick = (ids, edit) => ids[(edit * 37) % ids.length];
  const isWhole = () => check(outline.rows.length === ITEMS, "rows afterwards");
  const measure = async (edit) =>
    await median(
      9,
      async () => {
        for (let count = 0; count < EDITS; count++) {
          edit(count);
          await Promise.resolve();
          check(outline.rows.length > 0, "rows");
        }
      },
      { check: isWhole },
    );
  // the cost of changing one row of an immutable list
  const copyMs = await median(9, () => {
    let rows = outline.rows;
    for (let count = 0; count < EDITS; count++) rows = rows.with((count * 37) % rows.length, { ...rows[0] });
    return rows;
  });
  const anewMs = await median(9, () => new model.Outline(page.tree), {
    check: (other) => {
      check(other.rows.length === ITEMS, "rows made anew");
      other.close();
    },
  });
  let typed = 0;
  const typingMs = await measure((edit) => editor.setText(pick(deep, edit), `typed ${typed++}`));
  const indentMs = await measure((edit) => {
    const id = pick(deep, edit >> 1);
    if (edit % 2 === 1) editor.undo();
    else if (!editor.indent(id)) editor.moveDown(id);
  });
  const collapseMs = await measure((edit) => editor.toggleCollapsed(pick(parents, edit >> 1)));
  const label = (what) => `${EDITS} × ${what} on a page of ${grouped(ITEMS)} / copy the list`;
  report.ratio(label("type a character"), typingMs, copyMs, { atMost: 8 });
  report.ratio(label("indent or undo"), indentMs, copyMs, { atMost: 80 });
  report.ratio(label("collapse or expand a hundred"), collapseMs, copyMs, { atMost: 80 });
  report.ratio(`make all ${grouped(ITEMS)} rows anew, once / ${EDITS} × copy the list`, anewMs, copyMs);
}

async function history(report, model) {
  const { tree, outline, editor } = newPage(model);
  const random = seededRandom(SEED);
  const { rows } = outline;
  while (tree.opCount < OPS) {
    const { id } = rows[Math.floor(random() * rows.length)];
    const dice = random();
    if (dice < 0.02) tree.deleteVertex(id);
    else editor.setText(id, `typed ${Math.floor(random() * 1e9)}`);
  }
  const opened = new model.History(tree);
  const count = opened.moments.length;
  const last = opened.outlineAt(count - 1);
  // the simplest way to make a list of that length
  const floorMs = await median(9, () => last.map((row) => ({ ...row })), {
    check: (copied) => check(copied.length === last.length, "rows copied"),
  });
  const openMs = await median(5, () => new model.History(tree).outlineAt(count - 1), {
    check: (shown) => check(shown.length === last.length, "rows at the end"),
  });
  const STEPS = 50;
  const stepMs = await median(5, () => {
    for (let step = 1; step <= STEPS; step++) opened.outlineAt(count - 1 - step);
    for (let step = STEPS - 1; step >= 0; step--) opened.outlineAt(count - 1 - step);
    return opened.outlineAt(count - 1);
  });
  const jumpMs = await median(5, () => {
    const middle = opened.outlineAt(count >> 1);
    return [middle, opened.outlineAt(count - 1)];
  });
  check(
    opened.outlineAt(count - 1).every((row, index) => row.text === last[index].text),
    "the end after going back and forth",
  );
  const label = `history of ${grouped(ITEMS)} items, ${grouped(tree.opCount)} operations, ${grouped(count)} moments`;
  report.ratio(`${label}: one step / copy the rows`, stepMs / (2 * STEPS), floorMs, { atMost: 15 });
  report.ratio(`${label}: jump half of it / copy the rows`, jumpMs / 2, floorMs, { atMost: 60 });
  report.ratio(`${label}: open / copy the rows`, openMs, floorMs);
}

async function search(report, model) {
  const { tree, outline } = newPage(model);
  const texts = outline.rows.map((row) => row.text.toLowerCase());
  const index = new model.SearchIndex();
  index.update("page", tree);
  const floorMs = await median(9, () => texts.filter((text) => text.includes("item 3") && text.includes("outline")));
  const searchMs = await median(9, () => index.search("outline item 3"), {
    check: (found) => check(found.length === 50, "items found"),
  });
  const freshMs = await median(
    9,
    () => {
      index.update("page", tree);
      return index.search("outline item 3");
    },
    { check: (found) => check(found.length === 50, "items found after a change") },
  );
  const label = `search ${grouped(ITEMS)} items for three words`;
  report.ratio(`${label} / search the texts`, searchMs, floorMs, { atMost: 30 });
  report.ratio(`${label}, after a change / search the texts`, freshMs, floorMs);
}

function grouped(count) {
  return count.toLocaleString("en-US");
}
