// Stores the app's own files, so that the page opens while its server is away. It stores only the files that the build has
// listed: no response of the server to the page, and no address, which may contain a token.
//
// The page itself comes from the server whenever that answers, so that no old version gets stuck. The names of the files that
// the page loads change with their contents; these come from the cache.

/** Inserted by the build: paths of the app's files, the page first, and a version that changes with any of them. */
declare const APP_FILES: readonly string[];
declare const APP_VERSION: string;

const CACHES = "foldspace-app-";
const CACHE = CACHES + APP_VERSION;
/** How long a server may take before the page comes from the cache. */
const SERVER_MS = 3_000;

interface LifeEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}

interface RequestEvent extends Event {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}

/** The part of a service worker's global scope that is used. */
interface Worker {
  readonly registration: { readonly scope: string };
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: "install" | "activate", listener: (event: LifeEvent) => void): void;
  addEventListener(type: "fetch", listener: (event: RequestEvent) => void): void;
}

const worker = globalThis as unknown as Worker;
const { scope } = worker.registration;
const urls = APP_FILES.map((path) => new URL(path, scope).href);
const [page = scope] = urls;
const assets = new URL("assets/", scope).href;

worker.addEventListener("install", (event) => event.waitUntil(install()));
worker.addEventListener("activate", (event) => event.waitUntil(activate()));
worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = request.url.replace(/[?#].*$/s, "");
  if (request.method !== "GET") return;
  if (request.mode === "navigate") {
    if (url === page || url === `${page}index.html`) event.respondWith(fromServer(request, page));
  } else if (url.startsWith(assets)) event.respondWith(fromHere(request, url));
  else if (urls.includes(url)) event.respondWith(fromServer(request, url));
});

async function install(): Promise<void> {
  const cache = await caches.open(CACHE);
  // all of them or none, so that two versions are never mixed
  await cache.addAll(urls.map((url) => new Request(url, { cache: url.startsWith(assets) ? "default" : "reload" })));
  await worker.skipWaiting();
}

async function activate(): Promise<void> {
  // pages of the previous version may be open, and load more of its files
  const others = (await caches.keys()).filter((name) => name.startsWith(CACHES) && name !== CACHE);
  for (const name of others.slice(0, -1)) await caches.delete(name);
  await worker.clients.claim();
}

async function fromHere(request: Request, url: string): Promise<Response> {
  return (await caches.match(url)) ?? (await fetch(request));
}

async function fromServer(request: Request, url: string): Promise<Response> {
  const answer = fetch(request);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLong = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), SERVER_MS)));
  try {
    const response = await Promise.race([answer, tooLong]);
    if (response) return response;
  } catch (error) {
    const kept = await fromCache(url);
    if (kept) return kept;
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return (await fromCache(url)) ?? (await answer);
}

/** Of this version, else of the previous one. */
async function fromCache(url: string): Promise<Response | undefined> {
  return (await (await caches.open(CACHE)).match(url)) ?? (await caches.match(url));
}
