// @ts-check
/** Shows what is done with an entry while it is done: says it once, and brings the new text when nobody is disturbed. */

const PATIENCE = 1000; // milliseconds between two looks whether somebody still reads, selects or types there

/** Whether the person has opened or closed the list; null: neither. @type {boolean | null} */
let opened = null;
let [entry, said, texts, step] = ["", "", "", ""];
let waiting = 0;

/** @param {HTMLElement} section */
export function steps(section) {
  const details = /** @type {HTMLDetailsElement} */ (section.querySelector("details"));
  const before = { entry, said, texts };
  entry = section.dataset.entry ?? "";
  said = section.dataset.said ?? "";
  texts = section.dataset.texts ?? "";
  details.querySelector("summary")?.addEventListener("click", () => (opened = !details.open));
  const select = section.querySelector("select");
  select?.addEventListener("change", () => (step = select.value));
  section.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target === section && document.activeElement === select) event.preventDefault(); // they are choosing
  });
  section.addEventListener("htmx:responseError", (event) => {
    // It was deleted on another device: whoever asks for it again and again gets no other answer.
    if (/** @type {CustomEvent} */ (event).detail.xhr.status === 404) section.replaceWith(section.cloneNode(true));
  });
  if (before.entry !== entry) {
    [opened, step] = [null, ""];
    return;
  }
  if (opened !== null) details.open = opened;
  if (select && step) select.value = step;
  const told = document.getElementById("steps-said");
  if (told && before.said !== said) told.textContent = said;
  if (before.texts !== texts) refresh();
}

function refresh() {
  clearTimeout(waiting);
  if (isBusy()) waiting = window.setTimeout(refresh, PATIENCE);
  else document.querySelector("[data-fresh]")?.dispatchEvent(new Event("fresh"));
}

/** Whether somebody has selected something in what would be drawn anew, or stands in it with the keyboard. */
function isBusy() {
  const selection = getSelection();
  return ["words", "about", "entry-head"]
    .map((id) => document.getElementById(id))
    .some(
      (part) =>
        part &&
        (part.contains(document.activeElement) ||
          (selection && !selection.isCollapsed && selection.containsNode(part, true))),
    );
}
