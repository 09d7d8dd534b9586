// @ts-check
/** Sends what lies in the store to the journal, again and again until the journal has proved that it is there. */

import * as device from "./device.js";
import { Sha256, sha256 } from "./sha256.js";

/** @typedef {import("./device.js").Row} Row */
/** @typedef {import("./device.js").Mark} Mark */

/**
 * @typedef {object} Session
 * @property {string | null} account
 * @property {string} csrf_token
 * @property {{ chunk_bytes: number, recording_bytes: number }} limits
 */

const CAPTURES = "/api/v1/captures/";
const PATIENCE = 60_000; // milliseconds for an answer, and for every megabyte as much again
const OFTEN = 60_000;
const SELDOM = 3_600_000; // what the journal does not take is not carried over a phone's line every minute

/** Why it does not go on just now. */
class Halt extends Error {
  /**
   * @param {Row["state"]} state
   * @param {{ detail?: string, problem?: Row["problem"], after?: number }} [more]
   */
  constructor(state, { detail = "", problem = "", after = 0 } = {}) {
    super(detail || state);
    this.state = state;
    this.detail = detail;
    this.problem = problem;
    this.after = after;
  }
}

/** Slices that found no room on the device. @type {Map<string, Map<string, { mark: Mark, bytes: ArrayBuffer }>>} */
const inMemory = new Map();

/**
 * @param {string} client_id
 * @param {Mark} mark
 * @param {ArrayBuffer} bytes
 */
export function holdInMemory(client_id, mark, bytes) {
  const held = inMemory.get(client_id) ?? new Map();
  inMemory.set(client_id, held.set(keyOf(mark), { mark, bytes }));
}

/** @param {string} client_id */
export const dropFromMemory = (client_id) => inMemory.delete(client_id);

/** @param {{ segment: number, n: number }} place */
const keyOf = ({ segment, n }) => `${segment}/${n}`;

/** All slices of a recording that are here, in order. @param {string} client_id @returns {Promise<Mark[]>} */
export async function marksOf(client_id) {
  const held = [...(inMemory.get(client_id)?.values() ?? [])].map(({ mark }) => mark);
  const found = (await device.marks(client_id)).map((mark) => (
    unnoted.has(`${client_id}/${keyOf(mark)}`) ? { ...mark, sent: true } : mark
  ));
  return held.length ? [...found, ...held].sort((a, b) => a.segment - b.segment || a.n - b.n) : found;
}

/**
 * @param {string} client_id
 * @param {Mark} mark
 */
export async function bytesOf(client_id, mark) {
  const held = inMemory.get(client_id)?.get(keyOf(mark));
  const bytes = held?.bytes ?? (await device.slice(client_id, mark.segment, mark.n))?.bytes;
  if (!bytes) throw new Halt("waiting");
  return bytes;
}

/**
 * @param {string} client_id
 * @param {Mark} mark
 */
async function noteSent(client_id, mark) {
  const held = inMemory.get(client_id)?.get(keyOf(mark));
  if (held) held.mark.sent = true;
  else await device.setSent(client_id, mark).catch(() => unnoted.add(`${client_id}/${keyOf(mark)}`));
}

/** Slices that the server has, on a device without room for even that. @type {Set<string>} */
const unnoted = new Set();

// ---- asking the server ----

/** @type {Session | null} */
let session = null;

/**
 * Who is signed in with this browser, and what a request of theirs must carry.
 * @returns {Promise<Session>}
 */
async function askWho() {
  const { status, said, after } = await ask("/session", { cache: "no-store" });
  if (status !== 200 || !said || !("account" in said)) throw new Halt("waiting", { after });
  return said;
}

/**
 * @param {string} address
 * @param {RequestInit} how
 * @param {number} [size]
 * @returns {Promise<{ status: number, said: any, after: number }>} what it says is null unless it is ours
 */
async function ask(address, how, size = 0) {
  const patience = PATIENCE * (1 + size / 2 ** 20);
  let response;
  try {
    response = await fetch(address, { ...how, signal: AbortSignal.timeout(patience) });
    const said = await response.json().catch(() => null);
    const after = Number(response.headers.get("Retry-After")) * 1000 || 0;
    return { status: response.status, said: said && typeof said === "object" ? said : null, after };
  } catch {
    throw new Halt("offline");
  }
}

/**
 * Asks on behalf of the one who made the recording, and of nobody else: the token belongs to one sign-in, so that the
 * server refuses it if another person has signed in meanwhile.
 * @param {Row} row
 * @param {string} address
 * @param {RequestInit & { headers?: Record<string, string> }} how
 * @param {number} [size]
 */
async function askFor(row, address, how, size) {
  for (let tried = 0; ; tried++) {
    if (!session?.account || tried) session = await askWho();
    if (!session.account) throw new Halt("sign-in");
    if (!row.account) throw new Halt("waiting", { problem: "unclaimed" });
    if (row.account !== session.account) {
      session = null; // the next one may be somebody else's
      throw new Halt("sign-in", { problem: "other" });
    }
    const headers = { ...how.headers, "X-CSRFToken": session.csrf_token };
    const answer = await ask(address, { ...how, headers }, size);
    const stale = [401, 403].includes(answer.status) || (answer.status === 400 && !answer.said?.error_code);
    if (stale && !tried) continue;
    return answer;
  }
}

/**
 * What stands in the way, by an answer that was not the wanted one.
 * @param {{ status: number, said: any, after: number }} answer
 */
function halt({ status, said, after }) {
  const detail = typeof said?.detail === "string" ? said.detail : "";
  if (status === 401) return new Halt("sign-in");
  // What others say who stand in between (a proxy, a hotel's network) may be over soon.
  const ours = Boolean(said?.error_code) && status >= 400 && status < 500 && status !== 408 && status !== 429;
  return new Halt(ours ? "refused" : "waiting", { detail, after });
}

/** @param {{ status: number, said: any }} answer */
const isGood = ({ status, said }) => (status === 200 || status === 201) && said !== null;

// ---- one recording ----

/**
 * Sends what there is of a recording, and finishes it when it is over.
 * @param {Row} row
 * @param {boolean} over
 */
export async function deliver(row, over) {
  if (row.removed) await withdraw(row);
  else if (row.kind === "file") await (over && sendFile(row));
  else {
    await sendSlices(row);
    if (over) await finish(row);
  }
}

/** @param {Row} row */
async function sendSlices(row) {
  for (;;) {
    const waiting = (await marksOf(row.client_id)).filter(({ sent }) => !sent);
    if (!waiting.length) return;
    for (const mark of waiting) await sendSlice(row, mark);
  }
}

/**
 * @param {Row} row
 * @param {Mark} mark
 */
async function sendSlice(row, mark) {
  const bytes = await bytesOf(row.client_id, mark);
  const address = `${CAPTURES}${row.client_id}/chunks/${mark.n}?segment=${mark.segment}`;
  const headers = { "Content-Type": mark.content_type || "application/octet-stream" };
  const answer = await askFor(row, address, { method: "PUT", body: bytes, headers }, bytes.byteLength);
  if (!isGood(answer)) throw halt(answer);
  if (answer.said.sha256 !== sha256(bytes)) throw new Halt("waiting");
  await noteSent(row.client_id, mark);
  if (row.tries) await device.change(row.client_id, () => ({ tries: (row.tries = 0) })); // it goes on: no more patience
}

/**
 * Has the server join the slices, and compares what it joined with what is here.
 * @param {Row} row
 */
async function finish(row) {
  let gaps = false;
  for (let round = 0; round < 4; round++) {
    const there = await onServer(row);
    const here = await marksOf(row.client_id);
    for (const mark of here.filter((mark) => !there.has(keyOf(mark)))) await sendSlice(row, mark);
    const segments = declare(row, here, [...there.values()]);
    if (!segments.length) {
      await device.clear(row.client_id, null, 0); // it never came to a sound
      return;
    }
    const ended_at = row.ended_at ?? new Date(Math.max(row.created, ...here.map(({ at }) => at))).toISOString();
    const answer = await askFor(row, `${CAPTURES}${row.client_id}/finish`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ segments, started_at: row.started_at, ended_at, accept_gaps: gaps, private: Boolean(row.private) }),
    });
    if (isGood(answer)) return await compare(row, answer.said);
    if (answer.said?.error_code === "CHUNKS_MISSING") gaps = !(await sendMissing(row, here, answer.said.missing));
    // Somebody else has sent more of it in between, or the server lacks some: look again.
    else if (answer.said?.error_code !== "CONFLICT" || round === 3) throw halt(answer);
  }
  throw new Halt("waiting");
}

/**
 * @param {Row} row
 * @returns {Promise<Map<string, { segment: number, n: number }>>}
 */
async function onServer(row) {
  const answer = await askFor(row, CAPTURES + row.client_id, {});
  /** @type {Map<string, { segment: number, n: number }>} */
  const found = new Map();
  if (answer.status === 404 && answer.said) return found;
  if (!isGood(answer)) throw halt(answer);
  for (const { segment, chunks } of answer.said.segments ?? []) {
    for (const n of chunks) found.set(keyOf({ segment, n }), { segment, n });
  }
  return found;
}

/**
 * What the whole recording consists of: what is here, and what the server has besides.
 * @param {Row} row
 * @param {Mark[]} here
 * @param {{ segment: number, n: number }[]} there
 */
function declare(row, here, there) {
  /** @type {Map<number, number>} */
  const counts = new Map();
  for (const { segment, n } of [...here, ...there]) counts.set(segment, Math.max(counts.get(segment) ?? 0, n + 1));
  return [...counts]
    .sort(([a], [b]) => a - b)
    .map(([segment, chunks]) => ({ segment, chunks, ...row.segments[segment] }));
}

/**
 * @param {Row} row
 * @param {Mark[]} here
 * @param {[number, number][]} missing
 * @returns {Promise<boolean>} whether any of it was here
 */
async function sendMissing(row, here, missing) {
  const wanted = new Set(missing.map(([segment, n]) => keyOf({ segment, n })));
  const found = here.filter((mark) => wanted.has(keyOf(mark)));
  for (const mark of found) await sendSlice(row, mark);
  return found.length > 0;
}

/** @param {Row} row */
async function sendFile(row) {
  const here = await marksOf(row.client_id);
  const size = here.reduce((sum, mark) => sum + mark.size, 0);
  const most = session?.limits?.recording_bytes;
  if (most && size > most) throw new Halt("refused", { problem: "too-large" });
  const said = { client_id: row.client_id, filename: row.name ?? "", private: String(Boolean(row.private)) };
  const address = `/api/v1/upload?${new URLSearchParams(said)}`;
  const body = new Blob(await Promise.all(here.map((mark) => bytesOf(row.client_id, mark))));
  const headers = { "Content-Type": "application/octet-stream" };
  const answer = await askFor(row, address, { method: "POST", body, headers }, size);
  if (!isGood(answer)) throw halt(answer);
  await compare(row, answer.said);
}

/**
 * Only what the server has proved to have may go from here.
 * @param {Row} row
 * @param {{ id: string, url: string, sha256: string }} entry
 */
async function compare(row, entry) {
  const here = await marksOf(row.client_id);
  const digest = new Sha256();
  for (const mark of here) digest.add(new Uint8Array(await bytesOf(row.client_id, mark)));
  const { id, url } = entry;
  if (entry.sha256 !== digest.end()) {
    await device.change(row.client_id, () => ({ entry: { id, url } }));
    throw new Halt("refused", { problem: "different" });
  }
  const onDevice = here.length - (inMemory.get(row.client_id)?.size ?? 0);
  const nothing = { state: /** @type {const} */ ("confirmed"), detail: "", problem: /** @type {const} */ ("") };
  const left = { ...nothing, entry: { id, url }, confirmed_at: Date.now() };
  if (!(await device.clear(row.client_id, left, onDevice))) throw new Halt("waiting");
  dropFromMemory(row.client_id);
}

/**
 * Deletes on the server what was deleted here before it was whole.
 * @param {Row} row
 */
async function withdraw(row) {
  const answer = await askFor(row, CAPTURES + row.client_id, { method: "DELETE" });
  // 409: it is an entry by now, and is deleted in the journal.
  if (![204, 404, 409].includes(answer.status)) throw halt(answer);
  await device.clear(row.client_id, null);
}

/**
 * What to remember of an attempt that failed.
 * @param {Row} row
 * @param {unknown} error
 * @returns {Partial<Row>}
 */
export function setback(row, error) {
  // Anything else is the device itself: its database, or too little memory.
  const { state, detail, problem, after } = error instanceof Halt ? error : new Halt("waiting");
  const [first, most] = state === "refused" ? [OFTEN, SELDOM] : [1000, OFTEN];
  const tries = row.state === state ? row.tries : 0;
  const wait = Math.min(most, first * 2 ** Math.min(tries, 16)) * (0.8 + 0.2 * Math.random());
  return { state, detail, problem, tries: tries + 1, retry_at: Date.now() + Math.max(wait, after) };
}
