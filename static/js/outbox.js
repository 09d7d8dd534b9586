// @ts-check
/** The outbox: whatever is recorded or chosen stays on this device until the journal has it, and is sent by itself. */

import * as device from "./device.js";
import { alone, arriving, locks, tell, watch, work } from "./rounds.js";
import { bytesOf, dropFromMemory, holdInMemory, marksOf } from "./sending.js";

export { send, watch } from "./rounds.js";

/** @typedef {import("./device.js").Row} Row */

/**
 * @typedef {object} Listed
 * @property {string} client_id
 * @property {Row["kind"]} kind
 * @property {string} name
 * @property {string | null} account
 * @property {string} started_at
 * @property {string | null} ended_at
 * @property {number | null} seconds
 * @property {number} bytes
 * @property {number} slices
 * @property {number} sent
 * @property {"recording" | "waiting" | "sending" | "offline" | "sign-in" | "refused" | "confirmed"} state
 * @property {string} detail the server's sentence
 * @property {Row["problem"]} problem "unclaimed": needs `claim`; "other": another account's; "different", "too-large"
 * @property {Row["entry"]} entry
 */

const PIECE = 2 ** 20;

const EXTENSIONS = /** @type {Record<string, string>} */ ({
  "audio/webm": "webm",
  "audio/mp4": "m4a",
  "audio/ogg": "ogg",
  "audio/wav": "wav",
  "audio/mpeg": "mp3",
});

// ---- what happens to a recording ----

/**
 * A recording begins; answers once that is on disk.
 * @param {{ client_id: string, account?: string | null, started_at?: string, ended_at?: string | null,
 *   kind?: Row["kind"], name?: string, private?: boolean }} begun without an account, it is that of who was signed in here last
 */
export async function begin({ client_id, account, started_at, ended_at, kind, name, private: secret = false }) {
  await device.insert({
    client_id,
    kind: kind ?? "capture",
    name,
    account: account || (await known()),
    started_at: started_at ?? new Date().toISOString(),
    ended_at: ended_at ?? null,
    created: Date.now(),
    segments: {},
    state: "waiting",
    detail: "",
    problem: "",
    tries: 0,
    retry_at: 0,
    removed: false,
    entry: null,
    confirmed_at: 0,
    private: secret,
  });
  tell();
}

/**
 * Keeps a slice; answers once it is on disk, and sends it meanwhile. When the device has no room it is sent from
 * memory, and this throws what the browser says of it.
 * @param {string} client_id
 * @param {number} segment
 * @param {number} n
 * @param {Blob} blob
 * @param {string} [content_type]
 * @returns {Promise<void>}
 */
export function add(client_id, segment, n, blob, content_type = blob.type) {
  const kept = keepSlice(client_id, segment, n, blob, content_type);
  const waiting = arriving.get(client_id) ?? new Set();
  arriving.set(client_id, waiting.add(kept));
  const over = () => {
    waiting.delete(kept);
    tell();
    void work(client_id, true);
  };
  kept.then(over, over);
  return kept;
}

/**
 * @param {string} client_id
 * @param {number} segment
 * @param {number} n
 * @param {Blob} blob
 * @param {string} content_type
 */
async function keepSlice(client_id, segment, n, blob, content_type) {
  const bytes = await blob.arrayBuffer();
  const mark = { segment, n, size: bytes.byteLength, sent: false, at: Date.now(), content_type };
  try {
    await device.insertSlice(client_id, mark, bytes);
  } catch (error) {
    holdInMemory(client_id, mark, bytes);
    throw error;
  }
}

/**
 * Remembers when a segment began and ended.
 * @param {string} client_id
 * @param {number} segment
 * @param {{ started_at?: string, ended_at?: string }} times
 */
export async function segment(client_id, segment, times) {
  await device.change(client_id, ({ segments }) => ({
    segments: { ...segments, [segment]: { ...segments[segment], ...times } },
  }));
}

/**
 * Says of a recording whether it shall be private; the server is told when it is over.
 * @param {string} client_id
 * @param {boolean} secret
 */
export async function setPrivate(client_id, secret) {
  await device.change(client_id, () => ({ private: secret }));
}

/**
 * Nothing more comes; the rest is sent, and the server asked to join it.
 * @param {string} client_id
 * @param {string} [ended_at]
 */
export async function end(client_id, ended_at = new Date().toISOString()) {
  await Promise.allSettled(arriving.get(client_id) ?? []);
  await device.change(client_id, () => ({ ended_at, retry_at: 0 }));
  tell();
  void work(client_id, true);
}

/**
 * Keeps a whole file, and sends it.
 * @param {File} file
 * @param {{ account?: string | null, client_id?: string, private?: boolean }} [whose] private as the recorder is, unless said
 * @returns {Promise<string>} its client_id, once all of it is on disk
 */
export async function keep(file, { account, client_id = identifier(), private: secret } = {}) {
  await alone(`recording:${client_id}`, async () => {
    await begin({ client_id, account, kind: "file", name: file.name, private: secret ?? (await wantsPrivate()) });
    try {
      for (let n = 0; n * PIECE < file.size || n === 0; n++) {
        const bytes = await file.slice(n * PIECE, (n + 1) * PIECE).arrayBuffer();
        const mark = { segment: 0, n, size: bytes.byteLength, sent: false, at: Date.now(), content_type: file.type };
        await device.insertSlice(client_id, mark, bytes);
      }
    } catch (error) {
      await device.clear(client_id, null); // half a file is none
      throw error;
    }
    await device.change(client_id, () => ({ ended_at: new Date().toISOString() }));
  });
  tell();
  void work(client_id, true);
  return client_id;
}

/**
 * Gives a recording that was made while nobody was known to whoever is signed in now, and sends it.
 * @param {string} client_id
 */
export async function claim(client_id) {
  const account = await known();
  if (account) await device.change(client_id, (row) => (row.account ? null : { account, problem: "", retry_at: 0 }));
  tell();
  await work(client_id, true);
}

/**
 * Deletes a recording here, and what the server has of it before it is an entry. Ask first.
 * @param {string} client_id
 */
export async function remove(client_id) {
  const row = await device.row(client_id);
  dropFromMemory(client_id);
  const there = row?.kind === "capture" && row.account && row.state !== "confirmed";
  await device.clear(client_id, there ? { removed: true, retry_at: 0 } : null);
  tell();
  void work(client_id, true);
}

// ---- what is there ----

/** Everything that is on this device, what was made first at first. @returns {Promise<Listed[]>} */
export async function list() {
  const [found, held] = [await device.rows(), await locks()];
  const listed = [];
  for (const row of found.filter(({ removed }) => !removed)) listed.push(await describe(row, held));
  return listed.sort((a, b) => a.started_at.localeCompare(b.started_at));
}

/**
 * @param {Row} row
 * @param {Set<string>} held
 * @returns {Promise<Listed>}
 */
async function describe(row, held) {
  const marks = await marksOf(row.client_id);
  const { client_id, kind, account, started_at, ended_at, detail, problem, entry } = row;
  const last = ended_at ? Date.parse(ended_at) : Math.max(row.created, ...marks.map(({ at }) => at));
  return {
    client_id,
    kind,
    name: row.name ?? nameOf(row, marks[0]?.content_type),
    account,
    started_at,
    ended_at,
    seconds: kind === "file" ? null : spoken(row, last),
    bytes: marks.reduce((sum, { size }) => sum + size, 0),
    slices: marks.length,
    sent: marks.filter(({ sent }) => sent).length,
    state: stateOf(row, held),
    detail,
    problem,
    entry,
  };
}

/**
 * Without the gaps between segments.
 * @param {Row} row
 * @param {number} last
 */
function spoken(row, last) {
  const segments = Object.values(row.segments).filter((segment) => segment.started_at);
  const whole = [{ started_at: row.started_at, ended_at: row.ended_at }];
  const length = (segments.length ? segments : whole).reduce((sum, { started_at, ended_at }) => {
    return sum + Math.max(0, (ended_at ? Date.parse(ended_at) : last) - Date.parse(started_at ?? ""));
  }, 0);
  return length / 1000;
}

/**
 * @param {Row} row
 * @param {Set<string>} held
 * @returns {Listed["state"]}
 */
function stateOf(row, held) {
  if (row.state === "confirmed") return "confirmed";
  if (!row.ended_at && held.has(`recording:${row.client_id}`)) return "recording";
  if (row.state === "refused" || row.state === "sign-in" || row.problem) return row.state;
  if (!navigator.onLine) return "offline";
  return held.has(`sending:${row.client_id}`) ? "sending" : row.state;
}

/**
 * All of a recording, to be played or saved.
 * @param {string} client_id
 * @returns {Promise<File>}
 */
export async function file(client_id) {
  const row = await device.row(client_id);
  if (!row) throw new Error("It is not here any more.");
  const marks = await marksOf(client_id);
  const parts = [];
  for (const mark of marks) parts.push(await bytesOf(client_id, mark));
  const type = (marks[0]?.content_type ?? "").split(";")[0];
  return new File(parts, row.name ?? nameOf(row, type), { type });
}

/**
 * What a recording is called as a file: by when it began, and by what it is.
 * @param {{ started_at: string }} recording
 * @param {string} [type]
 */
export function nameOf({ started_at }, type = "") {
  const time = new Date(started_at);
  const local = new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
  return `dream_${local.replaceAll(":", "-")}.${EXTENSIONS[type.split(";")[0]] ?? "audio"}`;
}

/**
 * Resolves when the server has proved that it has this one.
 * @param {string} client_id
 * @returns {Promise<{ id: string, url: string }>}
 */
export function confirmed(client_id) {
  return new Promise((resolve) => {
    const stop = watch(look);
    async function look() {
      const row = await device.row(client_id);
      if (row?.state !== "confirmed" || !row.entry) return;
      stop();
      resolve(row.entry);
    }
    void look();
  });
}

// ---- who, and how much room ----

/** Whether the recorder on this device makes private ones; the service worker, which takes shared files, sees no page. */
const wantsPrivate = async () => Boolean(await device.about("private"));

/** @param {boolean} secret */
export const wantPrivate = (secret) => device.setAbout("private", secret);

/** The account that was signed in here last, unless it signed out. @returns {Promise<string | null>} */
export const known = async () => (await device.about("account")) ?? null;

/** @param {string} account */
export async function remember(account) {
  if ((await known()) !== account) await device.setAbout("account", account);
}

/** Somebody has signed out: what is recorded now is nobody's until somebody takes it. */
export const forget = () => device.setAbout("account", null);

/**
 * How much fits on the device, in bytes, and whether the browser has promised not to clean up by itself;
 * null where it does not say.
 * @returns {Promise<{ quota: number | null, usage: number | null, persisted: boolean }>}
 */
export async function room() {
  const { storage } = navigator;
  if (!storage?.estimate) return { quota: null, usage: null, persisted: false };
  let persisted = (await storage.persisted?.()) ?? false;
  if (!persisted && storage.persist && !(await device.about("asked"))) {
    await device.setAbout("asked", true).catch(() => {});
    persisted = await storage.persist();
  }
  const { quota = null, usage = null } = await storage.estimate();
  const free = await device.reserve().catch(() => null);
  return { quota: free === null || usage === null ? quota : usage + free, usage, persisted };
}

/** A random UUID; `crypto.randomUUID` exists only over HTTPS, and a home network has plain HTTP. */
export function identifier() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
