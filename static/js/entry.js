// @ts-check
/** Wakes what only the page of an entry has: its words, its motifs, and what is being done with it. */

import { heard } from "./heard.js";
import { lookedFor, motifs, restore } from "./motifs.js";
import { steps } from "./steps.js";

/** @type {[string, (element: any) => void][]} */
const parts = [
  ["[data-heard]", heard],
  ["[data-motifs]", motifs],
  ["[data-looked-for]", lookedFor],
  ["[data-steps]", steps],
];

/** @type {WeakSet<Element>} */
const awake = new WeakSet();

function wake() {
  for (const [selector, start] of parts) {
    for (const element of document.querySelectorAll(selector)) {
      if (awake.has(element)) continue;
      awake.add(element);
      start(element);
    }
  }
}

wake();
document.addEventListener("htmx:load", () => {
  wake();
  restore();
});
