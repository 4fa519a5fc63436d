/** Prefix of the names of the caches of the app's files, followed by the version. */
export const APP_CACHES = "foldspace-app-";

/**
 * Lets the browser keep the app's files, so that the page opens without its server. For the files that the service worker
 * keeps, and for their replacement, see `service-worker/`.
 * @throws DOMException if the browser does not allow it
 */
export async function keepFiles(): Promise<void> {
  // Vite's development server has none
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  await navigator.serviceWorker.register("./sw.js", { updateViaCache: "none" });
}
