// @ts-check
/** The store on this device: recordings in the browser's own database, slice by slice, until the journal has them. */

/**
 * @typedef {object} Row A recording, without its sound.
 * @property {string} client_id
 * @property {"capture" | "file"} kind
 * @property {string} [name] of a file
 * @property {string | null} account whose it is; null when it was made while nobody was known
 * @property {string} started_at
 * @property {string | null} ended_at
 * @property {number} created
 * @property {Record<string, { started_at?: string, ended_at?: string }>} segments
 * @property {"waiting" | "offline" | "sign-in" | "refused" | "confirmed"} state
 * @property {string} detail what the server says of it
 * @property {"" | "unclaimed" | "other" | "different" | "too-large"} problem
 * @property {number} tries
 * @property {number} retry_at
 * @property {boolean} removed deleted here, and still to be deleted on the server
 * @property {{ id: string, url: string } | null} entry
 * @property {number} confirmed_at
 * @property {boolean} [private] never leaves the house; rows of an older script do not say
 */

/**
 * What is known of a slice without reading its sound.
 * @typedef {{ segment: number, n: number, size: number, sent: boolean, at: number, content_type: string }} Mark
 * @typedef {{ bytes: ArrayBuffer, content_type: string }} Slice
 */

const STORES = ["recordings", "slices", "marks", "about"];

/** @type {Promise<IDBDatabase> | null} */
let opened = null;

function open() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open("dreamweb", 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("recordings", { keyPath: "client_id" });
      for (const name of STORES.slice(1)) request.result.createObjectStore(name);
    };
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const database = request.result;
      const forget = () => (opened = null);
      database.onclose = forget;
      database.onversionchange = () => {
        database.close();
        forget();
      };
      resolve(database);
    };
  });
  opened.catch(() => (opened = null));
  return opened;
}

/**
 * Does something in one transaction, and answers when it is on disk.
 * @template T
 * @param {IDBTransactionMode} mode
 * @param {(store: (name: string) => IDBObjectStore, answer: (value: T) => void) => void} act
 * @param {boolean} [again]
 * @returns {Promise<T>}
 */
async function within(mode, act, again = true) {
  const database = await open();
  try {
    return await new Promise((resolve, reject) => {
      // Every store, so that what is asked first is also done first; "strict" because a battery may die right after.
      const transaction = database.transaction(STORES, mode, { durability: mode === "readonly" ? "default" : "strict" });
      /** @type {any} */
      let value;
      transaction.oncomplete = () => resolve(value);
      transaction.onabort = () => reject(transaction.error);
      act(
        (name) => transaction.objectStore(name),
        (found) => (value = found),
      );
    });
  } catch (error) {
    if (again && isFull(error) && (await giveUp())) return within(mode, act, false);
    // A browser that woke up may have lost the connection to its own database.
    const lost = error instanceof DOMException && ["InvalidStateError", "UnknownError"].includes(error.name);
    if (!lost || !again) throw error;
    if (opened) database.close();
    opened = null;
    return within(mode, act, false);
  }
}

/** @param {unknown} error */
const isFull = (error) => error instanceof DOMException && error.name === "QuotaExceededError";

/**
 * @param {string} name
 * @param {(store: IDBObjectStore) => IDBRequest} ask
 * @returns {Promise<any>}
 */
const read = (name, ask) =>
  within("readonly", (store, answer) => {
    const request = ask(store(name));
    request.onsuccess = () => answer(request.result);
  });

/** All keys that begin with this name. @param {string} client_id */
const all = (client_id) => IDBKeyRange.bound([client_id], [client_id, []]);

/** Rows that find no room on the device, for as long as this page is there. @type {Map<string, Row>} */
const unkept = new Map();

/** @returns {Promise<Row[]>} */
export async function rows() {
  /** @type {Row[]} */
  const found = await read("recordings", (store) => store.getAll());
  return [...found.filter(({ client_id }) => !unkept.has(client_id)), ...unkept.values()];
}

/** @param {string} client_id @returns {Promise<Row | undefined>} */
export const row = async (client_id) =>
  unkept.get(client_id) ?? (await read("recordings", (store) => store.get(client_id)));

/** @param {string} client_id @returns {Promise<Mark[]>} in order */
export const marks = (client_id) => read("marks", (store) => store.getAll(all(client_id)));

/**
 * @param {string} client_id
 * @param {number} segment
 * @param {number} n
 * @returns {Promise<Slice | undefined>}
 */
export const slice = (client_id, segment, n) => read("slices", (store) => store.get([client_id, segment, n]));

/** @param {string} key @returns {Promise<any>} */
export const about = (key) => read("about", (store) => store.get(key));

/**
 * @param {string} key
 * @param {unknown} value
 * @returns {Promise<void>}
 */
export const setAbout = (key, value) => within("readwrite", (store) => void store("about").put(value, key));

/**
 * A new row, unless there is one by this name.
 * @param {Row} made
 */
export async function insert(made) {
  try {
    await within("readwrite", (store) => {
      const request = store("recordings").get(made.client_id);
      request.onsuccess = () => request.result ?? store("recordings").put(made);
    });
  } catch (error) {
    if (!isFull(error)) throw error;
    unkept.set(made.client_id, made);
  }
}

/**
 * Changes a row that is still there.
 * @param {string} client_id
 * @param {(row: Row) => Partial<Row> | null} how answers what is new, or null for nothing
 * @returns {Promise<boolean>} whether anything was changed
 */
export async function change(client_id, how) {
  try {
    if (!unkept.has(client_id)) return await changeKept(client_id, how);
  } catch (error) {
    if (!isFull(error)) throw error;
  }
  const found = await row(client_id);
  const changed = found && how(found);
  if (changed) unkept.set(client_id, { ...found, ...changed });
  return Boolean(changed);
}

/**
 * @param {string} client_id
 * @param {(row: Row) => Partial<Row> | null} how
 * @returns {Promise<boolean>}
 */
const changeKept = (client_id, how) =>
  within("readwrite", (store, answer) => {
    answer(false);
    const request = store("recordings").get(client_id);
    request.onsuccess = () => {
      const changed = request.result && how(request.result);
      if (!changed) return;
      store("recordings").put({ ...request.result, ...changed });
      answer(true);
    };
  });

/**
 * @param {string} client_id
 * @param {Mark} mark
 * @param {ArrayBuffer} bytes
 * @returns {Promise<void>}
 */
export async function insertSlice(client_id, mark, bytes) {
  await within("readwrite", (store) => {
    const key = [client_id, mark.segment, mark.n];
    store("slices").put({ bytes, content_type: mark.content_type }, key);
    store("marks").put(mark, key);
  });
  if (givenUp) left = Math.max(0, left - bytes.byteLength);
}

/**
 * Notes that the server has a slice.
 * @param {string} client_id
 * @param {Mark} mark
 * @returns {Promise<void>}
 */
export const setSent = (client_id, mark) =>
  within("readwrite", (store) => {
    const key = [client_id, mark.segment, mark.n];
    const request = store("marks").get(key);
    request.onsuccess = () => request.result && store("marks").put({ ...request.result, sent: true }, key);
  });

/**
 * Takes the sound away, and the row too unless something of it shall stay.
 * @param {string} client_id
 * @param {Partial<Row> | null} rest
 * @param {number} [slices] so many there must be, or nothing is done
 * @returns {Promise<boolean>} whether it was done
 */
export async function clear(client_id, rest, slices) {
  const done = await within("readwrite", (store, answer) => {
    answer(false);
    const counting = store("marks").count(all(client_id));
    counting.onsuccess = () => {
      if (slices !== undefined && counting.result !== slices) return;
      store("slices").delete(all(client_id));
      store("marks").delete(all(client_id));
      if (!rest) store("recordings").delete(client_id);
      answer(true);
    };
  });
  if (!done) return false;
  if (rest) await change(client_id, () => rest);
  else unkept.delete(client_id);
  return true;
}

// ---- how much room there is ----

const RESERVE = 2 ** 24; // bytes: three quarters of an hour of speech
const LEAST = 2 ** 20;
let givenUp = false;
let left = 0; // bytes, at most, since the reserve was given up

/**
 * Browsers do not say how much room there is, lest somebody tells by it who is there. So some of it is taken in time:
 * where that fails, or has to be given up for a recording, the device is nearly full.
 * @returns {Promise<number | null>} what is left on a device that is nearly full; null on others
 */
export const reserve = () => (reserving ??= takeReserve().finally(() => (reserving = null)));

/** @type {Promise<number | null> | null} */
let reserving = null;

async function takeReserve() {
  if (givenUp) return left;
  const held = Number((await about("reserved")) ?? 0);
  if (held === RESERVE) return null;
  for (let size = RESERVE; size >= LEAST && size > held; size /= 2) {
    const bytes = new Uint8Array(size);
    for (let at = 0; at < size; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
    try {
      await within("readwrite", (store) => {
        store("about").put(bytes, "reserve");
        store("about").put(size, "reserved");
      }, false);
      return size === RESERVE ? null : size;
    } catch (error) {
      if (!isFull(error)) throw error;
    }
  }
  return Number((await about("reserved")) ?? 0); // another tab may have been quicker
}

/** Leaves the room to a recording; answers whether there was any. @returns {Promise<boolean>} */
async function giveUp() {
  const held = Number((await about("reserved")) ?? 0);
  if (!held) return false;
  await within("readwrite", (store) => void (store("about").delete("reserve"), store("about").delete("reserved")), false);
  [givenUp, left] = [true, held];
  return true;
}
