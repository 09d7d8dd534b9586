// @ts-check
/** Makes the search quick: one key leads to it, and what there is to narrow it by comes when somebody looks. */

const WRITING = "input:not([type=checkbox], [type=radio], [type=range]), textarea, select, [contenteditable], dialog *";

/** `/` leads to the search from anywhere, as long as nobody is writing. */
export function findByKey() {
  document.addEventListener("keydown", (event) => {
    const target = /** @type {Element} */ (event.target);
    if (event.key !== "/" || event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    const link = /** @type {HTMLAnchorElement | null} */ (document.querySelector("a[data-find]"));
    if (!link || target.matches(WRITING)) return;
    event.preventDefault();
    const field = /** @type {HTMLInputElement | null} */ (document.querySelector("[data-search] [type=search]"));
    if (field) field.select();
    else location.assign(`${link.href}#q`);
  });
}

/** @param {HTMLFormElement} form */
export function search(form) {
  const field = /** @type {HTMLInputElement} */ (form.querySelector("[type=search]"));
  const found = /** @type {HTMLElement} */ (document.querySelector("#found"));
  const facets = /** @type {HTMLDetailsElement} */ (document.querySelector("#facets"));
  const said = /** @type {HTMLElement} */ (document.querySelector("#found-said"));
  let stale = !facets.open; // what stands in it is of another search, or only a link to it

  function narrow() {
    if (!stale || !facets.open) return;
    stale = false;
    found.querySelector("[data-narrow]")?.dispatchEvent(new Event("narrow"));
  }

  facets.addEventListener("toggle", narrow);
  found.addEventListener("htmx:load", (event) => {
    if (!(/** @type {Element} */ (event.target).matches("[data-narrow]"))) return;
    stale = true;
    narrow();
  });
  for (const failed of ["htmx:sendError", "htmx:responseError"]) {
    field.addEventListener(failed, () => (said.textContent = form.dataset.away ?? ""));
  }

  if (location.hash === "#q" || (!field.value && matchMedia("(hover: hover)").matches)) field.focus();
}
