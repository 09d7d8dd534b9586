// @ts-check
/** Ties the words of a transcription to its recording: the one being said is marked, and each is a place to go to. */

const LINGER = 0.4; // seconds for which a word stays marked after it was said

/** @param {HTMLElement} place */
export function heard(place) {
  const audio = /** @type {HTMLAudioElement | null} */ (document.querySelector("[data-player] audio"));
  if (!audio) return;
  /** @type {HTMLElement[]} */
  let words = [];
  /** @type {Float64Array} */
  let starts = new Float64Array(0);
  /** @type {HTMLElement | null} */
  let marked = null;
  let current = 0; // for the keyboard, of which only one word is a stop
  let frame = 0;
  const gone = new AbortController();

  // Thousands of words are looked at when somebody needs them, not while the page opens.
  function read() {
    if (words.length) return;
    words = [.../** @type {NodeListOf<HTMLElement>} */ (place.querySelectorAll("[data-start]"))];
    starts = Float64Array.from(words, (word) => Number(word.dataset.start));
  }

  /** The last word that begins before this moment; -1 before the first. @param {number} seconds */
  function before(seconds) {
    let [low, high] = [0, starts.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (starts[middle] <= seconds) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  function mark() {
    if (!place.isConnected) return gone.abort();
    read();
    const now = audio?.currentTime ?? 0;
    const word = words[before(now)];
    const said = word && now <= Number(word.dataset.end) + LINGER ? word : null;
    if (said === marked) return;
    marked?.classList.remove("said");
    said?.classList.add("said");
    marked = said;
  }

  function follow() {
    cancelAnimationFrame(frame);
    mark();
    if (place.isConnected && !audio?.paused) frame = requestAnimationFrame(follow);
  }

  /** @param {string | undefined} seconds */
  function go(seconds) {
    if (!audio || seconds === undefined) return;
    audio.currentTime = Number(seconds) + 0.001; // what is between two words belongs to the later one
    mark();
  }

  /** @param {number} index @param {boolean} focus */
  function stop(index, focus) {
    const [old, next] = [words[current] ?? place.querySelector("[data-start]"), words[index]];
    old?.removeAttribute("tabindex");
    old?.removeAttribute("role");
    current = index;
    next.tabIndex = 0;
    next.setAttribute("role", "button");
    if (focus) next.focus();
  }

  /** The first word of the paragraph before or after. @param {number} step */
  function paragraph(step) {
    let index = current;
    const parent = words[current].parentElement;
    while (words[index + step] && words[index].parentElement === parent) index += step;
    while (step < 0 && words[index - 1]?.parentElement === words[index].parentElement) index -= 1;
    return index;
  }

  place.addEventListener("click", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const stamp = /** @type {HTMLElement | null} */ (target.closest("[data-at]"));
    const word = /** @type {HTMLElement | null} */ (target.closest("[data-start]"));
    if (stamp) event.preventDefault();
    if (!getSelection()?.isCollapsed) return; // somebody is choosing words, not a place
    go(stamp?.dataset.at ?? word?.dataset.start);
    if (!word) return;
    read();
    stop(words.indexOf(word), false);
  });

  place.addEventListener("keydown", (event) => {
    const word = /** @type {HTMLElement | null} */ (/** @type {HTMLElement} */ (event.target).closest("[data-start]"));
    if (!word || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    read();
    const last = words.length - 1;
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowRight: () => stop(Math.min(current + 1, last), true),
      ArrowLeft: () => stop(Math.max(current - 1, 0), true),
      ArrowDown: () => stop(paragraph(1), true),
      ArrowUp: () => stop(paragraph(-1), true),
      Home: () => stop(0, true),
      End: () => stop(last, true),
      Enter: () => go(word.dataset.start),
      " ": () => (audio.paused ? void audio.play().catch(() => {}) : audio.pause()), // the player says what is wrong
    };
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });

  for (const stamp of place.querySelectorAll("[data-at]")) stamp.setAttribute("tabindex", "-1");
  const first = place.querySelector("[data-start]");
  first?.setAttribute("tabindex", "0");
  first?.setAttribute("role", "button");
  for (const what of ["play", "pause", "timeupdate", "seeking"]) {
    audio.addEventListener(what, follow, { signal: gone.signal });
  }
  if (!audio.paused || audio.currentTime) follow();
}
