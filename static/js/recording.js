// @ts-check
/** A recording while it is made: runs of the recorder, their gaps, and every piece to the outbox at once. */

import * as microphone from "./microphone.js";
import * as outbox from "./outbox.js";
import { fileOf } from "./rescue.js";

/** @typedef {import("./microphone.js").Reason} Reason */

/**
 * What the page is told.
 * @typedef {object} Tell
 * @property {(reason: Reason) => void} lost the microphone is gone; it goes on by itself when it is back
 * @property {(seconds: number) => void} back it is there again, after so many seconds
 * @property {(stream: MediaStream) => void} stream what is listened to now
 * @property {() => void} unkept this device does not keep pieces any more
 */

/**
 * One recording for the server; `ready` says whether this device keeps it, `n` of a run is the number of its next piece.
 * @typedef {{ id: string, ready: Promise<boolean>, release: () => void, segments: number, runs: Running[], adding: Set<Promise<void>>, size: number }} Capture
 * @typedef {{ capture: Capture, segment: number, n: number, since: number, started_at: string, spare: Blob[], recorder: microphone.Run }} Running
 */

const PART = 1024 * 1024; // bytes of a piece at most
const FULL = 0.95; // of what the server takes as one recording
const SHORT = 1000; // milliseconds for which a microphone may be muted without our making anything of it
const STALE = 12_000; // milliseconds without a piece: the recorder has died without a word
const AGAIN = [200, 1000, 2000, 4000, 8000]; // milliseconds until the microphone is asked for again

/**
 * Record from a microphone that is open, until `end`.
 * @param {MediaStream} stream
 * @param {{ account: string | null | undefined, limit: number, secret: boolean }} options `secret`: it is private
 * @param {Tell} tell
 */
export function record(stream, { account, limit, secret }, tell) {
  /** @type {Running | null} */
  let now = null;
  /** @type {Promise<void>[]} */
  const endings = [];
  /** @type {string[]} */
  const ids = [];
  /** @type {File[]} */
  const spare = [];
  let capture = begin();
  let state = /** @type {"recording" | "paused" | "lost" | "over"} */ ("recording");
  let spoken = 0; // milliseconds, but for the run that is running
  let lostAt = 0;
  let tries = 0;
  let again = 0;
  let lastPiece = performance.now();

  listen(stream);
  go();
  const watching = setInterval(watch, 1000);
  /** Kept: a browser forgets to tell of what nobody holds. @type {PermissionStatus | null} */
  let allowed = null;
  void microphone.permission().then((status) => {
    allowed = status;
    if (state !== "over") allowed?.addEventListener("change", retry);
  });
  navigator.mediaDevices.addEventListener("devicechange", retry);
  document.addEventListener("visibilitychange", seen);
  window.addEventListener("pagehide", flush);
  document.addEventListener("freeze", flush);

  /** A new name, in the outbox before anything else; nobody else finishes it while its lock is held. */
  function begin() {
    const id = outbox.identifier();
    const started_at = new Date().toISOString();
    /** @type {() => void} */
    let release = () => {};
    const held = new Promise((resolve) => (release = () => resolve(undefined)));
    /** @type {Promise<void>} */
    const locked = new Promise((resolve) => {
      if (!navigator.locks) return resolve();
      navigator.locks.request(`recording:${id}`, () => (resolve(), held)).catch(() => resolve());
    });
    const ready = locked
      .then(() => outbox.begin({ client_id: id, account, started_at, ended_at: null, kind: "capture", private: secret }))
      .then(() => true)
      .catch(() => (tell.unkept(), false));
    ids.push(id);
    /** @type {Capture} */
    const made = { id, ready, release, segments: 0, runs: [], adding: new Set(), size: 0 };
    return made;
  }

  /** A run of a recorder on the microphone as it is now. */
  function go() {
    const since = performance.now();
    /** @type {Running} */
    const running = { capture, segment: capture.segments++, n: 0, since, started_at: new Date().toISOString(), spare: [], recorder: none };
    capture.runs.push(running);
    running.recorder = microphone.run(stream, { take: (piece) => take(running, piece), fail: () => lose("busy", running) });
    lastPiece = since;
    now = running;
    note(running);
    state = "recording";
    return running;
  }

  /**
   * In the handler of the event itself: a piece is numbered before anything is waited for.
   * @param {Running} running
   * @param {Blob} piece
   */
  function take(running, piece) {
    const type = running.recorder.type();
    const own = running.capture;
    for (let start = 0; start < piece.size; start += PART) {
      const n = running.n++;
      const part = piece.slice(start, start + PART, type);
      /** @type {Promise<void>} */
      const added = own.ready
        .then((kept) => (kept ? outbox.add(own.id, running.segment, n, part, type) : void running.spare.push(part)))
        .catch(() => tell.unkept())
        .finally(() => own.adding.delete(added));
      own.adding.add(added);
    }
    own.size += piece.size;
    lastPiece = performance.now();
    if (running === now && state === "recording" && own.size >= limit * FULL) turn();
  }

  /** What is full goes on as a recording of its own; the new one begins before the old one ends. */
  function turn() {
    const [full, running] = [capture, now];
    spoken += performance.now() - (running?.since ?? performance.now());
    capture = begin();
    go();
    if (running) leave(running);
    endings.push(finish(full, running));
  }

  /** @param {Running} running */
  function leave(running) {
    void running.recorder.end();
    note(running, new Date().toISOString());
  }

  /**
   * @param {Running} running
   * @param {string} [ended_at]
   */
  function note({ capture: { id, ready }, segment, started_at }, ended_at) {
    void ready.then(() => outbox.segment(id, segment, { started_at, ended_at })).catch(() => {});
  }

  /**
   * Nothing more comes for it, once its last piece is kept.
   * @param {Capture} done
   * @param {Running | null} last
   */
  async function finish(done, last) {
    const ended_at = new Date().toISOString();
    await last?.recorder.end();
    const kept = await done.ready;
    while (done.adding.size) await Promise.allSettled(done.adding);
    if (!kept) {
      ids.splice(ids.indexOf(done.id), 1);
      const full = done.runs.filter((each) => each.spare.length);
      spare.push(...full.map((each) => fileOf(each.spare, each.recorder.type(), each.started_at)));
      return done.release();
    }
    try {
      if (done.size) await outbox.end(done.id, ended_at);
      else {
        ids.splice(ids.indexOf(done.id), 1); // ended before the first sound: there is nothing to keep
        await outbox.remove(done.id);
      }
    } catch {
      tell.unkept();
    } finally {
      done.release();
    }
  }

  // ---- a microphone that goes away and comes back ----

  /** @param {MediaStream} fresh */
  function listen(fresh) {
    stream = fresh;
    for (const track of fresh.getAudioTracks()) {
      track.addEventListener("ended", () => stream === fresh && lose("none", now));
      track.addEventListener("mute", () => setTimeout(() => stream === fresh && track.muted && lose("busy", now), SHORT));
      track.addEventListener("unmute", () => stream === fresh && retry());
    }
    tell.stream(fresh);
  }

  /**
   * @param {Reason} reason
   * @param {Running | null} running
   */
  function lose(reason, running) {
    if (!running || running !== now || state === "over") return;
    if (state === "recording") spoken += performance.now() - running.since;
    leave(running);
    now = null;
    // Whoever has paused hears of it only when it does not work to go on.
    lostAt = state === "paused" ? 0 : performance.now();
    if (state === "recording") {
      state = "lost";
      tell.lost(reason);
      tries = 0;
      later();
    }
  }

  function later() {
    clearTimeout(again);
    again = window.setTimeout(retry, AGAIN[Math.min(tries++, AGAIN.length - 1)]);
  }

  let trying = false;
  async function retry() {
    if (state !== "lost" || trying) return;
    trying = true;
    try {
      // Muted is not gone: it is unmuted by whoever has muted it.
      if (microphone.isOpen(stream)) {
        if (microphone.isMuted(stream)) return later();
      } else {
        const fresh = await microphone.open();
        if (state !== "lost") return microphone.close(fresh);
        listen(fresh);
      }
      go();
      tell.back((performance.now() - lostAt) / 1000);
    } catch (error) {
      const { reason } = /** @type {microphone.NoMicrophone} */ (error);
      // Who has said no is not asked again by a clock.
      if (state !== "lost") return;
      if (reason === "refused") tell.lost(reason);
      else later();
    } finally {
      trying = false;
    }
  }

  // ---- a page that is put away ----

  function flush() {
    now?.recorder.flush();
  }

  function seen() {
    if (document.hidden) flush();
    else if (now && !microphone.isOpen(stream)) lose("none", now);
    else void retry();
  }

  /** Some recorders stop in silence when a phone was asleep. */
  function watch() {
    if (state !== "recording" || performance.now() - lastPiece < STALE) return;
    const silent = now;
    const since = lastPiece;
    flush();
    setTimeout(() => lastPiece === since && silent && silent === now && state === "recording" && lose("busy", silent), 2000);
  }

  return {
    ids,
    /** Seconds of what was said; of pauses and gaps nothing counts. */
    seconds: () => (spoken + (state === "recording" && now ? performance.now() - now.since : 0)) / 1000,
    state: () => state,
    secret: () => secret,
    /** @param {boolean} wanted whether it is private, which may be said until it is over */
    setSecret(wanted) {
      if (state === "over") return;
      secret = wanted;
      // Of several parts, too; only one that has been sent already stays as it was said then.
      void capture.ready.then(() => Promise.all(ids.map((id) => outbox.setPrivate(id, wanted)))).catch(() => {});
    },
    pause() {
      if (state !== "recording" || !now) return;
      now.recorder.pause();
      spoken += performance.now() - now.since;
      state = "paused";
    },
    /** After a pause, or when somebody does not want to wait for the microphone. */
    resume() {
      if (state === "lost") void retry();
      if (state !== "paused") return;
      if (now && microphone.isOpen(stream)) {
        now.recorder.resume();
        now.since = lastPiece = performance.now();
        state = "recording";
      } else {
        if (now) leave(now);
        now = null;
        state = "lost";
        lostAt = performance.now();
        tries = 0;
        void retry().then(() => state === "lost" && tell.lost("none"));
      }
    },
    /** Resolves when everything is in the outbox, with what the device did not keep at all. */
    async end() {
      if (state === "recording" && now) spoken += performance.now() - now.since;
      const last = now;
      state = "over";
      clearInterval(watching);
      clearTimeout(again);
      allowed?.removeEventListener("change", retry);
      navigator.mediaDevices.removeEventListener("devicechange", retry);
      document.removeEventListener("visibilitychange", seen);
      window.removeEventListener("pagehide", flush);
      document.removeEventListener("freeze", flush);
      if (last) {
        const over = last.recorder.end();
        note(last, new Date().toISOString());
        await over;
      }
      endings.push(finish(capture, last));
      microphone.close(stream);
      await Promise.all(endings);
      return spare;
    },
  };
}

/** @type {microphone.Run} */
const none = {
  type: () => "application/octet-stream",
  over: Promise.resolve(),
  pause() {},
  resume() {},
  flush() {},
  end: () => Promise.resolve(),
};
