// @ts-check
/** The list of what is on this device and not confirmed: what becomes of each, and what a person can do with it. */

import { ask } from "./ask.js";
import * as outbox from "./outbox.js";
import { clock } from "./player.js";

/** @typedef {import("./outbox.js").Listed} Listed */
/** @typedef {{ item: HTMLLIElement, listed: Listed, address: string }} Shown */

const AT_ONCE = 4000; // milliseconds: what goes through in that time is not worth a list

/** @param {HTMLElement} place */
export function pending(place) {
  const list = /** @type {HTMLUListElement} */ (place.querySelector("[data-list]"));
  const template = /** @type {HTMLTemplateElement} */ (place.querySelector("template[data-item]"));
  const others = /** @type {HTMLElement} */ (place.querySelector("[data-others]"));
  const title = /** @type {HTMLElement} */ (place.querySelector("[data-title]"));
  const notYet = title.textContent ?? "";
  const words = /** @type {HTMLTemplateElement} */ (place.querySelector("template[data-words]")).content;
  /** @type {Map<string, Shown>} */
  const shown = new Map();
  let [timer, due] = [0, Infinity];

  outbox.watch(() => later(100));
  window.addEventListener("online", () => later(100));
  window.addEventListener("offline", () => later(100));
  void show();

  /** Many changes at once are one look. @param {number} wait */
  function later(wait) {
    if (Date.now() + wait >= due) return;
    clearTimeout(timer);
    due = Date.now() + wait;
    timer = window.setTimeout(() => {
      due = Infinity;
      void show();
    }, wait);
  }

  async function show() {
    const all = await outbox.list().catch(() => []);
    const me = document.body.dataset.account ?? (await outbox.known().catch(() => null));
    const mine = all.filter(({ account }) => !account || account === me);
    const wanted = mine.filter((each) => each.state !== "recording" && (shown.has(each.client_id) || isWaiting(each)));
    for (const [client_id, { item, address }] of shown) {
      if (wanted.some((each) => each.client_id === client_id)) continue;
      URL.revokeObjectURL(address);
      item.remove();
      shown.delete(client_id);
    }
    for (const listed of wanted) update(shown.get(listed.client_id) ?? make(listed), listed);
    others.hidden = !all.some(({ account, state }) => account && account !== me && state !== "confirmed");
    place.hidden = !shown.size && others.hidden;
    const over = others.hidden && wanted.every(({ state }) => state === "confirmed");
    title.textContent = over ? (title.dataset.done ?? notYet) : notYet;
    if (wanted.length < mine.filter(({ state }) => state !== "confirmed" && state !== "recording").length) later(AT_ONCE);
  }

  /** @param {Listed} listed */
  function make(listed) {
    const item = /** @type {HTMLLIElement} */ (template.content.firstElementChild?.cloneNode(true));
    const made = { item, listed, address: "" };
    const form = /** @type {HTMLFormElement} */ (part(made, "form"));
    const { client_id } = listed;
    part(made, "[data-name]").textContent = nameOf(listed);
    part(made, "[data-length]").textContent = sizeOf(listed);
    part(made, "[data-play]").addEventListener("click", () => void play(made));
    part(made, "[data-save]").addEventListener("click", () => void save(client_id));
    part(made, "[data-now]").addEventListener("click", () => void outbox.send({ now: true }));
    part(made, "[data-claim]").addEventListener("click", () => void outbox.claim(client_id));
    ask(form);
    form.addEventListener("submit", (event) => {
      if (event.defaultPrevented) return;
      event.preventDefault();
      void outbox.remove(client_id);
    });
    shown.set(client_id, made);
    list.append(item);
    return made;
  }

  /**
   * @param {Shown} made
   * @param {Listed} listed
   */
  function update(made, listed) {
    const { state, problem, detail, entry } = listed;
    const signedIn = Boolean(document.body.dataset.account);
    const over = state === "confirmed";
    const nobodys = !listed.account && !over;
    const word = problem || (nobodys && state !== "offline" && state !== "refused" ? "unclaimed" : state);
    const said = words.querySelector(`[data-word="${word}"]`)?.textContent ?? "";
    const sentence = detail && !problem ? `${said} ${detail}` : said;
    const status = part(made, "[data-said]");
    if (status.textContent !== sentence) status.textContent = sentence;
    status.classList.toggle("error", state === "refused");
    made.listed = listed;
    const open = /** @type {HTMLAnchorElement} */ (part(made, "[data-open]"));
    if (entry) open.href = new URL(entry.url, location.href).pathname;
    open.hidden = !entry;
    part(made, "[data-sign-in]").hidden = over || !(state === "sign-in" || (nobodys && !signedIn));
    part(made, "[data-claim]").hidden = !signedIn || !nobodys;
    part(made, "[data-now]").hidden = over || nobodys || state === "sending" || state === "sign-in";
    for (const name of ["[data-play]", "[data-save]", "form"]) part(made, name).hidden = over;
  }
}

/** @param {Listed} listed */
function isWaiting({ state, ended_at, problem }) {
  if (state === "confirmed") return false;
  if (problem || (state !== "sending" && state !== "waiting")) return true;
  return !ended_at || Date.now() - Date.parse(ended_at) >= AT_ONCE;
}

/**
 * @param {Shown} made
 * @param {string} selector
 */
const part = (made, selector) => /** @type {HTMLElement} */ (made.item.querySelector(selector));

/** @param {Listed} listed */
function nameOf({ kind, name, started_at }) {
  if (kind === "file") return name;
  // The bare pages are in English, not in that of one country.
  const { lang } = document.documentElement;
  const own = navigator.languages.find((each) => each.startsWith(lang)) ?? lang;
  return new Date(started_at).toLocaleString(own, { dateStyle: "long", timeStyle: "short" });
}

/** @param {Listed} listed */
function sizeOf({ kind, seconds, bytes }) {
  if (kind === "capture" && seconds !== null) return clock(Math.round(seconds));
  const number = { style: /** @type {const} */ ("unit"), unit: "megabyte", maximumFractionDigits: 1 };
  return (bytes / 1e6).toLocaleString(document.documentElement.lang, number);
}

/** @param {Shown} made */
async function play(made) {
  const audio = /** @type {HTMLAudioElement} */ (made.item.querySelector("audio"));
  if (!made.address) {
    made.address = URL.createObjectURL(await outbox.file(made.listed.client_id));
    audio.src = made.address;
    audio.hidden = false;
  }
  if (audio.paused) await audio.play().catch(() => {});
  else audio.pause();
}

/** @param {string} client_id */
async function save(client_id) {
  const file = await outbox.file(client_id);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = file.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
