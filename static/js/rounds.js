// @ts-check
/** Goes round what waits in the store and has it sent: one recording at a time in all tabs, again after a while. */

import * as device from "./device.js";
import { deliver, setback } from "./sending.js";

/** @typedef {import("./device.js").Row} Row */

// Milliseconds in which the page that records takes its lock; without locks, those in which any file is written.
const JUST_BEGUN = navigator.locks ? 5000 : 600_000;
const REMEMBERED = 3_600_000; // how long a confirmed recording is still listed

/** Slices that are on their way to the disk. @type {Map<string, Set<Promise<unknown>>>} */
export const arriving = new Map();

// ---- telling ----

const channel = new BroadcastChannel("dreamweb-outbox");
/** @type {Set<() => void>} */
const watching = new Set();

channel.addEventListener("message", () => watching.forEach((callback) => callback()));

/** Tells every tab that something has changed. */
export function tell() {
  channel.postMessage("changed");
  watching.forEach((callback) => callback());
}

/**
 * Calls back whenever something has changed, in whichever tab.
 * @param {() => void} callback
 * @returns {() => void} stops it
 */
export function watch(callback) {
  watching.add(callback);
  return () => void watching.delete(callback);
}

// ---- one at a time ----

/**
 * Does something while nobody else holds the lock; without locks (over plain HTTP) just does it, for nothing that is
 * sent twice is kept twice.
 * @param {string} name
 * @param {() => Promise<void>} act
 * @param {boolean} [patient] waits for the lock; otherwise leaves it to whoever holds it
 */
export async function alone(name, act, patient = true) {
  if (!navigator.locks) await act();
  else await navigator.locks.request(name, { ifAvailable: !patient }, async (lock) => (lock ? act() : undefined));
}

/** The names of the locks that are held, in all tabs. */
export async function locks() {
  const held = (await navigator.locks?.query())?.held ?? [];
  return new Set(held.map(({ name }) => name ?? ""));
}

/** @type {Map<string, Promise<void>>} */
const working = new Map();
/** @type {Set<string>} */
const again = new Set();

/**
 * Works on one recording; if that is under way here already, it looks once more at its end.
 * @param {string} client_id
 * @param {boolean} [patient]
 * @param {number} [until] leaves one alone that shall be tried only later than that
 * @returns {Promise<void>}
 */
export function work(client_id, patient = false, until = Date.now()) {
  const under = working.get(client_id);
  if (under) {
    again.add(client_id);
    return under;
  }
  const act = () => attempt(client_id, until);
  const job = alone(`sending:${client_id}`, act, patient)
    .catch((error) => console.warn(error))
    .then(() => {
      working.delete(client_id);
      tell();
      if (again.delete(client_id)) return work(client_id, true);
      return schedule();
    });
  working.set(client_id, job);
  return job;
}

/**
 * @param {string} client_id
 * @param {number} until
 */
async function attempt(client_id, until) {
  const row = await device.row(client_id);
  if (!row || row.state === "confirmed" || row.retry_at > until) return;
  if (row.kind === "file" && !row.ended_at) {
    if (await isOver(row)) await device.clear(client_id, null); // half a file is none: its tab was closed too soon
    return;
  }
  tell();
  try {
    await deliver(row, await isOver(row));
    if (row.tries) await device.change(client_id, ({ state }) => (state === "confirmed" ? null : calm));
  } catch (error) {
    await device.change(client_id, () => setback(row, error));
  }
}

const calm = { state: /** @type {const} */ ("waiting"), detail: "", problem: /** @type {const} */ (""), tries: 0, retry_at: 0 };

/**
 * Whether nothing more comes: it was ended, or the page that made it is gone.
 * @param {Row} row
 */
async function isOver(row) {
  if (arriving.get(row.client_id)?.size) return false;
  if (row.ended_at) return true;
  return Date.now() - row.created > JUST_BEGUN && !(await locks()).has(`recording:${row.client_id}`);
}

/**
 * Tries everything that waits.
 * @param {{ now?: boolean }} [how] `now`: also what the journal has refused, because a person wants it
 * @returns {Promise<void>}
 */
export async function send({ now = false } = {}) {
  for (const row of await device.rows()) {
    if (row.state === "confirmed") {
      if (Date.now() - row.confirmed_at > REMEMBERED) await device.clear(row.client_id, null);
      continue;
    }
    // What failed for want of a network or a sign-in may go now; a server that asked for patience is left in peace.
    const anyway = now || row.state === "offline" || row.state === "sign-in";
    await work(row.client_id, false, anyway ? Infinity : Date.now());
  }
  await schedule();
}

let timer = 0;

/** Looks again when the next one is due. */
async function schedule() {
  const waiting = (await device.rows()).filter(({ state }) => state !== "confirmed");
  const held = await locks();
  const due = waiting
    // What is just being recorded wakes the sender itself, unless that has failed.
    .filter(({ client_id, ended_at, tries }) => ended_at || tries || !held.has(`recording:${client_id}`))
    .map(({ client_id, retry_at, created, ended_at }) => {
      const elsewhere = held.has(`sending:${client_id}`) ? Date.now() + JUST_BEGUN : 0;
      return Math.max(retry_at, elsewhere, ended_at ? 0 : created + JUST_BEGUN);
    });
  clearTimeout(timer);
  if (due.length) timer = Number(setTimeout(pass, Math.max(500, Math.min(...due) - Date.now())));
}

/** Tries what is due. */
async function pass() {
  for (const { client_id, state } of await device.rows()) {
    if (state !== "confirmed") await work(client_id);
  }
  await schedule();
}
