// @ts-check
/** The page that records: one button, and words that say where every second is. */

import * as microphone from "./microphone.js";
import * as outbox from "./outbox.js";
import { record } from "./recording.js";
import { rescue } from "./rescue.js";
import { shown } from "./recorder-look.js";

/** @typedef {import("./microphone.js").Reason} Reason */

const NEARLY_FULL = 18 * 1024 * 1024; // bytes: an hour of speech
const A_MINUTE = 5000 * 60; // bytes of speech
const LIMIT = "recording-bytes";
const PRIVATE = "record-private";

/** @param {HTMLElement} place */
function recorder(place) {
  const look = shown(place);
  /** @type {ReturnType<typeof record> | null} */
  let live = null;
  /** @type {(() => void) | null} */
  let unmeter = null;
  /** @type {WakeLockSentinel | null} */
  let lamp = null;
  /** @type {string | null | undefined} */
  let account = document.body.dataset.account;
  let limit = Number(remembered(LIMIT)) || Infinity;
  /** @type {string[]} */
  let followed = [];
  let starting = false;
  /** @type {PermissionStatus | null} */
  let allowed = null;
  /** @type {(() => void) | null} */
  let untest = null;

  void learn();
  void warnOfRoom();
  void microphone.permission().then((status) => {
    allowed = status; // kept: a browser forgets to tell of what nobody holds
    allowed?.addEventListener("change", () => void prepare());
    void prepare();
  });
  look.main.addEventListener("click", () => (live ? void stop() : void start()));
  look.second.addEventListener("click", pauseOrResume);
  document.addEventListener("keydown", press);
  document.addEventListener("keyup", (event) => isFree(event) && event.key === " " && event.preventDefault());
  document.addEventListener("visibilitychange", () => !document.hidden && seen());
  window.addEventListener("pageshow", (event) => event.persisted && seen());
  navigator.mediaDevices?.addEventListener?.("devicechange", () => void prepare());
  outbox.watch(() => void tellWhere());
  for (const name of ["online", "offline"]) window.addEventListener(name, () => void tellWhere());
  look.test.addEventListener("click", () => void test());
  look.input.addEventListener("change", () => microphone.choose(look.input.value));
  look.file.addEventListener("change", () => void keepFiles());
  look.secret.checked = remembered(PRIVATE) === "true";
  look.secret.addEventListener("change", choosePrivate);

  // ---- starting and stopping ----

  async function start() {
    if (starting || live) return;
    starting = true;
    followed = [];
    untest?.();
    look.state("asking");
    /** @type {MediaStream | null} */
    let stream = null;
    try {
      stream = await microphone.open();
      look.clear();
      live = record(stream, { account, limit, secret: look.secret.checked }, tell);
      light();
      window.addEventListener("beforeunload", question);
      look.state("recording");
      look.time(live.seconds);
      void tellWhere();
      void listInputs();
    } catch (error) {
      if (stream) microphone.close(stream);
      look.bar(error instanceof microphone.NoMicrophone ? error.reason : "unsupported");
    } finally {
      starting = false;
    }
  }

  async function stop() {
    if (!live || live.state() === "over") return;
    const done = live;
    followed = done.ids;
    unlisten();
    look.state("ending");
    const spare = await done.end();
    live = null;
    dark();
    look.state("done");
    look.links();
    if (spare.length) return void save(spare, done.secret());
    window.removeEventListener("beforeunload", question);
    if (done.ids.length) void follow(done.ids);
    else look.say("nothing");
  }

  function pauseOrResume() {
    if (!live) return;
    if (live.state() === "recording") {
      live.pause();
      unlisten();
      dark();
      look.state("paused");
      return;
    }
    const paused = live.state() === "paused";
    live.resume();
    if (!paused || live.state() !== "recording") return;
    light();
    listen(listened);
    look.state("recording");
  }

  /** @type {import("./recording.js").Tell} */
  const tell = {
    lost(reason) {
      unlisten();
      look.state("lost", reason === "refused" ? "lost-refused" : "lost");
    },
    back(seconds) {
      light();
      listen(listened);
      look.state("recording");
      if (seconds >= 1) look.gap(seconds, live?.seconds() ?? 0);
    },
    stream(stream) {
      listen(stream);
    },
    unkept() {
      look.warn("unkept", true);
    },
  };

  // ---- what is heard, and the screen that stays awake ----

  /** @type {MediaStream} */
  let listened;

  /** @param {MediaStream} stream */
  function listen(stream) {
    unlisten();
    listened = stream;
    unmeter = microphone.meter(stream, look.level);
  }

  function unlisten() {
    unmeter?.();
    unmeter = null;
    look.level(0, false);
  }

  /** Never waited for: some phones refuse it to save power, and then it is recorded all the same. */
  function light() {
    void navigator.wakeLock?.request("screen").then(
      (sentinel) => {
        void lamp?.release();
        lamp = sentinel;
        if (live?.state() !== "recording") dark();
      },
      () => {},
    );
  }

  function dark() {
    void lamp?.release();
    lamp = null;
  }

  function seen() {
    if (live?.state() === "recording") light();
    void prepare();
  }

  /** @param {BeforeUnloadEvent} event */
  function question(event) {
    event.preventDefault();
  }

  // ---- where it is ----

  /** @param {string[]} ids */
  async function follow(ids) {
    look.kept("kept");
    void tellWhere();
    const found = await Promise.all(ids.map((id) => outbox.confirmed(id)));
    if (followed !== ids) return; // something newer is on the page
    followed = [];
    look.saved(found.map(({ id }) => (place.dataset.entries ?? "") + id));
  }

  /**
   * What only this page has; it can be saved as a file, too.
   * @param {File[]} files
   * @param {boolean} secret
   */
  async function save(files, secret) {
    /** @type {string[]} */
    const mine = (followed = []);
    look.say("kept-nowhere");
    look.offer(files);
    const session = place.dataset.session ?? "";
    const found = await Promise.all(files.map((file) => rescue(file, outbox.identifier(), session, secret)));
    if (followed !== mine || live) return;
    window.removeEventListener("beforeunload", question);
    look.saved(found.map((id) => (place.dataset.entries ?? "") + id));
  }

  async function tellWhere() {
    const ids = live?.ids ?? followed;
    if (!ids.length) return;
    const all = await outbox.list().catch(() => []);
    const mine = all.filter(({ client_id }) => ids.includes(client_id));
    if (!mine.length || ids !== (live?.ids ?? followed)) return;
    const last = mine.find(({ client_id }) => client_id === ids.at(-1)) ?? mine[0];
    // While it is being made the outbox says so, and nothing of how the sending goes.
    const waits = mine.find(({ state }) => state === "refused" || state === "sign-in" || state === "offline");
    if (live) look.where(!last.slices ? "" : !navigator.onLine ? "offline" : last.sent >= last.slices - 1 ? "both" : "here");
    else if (waits?.state !== "refused") look.kept(waits ? `kept-${waits.state}` : "kept", waits?.state === "sign-in");
    else look.refused(waits.detail ?? "");
  }

  // ---- before anything is recorded ----

  /** The account and the limits, as the server says them now; without it, as they were. */
  async function learn() {
    try {
      const answer = await fetch(place.dataset.session ?? "", { headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      const said = await answer.json();
      account = said.account;
      limit = said.limits?.recording_bytes || limit;
      localStorage.setItem(LIMIT, String(limit));
    } catch {
      // No network, or no storage.
    }
  }

  async function warnOfRoom() {
    const { quota, usage } = await outbox.room().catch(() => ({ quota: null, usage: null }));
    if (quota === null || usage === null) return;
    const free = quota - usage;
    if (free < NEARLY_FULL) look.warn("full", true, String(Math.max(0, Math.floor(free / A_MINUTE))));
  }

  /** Say what is in the way before anybody has to find out, and begin where the address asks for it. */
  async function prepare() {
    if (live || starting) return;
    // Asked for first: what is known without asking may change meanwhile.
    const absent = await missing();
    const reason = microphone.impossible() ?? (allowed?.state === "denied" ? "refused" : absent);
    if (live || starting) return;
    if (reason) look.bar(reason);
    else look.unbar();
    if (!reason) void listInputs();
    // A tab that was opened in the background waits until it is looked at.
    if (location.hash !== "#now" || document.hidden) return;
    history.replaceState(history.state, "", location.pathname + location.search); // once, not again on coming back
    if (!reason && allowed?.state === "granted") void start();
  }

  async function listInputs() {
    look.inputs(await microphone.inputs(), microphone.chosen());
  }

  /** Hears three seconds, and plays them; they are in the memory of this page, and nowhere else. */
  async function test() {
    if (live || starting || untest) return;
    starting = true;
    try {
      const stream = await microphone.open(look.input.value);
      starting = false;
      const trial = microphone.trial(stream, look.level);
      untest = () => trial.quit();
      look.tested("testing");
      const { sound, loudest } = await trial.over;
      if (!sound) return look.tested("idle");
      if (loudest <= 0) return look.tested("silent");
      look.tested("playing");
      await play(sound);
      look.tested("tested");
    } catch (error) {
      if (!(error instanceof microphone.NoMicrophone)) throw error;
      look.bar(error.reason);
    } finally {
      untest = null;
      starting = false;
      if (!live) look.level(0, false);
      void listInputs();
    }
  }

  /** @param {Blob} sound */
  function play(sound) {
    const address = URL.createObjectURL(sound);
    const audio = new Audio(address);
    const trial = untest;
    return new Promise((resolve) => {
      untest = () => (trial?.(), audio.pause(), resolve(undefined));
      audio.addEventListener("ended", resolve);
      audio.addEventListener("error", resolve);
      audio.play().catch(resolve);
    }).finally(() => URL.revokeObjectURL(address));
  }

  async function keepFiles() {
    const files = [...(look.file.files ?? [])];
    look.file.value = "";
    try {
      for (const file of files) await outbox.keep(file, { account, private: look.secret.checked });
      if (files.length) look.say("file-kept");
    } catch {
      look.say("file-unkept");
    }
  }

  /** Holds for what is being recorded, and for everything after it until it is chosen otherwise. */
  function choosePrivate() {
    const { checked } = look.secret;
    live?.setSecret(checked);
    void outbox.wantPrivate(checked).catch(() => {});
    try {
      localStorage.setItem(PRIVATE, String(checked));
    } catch {
      // No storage: it holds for this page.
    }
  }

  // ---- keys ----

  /**
   * Whether a key belongs to the page: nothing else on it has the focus that could want it.
   * @param {KeyboardEvent} event
   */
  function isFree({ target }) {
    return target === document.body || target === look.main || (target instanceof Element && target.matches("main"));
  }

  /** @param {KeyboardEvent} event */
  function press(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    const writes = event.target instanceof Element && event.target.matches("input:not([type=checkbox]), select, textarea");
    const key = event.key.toLowerCase();
    const acts = isFree(event) && (key === " " || (key === "enter" && live)) ? key : key === "s" && !writes && live ? "s" : "";
    if (!acts) return;
    event.preventDefault();
    if (event.repeat || look.main.hidden) return;
    if (acts !== " ") void stop();
    else if (live) pauseOrResume();
    else void start();
  }
}

/**
 * @param {string} name
 * @returns {string | null}
 */
function remembered(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

/** Whether the browser knows of no microphone at all. */
async function missing() {
  const found = await navigator.mediaDevices?.enumerateDevices().catch(() => null);
  return found && !found.some(({ kind }) => kind === "audioinput") ? "none" : null;
}

for (const place of document.querySelectorAll("[data-recorder]")) recorder(/** @type {HTMLElement} */ (place));
