// @ts-check
/** Keeps what is being written on this device, until the server has it: a closed tab loses nothing. */

/**
 * One unsaved form. `base` is the state of the entry it began from, `client_id` the name of a new entry.
 * @typedef {{ fields: Record<string, string>, base: string, client_id: string, time: number }} Draft
 */

const PAUSE = 300; // milliseconds without a key pressed

const owner = document.body.dataset.account ?? "";

/** @param {string} name */
const keyOf = (name) => `draft:${owner}:${name}`;

/**
 * @param {string} name
 * @returns {Draft | null}
 */
function read(name) {
  try {
    const kept = JSON.parse(localStorage.getItem(keyOf(name)) ?? "null");
    return kept?.fields ? kept : null;
  } catch {
    return null;
  }
}

/**
 * The fields that people fill in; no script can choose their files again.
 * @param {HTMLFormElement} form
 */
function fieldsOf(form) {
  const given = /** @type {(HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement)[]} */ ([...form.elements]);
  return given.filter((field) => field.name && !["hidden", "submit", "file"].includes(field.type));
}

/** @param {HTMLFormElement} form */
function valuesOf(form) {
  /** @type {Record<string, string>} */
  const values = {};
  for (const field of fieldsOf(form)) {
    values[field.name] = field instanceof HTMLInputElement && field.type === "checkbox" ? String(field.checked) : field.value;
  }
  return values;
}

/**
 * @param {HTMLFormElement} form
 * @param {string} name
 */
function hidden(form, name) {
  return /** @type {HTMLInputElement | null} */ (form.querySelector(`input[type="hidden"][name="${name}"]`));
}

/**
 * @param {HTMLFormElement} form
 * @param {Record<string, string>} values
 */
function fill(form, values) {
  for (const field of fieldsOf(form)) {
    if (!(field.name in values)) continue;
    if (field instanceof HTMLInputElement && field.type === "checkbox") field.checked = values[field.name] === "true";
    else field.value = values[field.name];
  }
}

/** @param {HTMLFormElement} form */
export function draft(form) {
  const name = form.dataset.draft ?? "";
  // A form that was sent and came back carries the newest words, and none of them is saved.
  const sent = form.hasAttribute("data-draft-sent");
  const before = sent ? {} : valuesOf(form);
  const kept = sent ? null : read(name);
  if (kept && JSON.stringify(kept.fields) !== JSON.stringify(before)) {
    restore(form, kept, before);
  }
  let timer = 0;
  const keep = () => {
    clearTimeout(timer);
    timer = 0;
    const fields = valuesOf(form);
    if (JSON.stringify(fields) === JSON.stringify(before)) {
      localStorage.removeItem(keyOf(name));
      return;
    }
    const base = hidden(form, "updated_at")?.value ?? "";
    const client_id = hidden(form, "client_id")?.value ?? "";
    try {
      localStorage.setItem(keyOf(name), JSON.stringify({ fields, base, client_id, time: Date.now() }));
    } catch {
      // No room, or not allowed in a private window: then it is as without scripts.
    }
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = window.setTimeout(keep, PAUSE);
  });
  form.addEventListener("submit", keep);
  if (sent) {
    keep();
    const from = form.dataset.draftSent; // a line with which something was wrong has become this whole form
    if (from) localStorage.removeItem(keyOf(from));
  }
  window.addEventListener("pagehide", () => {
    if (timer && form.isConnected) keep();
  });
  form.querySelector("[data-draft-cancel]")?.addEventListener("click", () => {
    clearTimeout(timer);
    timer = 0;
    localStorage.removeItem(keyOf(name));
  });
}

/**
 * Put the unsaved words back, and say so.
 * @param {HTMLFormElement} form
 * @param {Draft} kept
 * @param {Record<string, string>} before
 */
function restore(form, kept, before) {
  const base = hidden(form, "updated_at");
  const client = hidden(form, "client_id");
  const began = { base: base?.value ?? "", client: client?.value ?? "" };
  fill(form, kept.fields);
  // The server compares by this, and says so when the entry was changed elsewhere meanwhile.
  if (base && kept.base) base.value = kept.base;
  if (client && kept.client_id) client.value = kept.client_id;
  const found = form.dataset.draftFound;
  if (!found) return;
  const notice = document.createElement("div");
  notice.className = "notice";
  notice.setAttribute("role", "status");
  const words = document.createElement("span");
  const time = new Date(kept.time).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  words.textContent = found.replace("{}", time);
  const discard = document.createElement("button");
  discard.type = "button";
  discard.className = "button small";
  discard.textContent = form.dataset.draftDiscard ?? "";
  discard.addEventListener("click", () => {
    localStorage.removeItem(keyOf(form.dataset.draft ?? ""));
    fill(form, before);
    // What is written now has to do with neither that state nor that entry, if it was saved after all.
    if (base) base.value = began.base;
    if (client) client.value = began.client;
    notice.remove();
  });
  notice.append(words, discard);
  form.prepend(notice);
}

/**
 * The server says that it has kept something: the draft of it can go.
 * @param {HTMLElement} said
 */
export function clearKept(said) {
  const { kept = "", keptClient = "" } = said.dataset;
  if (!keptClient || read(kept)?.client_id === keptClient) localStorage.removeItem(keyOf(kept));
}
