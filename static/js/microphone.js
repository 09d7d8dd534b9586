// @ts-check
/** The microphone: whether there is one, which one, how loud it is, and what a recorder makes of it. */

/** @typedef {"insecure" | "unsupported" | "refused" | "none" | "busy"} Reason */

/**
 * One run of one recorder: its pieces come in order, and `over` when the last of them has come.
 * @typedef {object} Run
 * @property {() => string} type what the pieces are, as the recorder says, not as it was asked
 * @property {() => void} pause
 * @property {() => void} resume
 * @property {() => void} flush hand out what there is so far
 * @property {() => Promise<void>} end
 * @property {Promise<void>} over
 */

const SLICE = 3000; // milliseconds: what a crash costs at most
const BITS = 40_000; // a second: speech needs no more, and an hour is 18 MB
const FORMATS = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus"];
const CHOICE = "microphone";
const TRIAL = 3000; // milliseconds of a test
const LOOK = 100; // milliseconds between two looks at the level
const FLAT = 0.0001; // of full scale: a muted microphone is at 0, the quietest bedroom is louder than this
const FLAT_AT_FIRST = 500; // milliseconds
const FLAT_LATER = 900;

export class NoMicrophone extends Error {
  /** @param {Reason} reason */
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

/**
 * Why there cannot be a microphone here, whoever allows it.
 * @returns {Reason | null}
 */
export function impossible() {
  if (!window.isSecureContext) return "insecure";
  if (!navigator.mediaDevices?.getUserMedia || typeof MediaRecorder === "undefined") return "unsupported";
  return null;
}

/** @returns {Promise<PermissionStatus | null>} null where the browser does not say */
export async function permission() {
  try {
    return await navigator.permissions.query({ name: /** @type {PermissionName} */ ("microphone") });
  } catch {
    return null;
  }
}

/** The microphone that was chosen on this device; empty when the browser may choose. */
export function chosen() {
  try {
    return localStorage.getItem(CHOICE) ?? "";
  } catch {
    return ""; // storage is not allowed everywhere
  }
}

/** @param {string} id */
export function choose(id) {
  try {
    if (id) localStorage.setItem(CHOICE, id);
    else localStorage.removeItem(CHOICE);
  } catch {
    // Then it is chosen for this time only.
  }
}

/** The microphones there are; none while the browser does not tell their names. */
export async function inputs() {
  const found = (await navigator.mediaDevices?.enumerateDevices?.().catch(() => [])) ?? [];
  return found.filter(({ kind, deviceId, label }) => kind === "audioinput" && deviceId && label);
}

/**
 * A whisper under a blanket is what this is for. To a noise suppressor a whisper is noise: it has no tone, only
 * breath; so that is off. Nothing is played meanwhile, so there is no echo to cancel, and asking for it makes phones
 * switch to the narrow, clipped sound of a call. The gain may follow: it lifts a whisper.
 *
 * The chosen microphone is a wish: when it is not plugged in, another is better than none.
 * @param {string} [device]
 * @returns {Promise<MediaStream>}
 */
export async function open(device = chosen()) {
  const reason = impossible();
  if (reason) throw new NoMicrophone(reason);
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: {
        channelCount: 1,
        echoCancellation: false,
        noiseSuppression: false,
        autoGainControl: true,
        ...(device ? { deviceId: { ideal: device } } : {}),
      },
    });
  } catch (error) {
    throw new NoMicrophone(reasonOf(/** @type {DOMException} */ (error).name));
  }
}

/**
 * @param {string} name
 * @returns {Reason}
 */
function reasonOf(name) {
  if (name === "NotAllowedError" || name === "SecurityError") return "refused";
  if (name === "NotReadableError" || name === "AbortError") return "busy";
  return "none";
}

/** @param {MediaStream} stream */
export function close(stream) {
  for (const track of stream.getTracks()) track.stop();
}

/** @param {MediaStream} stream */
export function isOpen(stream) {
  return stream.getAudioTracks().some(({ readyState }) => readyState === "live");
}

/** @param {MediaStream} stream */
export function isMuted(stream) {
  return stream.getAudioTracks().some(({ muted }) => muted);
}

/** @param {MediaStream} stream */
function recorderOf(stream) {
  for (const mimeType of FORMATS.filter((format) => MediaRecorder.isTypeSupported(format))) {
    try {
      return new MediaRecorder(stream, { mimeType, audioBitsPerSecond: BITS });
    } catch {
      // What it claims to support is not always what it can make: the next one.
    }
  }
  return new MediaRecorder(stream, { audioBitsPerSecond: BITS });
}

/**
 * Begin to record. The pieces go to `take` in the event's own handler, where they have to be numbered; empty ones are
 * left out, small ones never: Chromium's first may be one byte, and without it nothing that follows can be played.
 * @param {MediaStream} stream
 * @param {{ take: (piece: Blob) => void, fail: () => void }} events
 * @returns {Run}
 */
export function run(stream, { take, fail }) {
  const recorder = recorderOf(stream);
  /** @type {Promise<void>} */
  const over = new Promise((resolve) => recorder.addEventListener("stop", () => resolve()));
  recorder.addEventListener("dataavailable", ({ data }) => {
    if (data.size) take(data);
  });
  recorder.addEventListener("error", fail);
  recorder.start(SLICE);
  const active = () => recorder.state !== "inactive";
  return {
    type: () => recorder.mimeType || "application/octet-stream",
    over,
    pause() {
      if (recorder.state !== "recording") return;
      recorder.requestData(); // a pause may last for ever
      recorder.pause();
    },
    resume() {
      if (recorder.state === "paused") recorder.resume();
    },
    flush() {
      if (active()) recorder.requestData();
    },
    end() {
      if (active()) recorder.stop();
      // Some recorders whose microphone was taken away never say that they have stopped.
      return Promise.race([over, new Promise((resolve) => setTimeout(resolve, 3000))]);
    },
  };
}

/**
 * Look at how loud it is, while anybody can see it. `show` gets a number from 0 to 1, and whether it is so flat that
 * the microphone must be off; of that nothing is said while the browser does not let the page listen.
 * @param {MediaStream} stream
 * @param {(level: number, flat: boolean) => void} show
 * @returns {() => void} stops it
 */
export function meter(stream, show) {
  /** @type {AudioContext} */
  let context;
  try {
    context = new AudioContext();
  } catch {
    return () => {};
  }
  const analyser = context.createAnalyser();
  analyser.fftSize = 8192; // more than passes between two looks: nothing is missed
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const wake = () => void context.resume().catch(() => {});
  let flatSince = 0;
  let heard = false;
  const look = () => {
    // A browser may keep a page from listening until it is touched; then the meter knows nothing.
    if (document.hidden || context.state !== "running") {
      flatSince = 0;
      return;
    }
    analyser.getFloatTimeDomainData(samples);
    const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    if (peak >= FLAT) {
      heard = true;
      flatSince = 0;
    } else flatSince ||= performance.now();
    const flat = flatSince > 0 && performance.now() - flatSince >= (heard ? FLAT_LATER : FLAT_AT_FIRST) - LOOK;
    show(Math.max(0, 1 + Math.log10(peak || 1e-9) / 3) ** 2, flat); // 60 decibels, the upper ones wider
  };
  wake();
  const timer = setInterval(look, LOOK);
  for (const touch of ["pointerdown", "keydown"]) document.addEventListener(touch, wake);
  return () => {
    clearInterval(timer);
    for (const touch of ["pointerdown", "keydown"]) document.removeEventListener(touch, wake);
    void context.close().catch(() => {});
  };
}

/**
 * Three seconds, for somebody to hear how they sound; their level is shown meanwhile.
 * @param {MediaStream} stream
 * @param {(level: number, flat: boolean) => void} show
 * @returns {{ over: Promise<{ sound: Blob | null, loudest: number }>, quit: () => void }} null when it was given up
 */
export function trial(stream, show) {
  /** @type {Blob[]} */
  const pieces = [];
  let loudest = 0;
  let given = false;
  const unmeter = meter(stream, (level, flat) => {
    loudest = Math.max(loudest, level);
    show(level, flat);
  });
  /** @type {() => void} */
  let quit = () => {};
  const waited = new Promise((resolve) => {
    const timer = setTimeout(resolve, TRIAL);
    quit = () => {
      given = true;
      clearTimeout(timer);
      resolve(undefined);
    };
  });
  const recorded = run(stream, { take: (piece) => pieces.push(piece), fail: quit });
  const over = waited
    .then(() => recorded.end())
    .then(() => {
      unmeter();
      close(stream);
      return { sound: given ? null : new Blob(pieces, { type: recorded.type() }), loudest };
    });
  return { over, quit };
}
