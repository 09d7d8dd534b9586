// @ts-check
/// <reference lib="webworker" />
/** Stands between the pages and the network: without one, it shows the recorder, and it takes in what is shared. */

import { keep, list, send } from "./outbox.js";

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));

const PREFIX = "dreamweb-";
const PATIENCE = /** @type {Record<string, number>} */ ({ "/record": 4000, "/": 10_000 }); // milliseconds for a page
const AWAY = [502, 503, 504]; // what a proxy says while the journal itself is not there

/**
 * @param {object} given
 * @param {string} given.name of the cache: another one for every change of what lies in it
 * @param {string[]} given.files all that the two pages need
 * @param {string} given.shell the page with the recorder, and nothing of an account
 * @param {string} given.away the page that says that there is no connection
 */
export function serve({ name, files, shell, away }) {
  const cached = new Set(files);

  worker.addEventListener("install", (event) => event.waitUntil(fill()));

  // Never `skipWaiting`: whoever records is not disturbed, and a new worker begins when all pages were closed.
  worker.addEventListener("activate", (event) => {
    event.waitUntil(
      (async () => {
        const old = (await caches.keys()).filter((each) => each.startsWith(PREFIX) && each !== name);
        await Promise.all(old.map((each) => caches.delete(each)));
        await worker.registration.navigationPreload?.enable();
        await worker.clients.claim();
      })(),
    );
  });

  worker.addEventListener("fetch", (event) => {
    const { request } = event;
    const { origin, pathname } = new URL(request.url);
    if (origin !== location.origin) return;
    if (request.method === "POST" && pathname === "/share") event.respondWith(share(event));
    if (request.method !== "GET") return;
    if (request.mode === "navigate") event.respondWith(page(event, pathname));
    else if (cached.has(pathname)) event.respondWith(fetch(request).catch(() => kept(pathname)));
  });

  worker.addEventListener("sync", (event) => /** @type {ExtendableEvent} */ (event).waitUntil(sendAll()));

  async function fill() {
    const cache = await caches.open(name);
    await cache.addAll([...files, ...[shell, away].map((address) => new Request(address, { cache: "reload" }))]);
  }

  /** @param {string} address */
  async function kept(address) {
    const cache = await caches.open(name);
    return (await cache.match(address, { ignoreVary: true })) ?? Response.error();
  }

  /**
   * A page comes from the network; the recorder also without, and when the network keeps it waiting.
   * @param {FetchEvent} event
   * @param {string} pathname
   */
  async function page(event, pathname) {
    const fallback = pathname in PATIENCE ? shell : away;
    try {
      const coming = load(event);
      if (fallback === away) return await coming;
      coming.catch(() => {}); // it may fail when nobody waits for it any more
      const response = await Promise.race([coming, late(PATIENCE[pathname])]);
      return response && !AWAY.includes(response.status) ? response : await kept(shell);
    } catch {
      return kept(fallback);
    }
  }

  /**
   * Files that another program shares stay on this device, and are sent from here.
   * @param {FetchEvent} event
   */
  async function share(event) {
    const untouched = event.request.clone();
    try {
      const sent = (await event.request.formData()).getAll("audio");
      for (const file of sent) if (file instanceof File && file.size) await keep(file);
    } catch {
      return fetch(untouched); // the server's page says what can be done
    }
    event.waitUntil(send());
    return Response.redirect("/record", 303);
  }
}

/** @param {FetchEvent} event */
const load = async (event) => (await event.preloadResponse) ?? (await fetch(event.request));

/** @param {number} milliseconds @returns {Promise<undefined>} */
const late = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** The browser comes again later if this fails. */
async function sendAll() {
  await send();
  if ((await list()).some(({ state }) => state === "offline")) throw new Error("There is no connection yet.");
}
