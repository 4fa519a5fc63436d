/** What the caches of the app's files are called, each with its version behind it. */
export const APP_CACHES = "foldspace-app-";

/**
 * Has the browser keep the app's files, so that the page opens without its server. What the service worker keeps and when
 * it is replaced: see `service-worker/`.
 * @throws DOMException where the browser does not let it
 */
export async function keepFiles(): Promise<void> {
  // what is served by Vite while developing has none
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  await navigator.serviceWorker.register("./sw.js", { updateViaCache: "none" });
}
