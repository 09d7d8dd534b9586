// @ts-check
/** Asks before a form does what cannot be undone; without scripts the form is just sent. */

/** @param {HTMLFormElement} form */
export function ask(form) {
  form.addEventListener("submit", (event) => {
    if (!confirm(form.dataset.ask)) event.preventDefault();
  });
}
