// @ts-check
/** Completes tags in a field that takes several, separated by commas. */

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

  function offer() {
    const written = input.value.split(",").slice(0, -1).map((tag) => tag.trim());
    const before = written.map((tag) => `${tag}, `).join("");
    const options = names.filter((name) => !written.includes(name)).map((name) => new Option("", before + name));
    list.replaceChildren(...options);
  }

  input.addEventListener("input", offer);
  input.addEventListener(
    "focus",
    async () => {
      const answer = await fetch(input.dataset.tags ?? "", { headers: { "HX-Request": "true" } });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      names = [...page.querySelectorAll("option")].map((option) => option.value);
      offer();
    },
    { once: true },
  );
}
