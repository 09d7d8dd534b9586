// @ts-check
/** Sends files one by one: a progress bar each, stop, try again; one `client_id` each, so that nothing is kept twice. */

import { identifier } from "./outbox.js";

const AT_ONCE = 2;
const REFUSED = [400, 409, 413, 422]; // what sending the same again does not change
const SHOWN_FOR = 4000; // milliseconds, once it is among the others

/**
 * @typedef {object} Sending
 * @property {File} file
 * @property {string} id
 * @property {"waiting" | "sending" | "saved" | "failed" | "refused" | "cancelled"} state
 * @property {XMLHttpRequest | null} request
 * @property {HTMLLIElement} row
 * @property {HTMLProgressElement} progress
 * @property {HTMLElement} words
 * @property {HTMLButtonElement} button
 */

/** @param {HTMLFormElement} form */
export function upload(form) {
  const input = /** @type {HTMLInputElement} */ (form.querySelector("input[type=file]"));
  const list = /** @type {HTMLUListElement} */ (form.querySelector(".upload-list"));
  /** @type {Sending[]} */
  const all = [];

  input.addEventListener("change", () => {
    add(input.files);
    input.value = "";
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("dragover", (event) => {
    event.preventDefault();
    form.classList.add("over");
  });
  form.addEventListener("dragleave", () => form.classList.remove("over"));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    form.classList.remove("over");
    add(event.dataTransfer?.files ?? null);
  });
  window.addEventListener("beforeunload", (event) => {
    // What failed can be tried again from here only, while this list is on the page.
    const states = form.isConnected ? ["waiting", "sending", "failed"] : ["waiting", "sending"];
    if (all.some(({ state }) => states.includes(state))) event.preventDefault();
  });

  /** @param {FileList | null} files */
  function add(files) {
    for (const file of files ?? []) {
      const sending = rowFor(file);
      all.push(sending);
      list.append(sending.row);
      sending.button.addEventListener("click", () => (isOver(sending) ? again(sending) : stop(sending)));
      show(sending, "waiting");
    }
    next();
  }

  function next() {
    const free = AT_ONCE - all.filter(({ state }) => state === "sending").length;
    for (const sending of all.filter(({ state }) => state === "waiting").slice(0, free)) send(sending);
  }

  /** @param {Sending} sending */
  function send(sending) {
    const request = new XMLHttpRequest();
    const address = new URL(form.dataset.upload ?? "", location.href);
    address.searchParams.set("client_id", sending.id);
    address.searchParams.set("filename", sending.file.name);
    request.open("POST", address);
    request.setRequestHeader("X-CSRFToken", token());
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.addEventListener("progress", (event) => (sending.progress.value = event.loaded / (event.total || 1)));
    request.addEventListener("load", () => finish(sending, request));
    request.addEventListener("error", () => show(sending, "failed"));
    request.addEventListener("abort", () => show(sending, "cancelled"));
    request.addEventListener("loadend", () => {
      next();
      settle();
    });
    sending.request = request;
    show(sending, "sending");
    request.send(sending.file);
  }

  /**
   * @param {Sending} sending
   * @param {XMLHttpRequest} request
   */
  function finish(sending, request) {
    const { id, detail } = saidBy(request);
    // A hotel's network answers 200, too, and has kept nothing.
    if ((request.status === 200 || request.status === 201) && id) {
      show(sending, "saved");
      lead(sending, id);
      return;
    }
    if (detail && REFUSED.includes(request.status)) show(sending, "refused", detail);
    else show(sending, "failed", request.status === 401 ? form.dataset.outside : detail);
  }

  /** Once nothing is under way any more, show what was saved among the others. */
  function settle() {
    const saved = all.filter(({ state }) => state === "saved");
    if (!saved.length || all.some(({ state }) => state === "waiting" || state === "sending")) return;
    for (const sending of saved) all.splice(all.indexOf(sending), 1);
    refresh(form);
    // What can be opened from here stays: a recording that says when it was made may stand far below.
    if (!form.dataset.open) setTimeout(() => saved.forEach(({ row }) => row.remove()), SHOWN_FOR);
  }

  /** @param {Sending} sending */
  function stop(sending) {
    if (sending.state === "sending") sending.request?.abort();
    else show(sending, "cancelled");
  }

  /**
   * A link to the entry that a recording has become.
   * @param {Sending} sending
   * @param {string} id
   */
  function lead(sending, id) {
    const { open, entries } = form.dataset;
    if (!open || !entries) return;
    const link = document.createElement("a");
    link.className = "button small";
    link.href = entries + id;
    link.textContent = open;
    sending.button.replaceWith(link);
  }

  /** @param {Sending} sending */
  function again(sending) {
    if (sending.state === "refused") {
      all.splice(all.indexOf(sending), 1);
      sending.row.remove();
      return;
    }
    show(sending, "waiting");
    next();
  }

  /**
   * @param {Sending} sending
   * @param {Sending["state"]} state
   * @param {string} [detail]
   */
  function show(sending, state, detail) {
    sending.state = state;
    sending.words.textContent = detail ?? form.dataset[state] ?? "";
    sending.words.classList.toggle("bad", state === "failed" || state === "refused");
    sending.progress.value = state === "saved" ? 1 : 0;
    const offer = state === "refused" ? form.dataset.dismiss : isOver(sending) ? form.dataset.retry : form.dataset.cancel;
    sending.button.textContent = offer ?? "";
    sending.button.hidden = state === "saved";
  }
}

/** @param {Sending} sending */
const isOver = ({ state }) => ["failed", "refused", "cancelled"].includes(state);

/**
 * @param {File} file
 * @returns {Sending}
 */
function rowFor(file) {
  const row = document.createElement("li");
  const name = document.createElement("span");
  const words = document.createElement("span");
  const progress = document.createElement("progress");
  const actions = document.createElement("span");
  const button = document.createElement("button");
  row.className = "upload";
  name.className = "name";
  name.textContent = file.name;
  words.className = "state";
  progress.max = 1;
  progress.setAttribute("aria-label", file.name);
  actions.className = "row";
  button.type = "button";
  button.className = "button small";
  actions.append(button);
  row.append(name, words, actions, progress);
  return { file, id: identifier(), state: "waiting", request: null, row, progress, words, button };
}

/**
 * What the server says of it; a proxy in between says something else.
 * @param {XMLHttpRequest} request
 * @returns {{ id?: string, detail?: string }}
 */
function saidBy(request) {
  try {
    const { id, detail } = JSON.parse(request.responseText);
    return { id, detail };
  } catch {
    return {};
  }
}

function token() {
  return JSON.parse(document.body.getAttribute("hx-headers") ?? "{}")["X-CSRFToken"] ?? "";
}

/**
 * Show what is there now.
 * @param {HTMLFormElement} form
 */
function refresh(form) {
  const { after = "", refresh: target = "" } = form.dataset;
  const { htmx } = /** @type {{ htmx?: { ajax(verb: string, path: string, how: object): void } }} */ (
    /** @type {unknown} */ (window)
  );
  if (htmx) htmx.ajax("GET", after, { target, select: target, swap: "outerHTML" });
  else location.reload();
}
