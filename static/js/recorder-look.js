// @ts-check
/** What the recorder shows: changes the page only when something changed, so that nothing moves for nothing. */

import { clock } from "./player.js";

/** @typedef {"idle" | "asking" | "recording" | "paused" | "lost" | "ending" | "done" | "barred"} State */

const STEPS = 24; // of the level
const QUIET = 15_000; // milliseconds in which a screen reader hears the same warning once

/**
 * As people say it: `12 s`, `3 min 5 s`.
 * @param {number} seconds
 */
function length(seconds) {
  const whole = Math.max(1, Math.round(seconds));
  const [minutes, rest] = [Math.floor(whole / 60), whole % 60];
  return [minutes && `${minutes} min`, (rest || !minutes) && `${rest} s`].filter(Boolean).join(" ");
}

/** @param {HTMLElement} place */
export function shown(place) {
  /**
   * @template {HTMLElement} T
   * @param {string} name
   * @returns {T}
   */
  const part = (name) => /** @type {T} */ (place.querySelector(`[data-${name}]`));
  const [said, whereabouts, warning, links, gaps, time, barred] = [
    "said", "where", "warning", "links", "gaps", "time", "barred",
  ].map((name) => part(name));
  const bars = /** @type {NodeListOf<HTMLElement>} */ (place.querySelectorAll("[data-level]"));
  const words = /** @type {HTMLTemplateElement} */ (part("words")).content;
  const main = /** @type {HTMLButtonElement} */ (part("main"));
  const second = /** @type {HTMLButtonElement} */ (part("pause"));
  const testedWords = part("tested");
  const testHint = testedWords.textContent ?? "";
  const title = document.title;
  /** @type {Map<string, string>} */
  const warnings = new Map();
  let step = 0;
  let ticking = 0;
  let announced = 0;
  /** @type {() => number} */
  let seconds = () => 0;

  document.addEventListener("visibilitychange", tick);

  /**
   * @param {string} name
   * @param {string[]} values
   */
  function word(name, ...values) {
    const sentence = words.querySelector(`[data-word="${name}"]`)?.textContent ?? "";
    return values.reduce((text, value) => text.replace("{}", value), sentence);
  }

  /**
   * @param {HTMLElement} element
   * @param {string} text
   */
  function set(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  /**
   * @param {HTMLButtonElement} button
   * @param {string} drawing
   * @param {string} name
   */
  function label(button, drawing, name) {
    const use = button.querySelector("use");
    use?.setAttribute("href", (use.getAttribute("href") ?? "").replace(/#.*/, `#${drawing}`));
    set(/** @type {HTMLElement} */ (button.querySelector("span")), word(name));
  }

  function tick() {
    if (!document.hidden) set(time, clock(seconds()));
  }

  /** @param {boolean} runs */
  function run(runs) {
    clearInterval(ticking);
    ticking = runs ? window.setInterval(tick, 250) : 0;
    tick();
  }

  /**
   * @param {State} name
   * @param {string} [sentence]
   */
  function state(name, sentence = name) {
    place.dataset.state = name;
    const under = ["recording", "paused", "lost"].includes(name);
    if (name !== "barred") barred.hidden = true;
    main.hidden = false;
    if (under) label(main, "square", "done");
    else if (name === "done") label(main, "mic", "again");
    else if (name === "idle") label(main, "mic", "start");
    main.setAttribute("aria-disabled", String(name === "asking" || name === "ending"));
    if (name === "paused") label(second, "mic", "resume");
    else if (name === "lost") label(second, "refresh-cw", "retry");
    else if (name === "recording") label(second, "pause", "pause");
    if (name !== "done") set(said, word(sentence));
    if (!under) set(whereabouts, "");
    document.title = under ? `${word(name === "lost" ? "title" : name === "paused" ? "resume" : "title")} · ${title}` : title;
    run(name === "recording");
  }

  /**
   * One warning at a time, the gravest; read out once in a while, not whenever somebody takes a breath.
   * @param {"unkept" | "full" | "flat"} name
   * @param {boolean} holds
   * @param {string[]} values
   */
  function warn(name, holds, ...values) {
    if (warnings.has(name) === holds) return;
    if (holds) warnings.set(name, word(name, ...values));
    else warnings.delete(name);
    const text = warnings.get("unkept") ?? warnings.get("flat") ?? warnings.get("full") ?? "";
    if (text) {
      warning.setAttribute("aria-live", performance.now() - announced < QUIET && name === "flat" ? "off" : "assertive");
      announced = performance.now();
    }
    set(warning, text);
  }

  /** @param {...Node} nodes */
  function link(...nodes) {
    links.replaceChildren(...nodes);
  }

  /**
   * @param {string} address
   * @param {string} text
   * @param {string} kind
   */
  function linkTo(address, text, kind = "") {
    const made = document.createElement("a");
    made.className = `button ${kind}`.trim();
    made.href = address;
    made.textContent = text;
    return made;
  }

  return {
    main,
    second,
    test: /** @type {HTMLButtonElement} */ (part("test")),
    input: /** @type {HTMLSelectElement} */ (part("input")),
    file: /** @type {HTMLInputElement} */ (part("file")),
    secret: /** @type {HTMLInputElement} */ (part("private")),
    state,
    warn,

    /** @param {string} name */
    say: (name) => set(said, word(name)),

    /** A new recording: nothing is said any more of the one before. */
    clear() {
      link();
      gaps.replaceChildren();
      for (const name of /** @type {const} */ (["unkept", "flat"])) warn(name, false);
    },

    /** @param {() => number} from where the seconds come from */
    time(from) {
      seconds = from;
      tick();
    },

    /**
     * @param {number} level
     * @param {boolean} flat
     */
    level(level, flat) {
      const now = Math.round(Math.min(1, level) * STEPS);
      if (now !== step) bars.forEach((bar) => (bar.style.transform = `scaleX(${now / STEPS})`));
      step = now;
      warn("flat", flat);
    },

    /**
     * @param {number} missing
     * @param {number} after seconds of the recording
     */
    gap(missing, after) {
      const line = document.createElement("li");
      line.textContent = word("gap", length(missing), clock(after));
      gaps.append(line);
      set(said, word("back", length(missing)));
    },

    /** @param {string} name where what is being recorded is by now */
    where: (name) => set(whereabouts, name && word(`where-${name}`)),

    links: link,

    /**
     * @param {string} name
     * @param {boolean} [stranger]
     */
    kept(name, stranger = false) {
      set(said, word(warnings.has("unkept") ? "kept-nowhere" : name));
      if (stranger && !links.hasChildNodes()) link(linkTo(place.dataset.signIn ?? "", word("sign-in"), "primary"));
      else if (!stranger) link();
    },

    /** @param {string} detail what the server says */
    refused(detail) {
      set(said, word("kept"));
      set(whereabouts, detail);
    },

    /** @param {File[]} files to be saved by hand */
    offer(files) {
      const made = files.map((file) => linkTo(URL.createObjectURL(file), word("save-file")));
      made.forEach((each, n) => (each.download = files[n].name));
      link(...made);
    },

    /** @param {string[]} addresses of the entries */
    saved(addresses) {
      const several = addresses.length > 1;
      warn("unkept", false);
      set(whereabouts, "");
      set(said, several ? word("saved-several", String(addresses.length)) : word("saved"));
      const open = addresses.map((address, n) => linkTo(address, several ? word("open-one", String(n + 1)) : word("open"), n ? "" : "primary"));
      link(...open, ...(several ? [] : [linkTo(`${addresses[0]}/edit`, word("add-title"))]));
    },

    /** @param {import("./microphone.js").Reason} reason */
    bar(reason) {
      state("barred", "");
      main.hidden = reason === "insecure" || reason === "unsupported";
      if (!main.hidden) label(main, "mic", "start");
      barred.hidden = false;
      for (const why of /** @type {NodeListOf<HTMLElement>} */ (barred.querySelectorAll("[data-why]"))) {
        why.hidden = why.dataset.why !== reason;
      }
      set(said, barred.querySelector(`p[data-why="${reason}"]`)?.textContent ?? "");
    },

    unbar() {
      if (place.dataset.state === "barred") state("idle");
    },

    /**
     * @param {MediaDeviceInfo[]} found
     * @param {string} chosen
     */
    inputs(found, chosen) {
      const input = /** @type {HTMLSelectElement} */ (part("input"));
      const options = found.map(({ deviceId, label: name }) => new Option(name, deviceId));
      if (!found.some(({ deviceId }) => deviceId === "default")) options.unshift(new Option(word("any"), ""));
      input.replaceChildren(...options);
      if (found.some(({ deviceId }) => deviceId === chosen)) input.value = chosen;
    },

    /** @param {string} name */
    tested: (name) => set(testedWords, name === "idle" ? testHint : word(name)),
  };
}
