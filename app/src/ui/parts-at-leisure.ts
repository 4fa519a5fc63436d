/** What is loaded only when it is asked for, because nobody needs it at the first sight. */
const PARTS: readonly (() => Promise<unknown>)[] = [
  () => import("./panels/SyncPanel.svelte"),
  () => import("./SearchDialog.svelte"),
  () => import("../model/search.ts"),
  () => import("./RivalDialog.svelte"),
  () => import("./panels/HistoryPanel.svelte"),
  () => import("../model/history.ts"),
  () => import("./panels/FilesPanel.svelte"),
  () => import("./panels/SecretsPanel.svelte"),
  () => import("./ShortcutsDialog.svelte"),
  () => import("../model/markdown.ts"),
  () => import("../model/opml.ts"),
];

/** Loads all of it, one after another: it has to be there when the server of the page no longer is. */
export async function loadParts(): Promise<void> {
  for (const load of PARTS) await load();
}
