// @ts-check
/** Wakes what is on a page, and what htmx brings later. Every page also works without it, only plainer. */

import { ask } from "./ask.js";
import { copy } from "./copy.js";
import { clearKept, draft } from "./draft.js";
import { offline } from "./offline.js";
import { pending } from "./pending.js";
import { player } from "./player.js";
import { findByKey, search } from "./search.js";
import { fillToken } from "./shortcut.js";
import { completeTags } from "./tags.js";
import { upload } from "./upload.js";
import { offerZone } from "./zone.js";

/** @type {[string, (element: any) => void][]} */
const parts = [
  ["[data-kept]", clearKept], // before a form looks for its draft
  ["form[data-ask]", ask],
  ["form[data-draft]", draft],
  ["[data-player]", player],
  ["[data-pending]", pending],
  ["form[data-search]", search],
  ["input[data-tags]", completeTags],
  ["form[data-upload]", upload],
  ["[data-copy]", copy],
  ["[data-shortcut]", fillToken],
  ["[data-zone-hint]", offerZone],
  ["input[data-time-zone]", (input) => (input.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "")],
];

/** @type {WeakSet<Element>} */
const awake = new WeakSet();

/** @param {ParentNode} root */
function wake(root) {
  for (const [selector, start] of parts) {
    const found = [...root.querySelectorAll(selector)];
    if (root instanceof Element && root.matches(selector)) found.push(root);
    for (const element of found.filter((each) => !awake.has(each))) {
      awake.add(element);
      start(element);
    }
  }
}

wake(document);
document.addEventListener("htmx:load", (event) => wake(/** @type {CustomEvent} */ (event).detail.elt));
findByKey();
void offline();
