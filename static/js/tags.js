// @ts-check
/** Completes tags in a field that takes several, separated by commas. */

const PAUSE = 200; // milliseconds without a key pressed

/**
 * A datalist completes the whole value of its field; so each of its options carries the tags written so far, and each field
 * has a list of its own.
 * @param {HTMLInputElement} input
 */
export function completeTags(input) {
  const list = document.createElement("datalist");
  list.id = `${input.id}-names`;
  input.after(list);
  input.setAttribute("list", list.id);
  /** @type {string[]} */
  let names = [];
  let more = false; // whether there are tags besides the most used ones
  let timer = 0;

  function offer() {
    const written = input.value.split(",").slice(0, -1).map((tag) => tag.trim());
    const before = written.map((tag) => `${tag}, `).join("");
    const options = names.filter((name) => !written.includes(name)).map((name) => new Option("", before + name));
    list.replaceChildren(...options);
  }

  /** @param {string} prefix */
  async function ask(prefix) {
    const address = `${input.dataset.tags}?${new URLSearchParams({ prefix })}`;
    const answer = await fetch(address, { headers: { "HX-Request": "true" } }).catch(() => null);
    if (!answer?.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const found = [...page.querySelectorAll("option")].map((option) => option.value);
    if (!prefix) more = Boolean(page.querySelector("[data-more]"));
    names = [...new Set([...names, ...found])];
    offer();
  }

  input.addEventListener("input", () => {
    offer();
    clearTimeout(timer);
    const prefix = input.value.split(",").at(-1)?.trim();
    if (more && prefix) timer = window.setTimeout(ask, PAUSE, prefix);
  });
  input.addEventListener("focus", () => ask(""), { once: true });
}
