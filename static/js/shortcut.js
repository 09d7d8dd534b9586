// @ts-check
/** Fills a token into the recipes. It comes after the `#` of the address, which browsers do not send to the server. */

const TOKEN = /^dw_[A-Za-z0-9_-]{20,100}$/;

/** @param {HTMLElement} page */
export function fillToken(page) {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!token || !TOKEN.test(token)) return;
  // The address that comes along is not used: whoever sends such a link could name another server. And the token must
  // not stay where Back would bring it up again.
  history.replaceState(history.state, "", location.pathname);
  for (const place of page.querySelectorAll("[data-token]")) place.textContent = token;
  for (const note of page.querySelectorAll("[data-without-token]")) note.toggleAttribute("hidden", true);
  for (const note of page.querySelectorAll("[data-with-token]")) note.toggleAttribute("hidden", false);
}
