// @ts-check
/** Plays a recording: seek by touching the waveform, skip, speed, and keys. */

/** @param {number} seconds */
export function clock(seconds) {
  const whole = Math.floor(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const end = `${String(rest).padStart(2, "0")}`;
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${end}` : `${minutes}:${end}`;
}

/** @param {HTMLElement} place */
export function player(place) {
  const audio = /** @type {HTMLAudioElement} */ (place.querySelector("audio"));
  const seek = /** @type {HTMLInputElement} */ (place.querySelector(".seek"));
  const toggle = /** @type {HTMLButtonElement} */ (place.querySelector("[data-toggle]"));
  const speed = /** @type {HTMLSelectElement} */ (place.querySelector(".speed"));
  const now = /** @type {HTMLElement} */ (place.querySelector("[data-now]"));
  const complaint = /** @type {HTMLElement} */ (place.querySelector("[data-complaint]"));
  // Some browsers do not know how long a recording is before its end; the server does.
  const duration = Number(place.dataset.duration);

  function show() {
    now.textContent = clock(audio.currentTime);
    seek.value = String(audio.currentTime);
    seek.setAttribute("aria-valuetext", clock(audio.currentTime));
    const part = place.querySelector("clipPath rect");
    const width = place.querySelector("svg.waveform")?.getAttribute("viewBox")?.split(" ")[2];
    part?.setAttribute("width", String((audio.currentTime / duration) * Number(width ?? 0)));
  }

  function showState() {
    const label = (audio.paused ? place.dataset.play : place.dataset.pause) ?? "";
    const icon = toggle.querySelector("use");
    icon?.setAttribute("href", (icon.getAttribute("href") ?? "").replace(/#.*/, audio.paused ? "#play" : "#pause"));
    toggle.title = label;
    const words = toggle.querySelector(".visually-hidden");
    if (words) words.textContent = label;
  }

  /** @param {number} seconds */
  function go(seconds) {
    audio.currentTime = Math.min(Math.max(0, seconds), duration);
    show();
  }

  const playOrPause = () => (audio.paused ? void audio.play().catch(complain) : audio.pause());

  function complain() {
    complaint.textContent = place.dataset.broken ?? "";
    complaint.hidden = false;
  }

  toggle.addEventListener("click", playOrPause);
  for (const button of place.querySelectorAll("[data-skip]")) {
    const step = Number(/** @type {HTMLElement} */ (button).dataset.skip);
    button.addEventListener("click", () => go(audio.currentTime + step));
  }
  seek.addEventListener("input", () => go(Number(seek.value)));
  speed.addEventListener("change", () => (audio.playbackRate = Number(speed.value)));
  audio.addEventListener("timeupdate", show);
  audio.addEventListener("play", showState);
  audio.addEventListener("pause", showState);
  audio.addEventListener("ended", () => go(0));
  audio.addEventListener("error", complain);
  if (audio.error) complain(); // before this script was there
  if (place.dataset.from) {
    // Somebody has searched for what is said there: the next thing they press plays it.
    go(Number(place.dataset.from));
    toggle.focus({ preventScroll: true });
    place.scrollIntoView({ block: "start" });
  }

  place.addEventListener("keydown", (event) => {
    if (event.target === speed || event.ctrlKey || event.altKey || event.metaKey) return;
    const onButton = event.target instanceof HTMLButtonElement;
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowLeft: () => go(audio.currentTime - 10),
      ArrowRight: () => go(audio.currentTime + 10),
      Home: () => go(0),
      End: () => go(duration),
      ...(onButton ? {} : { " ": playOrPause }),
    };
    const act = keys[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  });
}
