// @ts-check
/** Where a browser keeps nothing at all: what was recorded is sent from the memory of the page, again and again. */

import { nameOf } from "./outbox.js";

const PATIENCE = 60_000; // milliseconds between two tries at most

/**
 * @param {File} file
 * @param {string} id its client_id: sent twice, it is kept once
 * @param {string} session where the token for sending is
 * @param {boolean} secret whether it is private
 * @returns {Promise<string>} the entry
 */
export async function rescue(file, id, session, secret) {
  for (let wait = 1000; ; wait = Math.min(2 * wait, PATIENCE)) {
    try {
      const { csrf_token } = await (await fetch(session, { cache: "no-store" })).json();
      const address = `/api/v1/upload?${new URLSearchParams({ client_id: id, filename: file.name, private: String(secret) })}`;
      const headers = { "X-CSRFToken": csrf_token, "Content-Type": "application/octet-stream" };
      const answer = await fetch(address, { method: "POST", headers, body: file });
      const { id: entry } = await answer.json();
      if (answer.ok && entry) return entry;
    } catch {
      // No connection, or somebody in between who answers in place of the journal: it is tried again.
    }
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

/**
 * @param {Blob[]} pieces
 * @param {string} type
 * @param {string} started_at
 */
export function fileOf(pieces, type, started_at) {
  return new File(pieces, nameOf({ started_at }, type), { type: type.split(";")[0] });
}
