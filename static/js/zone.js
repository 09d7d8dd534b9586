// @ts-check
/** Offers the time zone of the browser where another one is kept. */

/** @param {HTMLElement} hint names the field, and holds a button for the zone */
export function offerZone(hint) {
  const field = document.getElementById(hint.dataset.zoneHint ?? "");
  const button = hint.querySelector("button");
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!(field instanceof HTMLInputElement) || !button || zone === field.value) return;
  // Only one that the server knows, too.
  if (![...(field.list?.options ?? [])].some((option) => option.value === zone)) return;
  button.textContent = zone;
  button.addEventListener("click", () => {
    field.value = zone;
    hint.hidden = true;
    field.focus();
  });
  hint.hidden = false;
}
