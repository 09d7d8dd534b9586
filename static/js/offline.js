// @ts-check
/** Sees to it that what waits on this device is sent, whichever page is open, and that pages open without a network. */

import { forget, known, list, remember, send, watch } from "./outbox.js";

const FORGETTING = 1000; // milliseconds; nobody has to stay signed in because a browser's database hangs

export async function offline() {
  const { account } = document.body.dataset;
  look(account);
  document.addEventListener("submit", (event) => void leave(event));
  document.addEventListener("visibilitychange", () => !document.hidden && void send());
  window.addEventListener("online", () => void send());
  // A browser that keeps nothing, like some in private windows, is none to complain in.
  if (isSecureContext) void register().catch(console.warn);
  try {
    if (account) await remember(account);
    else if (await known()) document.querySelector("[data-known]")?.removeAttribute("hidden");
    await send();
  } catch (error) {
    console.warn(error);
  }
}

/** The pages that open without a network know nobody: they look as the others did. @param {string} [account] */
function look(account) {
  const root = document.documentElement;
  try {
    if (account) localStorage.setItem("theme", root.dataset.theme ?? "");
    else if (document.querySelector("[data-shell]")) root.dataset.theme = localStorage.getItem("theme") ?? "dark";
  } catch {
    // Not allowed to keep anything.
  }
}

async function register() {
  // The browser asks for it without a cookie, so the address says the language of the account. A worker that is there
  // is also asked whether there is a newer one.
  const address = `/worker.js?lang=${document.documentElement.lang.slice(0, 2)}`;
  const registration = await navigator.serviceWorker?.register(address, { type: "module", updateViaCache: "none" });
  const sync = /** @type {{ register(tag: string): Promise<void> } | undefined} */ (
    /** @type {any} */ (registration)?.sync
  );
  if (!sync) return;
  let asked = false;
  const ask = async () => {
    if (asked || !(await list()).some(({ state }) => state === "offline")) return;
    asked = true;
    await sync.register("outbox").catch(() => {});
  };
  watch(() => void ask());
  await ask();
}

/**
 * Whoever signs out is not known on this device any more.
 * @param {SubmitEvent} event
 */
async function leave(event) {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (new URL(form.action).pathname !== "/sign-out" || event.defaultPrevented) return;
  event.preventDefault();
  localStorage.removeItem("theme");
  await Promise.race([forget().catch(() => {}), new Promise((resolve) => setTimeout(resolve, FORGETTING))]);
  form.submit();
}
