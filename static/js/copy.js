// @ts-check
/** Copies a value that stands on the page, also over plain HTTP, where browsers offer scripts no clipboard. */

/** @param {HTMLElement} place holds a `code`, a button, and a place where a screen reader hears what has happened */
export function copy(place) {
  const [code, button, said] = ["code", "button", "[role=status]"].map((selector) => place.querySelector(selector));
  if (!(code && button instanceof HTMLButtonElement && said)) return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const done = await copyText(code);
    said.textContent = (done ? button.dataset.done : button.dataset.marked) ?? "";
    button.lastChild?.replaceWith(said.textContent);
  });
}

/**
 * Marks the value too, so that a person can copy it where no script may.
 * @param {Element} code
 */
async function copyText(code) {
  getSelection()?.selectAllChildren(code);
  try {
    if (navigator.clipboard) {
      await navigator.clipboard.writeText(code.textContent ?? "");
      return true;
    }
    return document.execCommand("copy");
  } catch {
    return false;
  }
}
