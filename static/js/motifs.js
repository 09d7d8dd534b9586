// @ts-check
/** Makes each motif a switch that marks, in the text that is shown, the very words that justify it. */

/** What the switch is called that is pressed, also when its place was drawn anew. */
let pressed = "";
let shown = -1; // which of the marked places was looked at last

const BETWEEN = /[\s*_`~#>[\]]+/; // spaces, and the signs by which Markdown marks words
const LETTER = /[\p{L}\p{N}]/u;

/** @param {HTMLElement} place */
export function motifs(place) {
  for (const chip of chips(place)) {
    chip.setAttribute("role", "button");
    chip.setAttribute("aria-pressed", "false");
    chip.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // it still is a link
      event.preventDefault();
      toggle(chip.id === pressed ? "" : chip.id);
    });
    chip.addEventListener("keydown", (event) => {
      if (event.key !== " ") return;
      event.preventDefault();
      chip.click();
    });
  }
  place.querySelector("[data-show]")?.addEventListener("click", showNext);
  restore();
}

/** Mark again what was marked before the text, or the motifs, were drawn anew. */
export function restore() {
  const chip = document.getElementById(pressed);
  if (!chip || (chip.getAttribute("aria-pressed") === "true" && document.querySelector("#words mark"))) return;
  toggle(pressed);
}

/** Mark what somebody has searched for, until they look at a motif. @param {HTMLElement} place */
export function lookedFor(place) {
  if (!pressed) mark(JSON.parse(place.dataset.lookedFor ?? "[]"));
}

/** @param {string} id */
function toggle(id) {
  pressed = id;
  shown = -1;
  unmark();
  const place = /** @type {HTMLElement | null} */ (document.querySelector("[data-motifs]"));
  const details = /** @type {HTMLElement | null} */ (place?.querySelector("[data-places]") ?? null);
  if (!place || !details) return;
  for (const chip of chips(place)) {
    const on = chip.id === id;
    chip.setAttribute("aria-pressed", String(on));
    chip.classList.toggle("on", on);
  }
  const chip = /** @type {HTMLAnchorElement | null} */ (document.getElementById(id));
  details.hidden = !chip;
  if (!chip) return;
  /** @type {string[]} */
  const words = JSON.parse(chip.dataset.motif ?? "[]");
  const found = mark(words);
  const quote = details.dataset.quote ?? "{}";
  const said = /** @type {HTMLElement} */ (details.querySelector("[role=status]"));
  said.textContent = found ? words.map((each) => quote.replace("{}", () => plain(each))).join(", ") : (details.dataset.none ?? "");
  /** @type {HTMLElement} */ (details.querySelector("[data-show]")).hidden = !found;
  /** @type {HTMLAnchorElement} */ (details.querySelector("[data-all]")).href = chip.href;
}

/** @param {HTMLElement} place */
function chips(place) {
  return /** @type {NodeListOf<HTMLAnchorElement>} */ (place.querySelectorAll("[data-motif]"));
}

/** Without the signs of Markdown. @param {string} words */
function plain(words) {
  return words.split(BETWEEN).filter(Boolean).join(" ");
}

function showNext() {
  const marks = document.querySelectorAll("#words mark");
  if (!marks.length) return;
  shown = (shown + 1) % marks.length;
  marks[shown].scrollIntoView({ block: "center" });
}

function unmark() {
  for (const mark of document.querySelectorAll("#words mark")) {
    const parent = mark.parentNode;
    mark.replaceWith(...mark.childNodes);
    parent?.normalize();
  }
}

/**
 * Mark all places of these words; answers how many there are. Words may reach across several elements.
 * @param {string[]} words
 */
function mark(words) {
  const place = document.querySelector("#words [data-text], #words [data-heard]");
  if (!place) return 0;
  /** @type {Text[]} */
  const nodes = [];
  const walker = document.createTreeWalker(place, NodeFilter.SHOW_TEXT, (node) =>
    node.parentElement?.closest(".stamp, .left-out") ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT,
  );
  while (walker.nextNode()) nodes.push(/** @type {Text} */ (walker.currentNode));
  const text = nodes.map((node) => node.data).join("");
  const places = merged(words.flatMap((each) => found(text, each)));
  let [begin, next] = [0, 0];
  for (const node of nodes) {
    const end = begin + node.length;
    while (next < places.length && places[next][1] <= begin) next += 1;
    /** @type {[number, number][]} */
    const parts = [];
    for (let at = next; at < places.length && places[at][0] < end; at += 1) {
      parts.push([Math.max(places[at][0], begin) - begin, Math.min(places[at][1], end) - begin]);
    }
    wrap(node, parts);
    begin = end;
  }
  return places.length;
}

/** @param {Text} node @param {[number, number][]} parts */
function wrap(node, parts) {
  for (const [from, until] of parts.reverse()) {
    if (!node.data.slice(from, until).trim()) continue;
    const range = document.createRange();
    range.setStart(node, from);
    range.setEnd(node, until);
    range.surroundContents(document.createElement("mark"));
  }
}

/**
 * Where the words stand in the text, as whole words.
 * @param {string} text
 * @param {string} words
 * @returns {[number, number][]}
 */
function found(text, words) {
  const parts = words.split(BETWEEN).filter(Boolean);
  if (!parts.length) return [];
  const pattern = parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("[\\s]+");
  /** @type {[number, number][]} */
  const places = [];
  for (const match of text.matchAll(new RegExp(pattern, "g"))) {
    const end = match.index + match[0].length;
    const inside = [
      [text[match.index - 1], match[0][0]],
      [text[end], match[0].slice(-1)],
    ].some(([outer, inner]) => LETTER.test(outer ?? "") && LETTER.test(inner));
    if (!inside) places.push([match.index, end]);
  }
  return places;
}

/** In order, and none inside another. @param {[number, number][]} places */
function merged(places) {
  let end = 0;
  return places
    .sort((one, other) => one[0] - other[0] || other[1] - one[1])
    .filter((each) => {
      const free = each[0] >= end;
      if (free) end = each[1];
      return free;
    });
}
