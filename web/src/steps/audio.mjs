/**
 * Recordings: from the bytes of a file to samples, frames and log-mel spectrograms.
 *
 * In: the bytes of a WAV, FLAC or OGG file. Out: float32 [samples], [time, samples of a frame] or
 * [time, mels]; with channels kept, one axis more in front. Files are read in decode_audio.mjs, the
 * other rate is made in resampling.mjs, the spectrogram in melbank.mjs.
 *
 * @typedef {import("./arrays.mjs").Tensor} Tensor
 * @typedef {import("./arrays.mjs").Frame} Frame
 */

import { around, floats, numbers, tensor } from "./arrays.mjs";
import { padded } from "./melbank.mjs";
import { Refused } from "./refused.mjs";

export { decode_audio } from "./decode_audio.mjs";
export { log_mel } from "./melbank.mjs";
export { resample } from "./resampling.mjs";

/**
 * Just `samples`, silence added at one end or cut off there; never fewer than `least`.
 *
 * @param {Tensor} value
 * @param {Frame} _frame
 * @param {{samples: number | null, least: number, pad: string, trim: string}} options
 * @returns {Tensor}
 */
export function length(value, _frame, { samples, least, pad, trim }) {
  const { outer, along: n } = around(value.shape, -1);
  if (n < least && (samples === null || pad === "refuse")) {
    throw new Refused(`the recording has ${n} samples at this rate, expected ${least} at least`);
  }
  if (samples === null || n === samples) return value;
  const end = n < samples ? pad : trim;
  if (end === "refuse") {
    throw new Refused(`the recording has ${n} samples at this rate, expected ${samples}`);
  }
  const given = floats(value);
  const out = new Float32Array(outer * samples);
  const from = end === "start" ? Math.max(0, n - samples) : 0;
  const to = end === "start" ? Math.max(0, samples - n) : 0;
  for (let o = 0; o < outer; o++) {
    const taken = given.subarray(o * n + from, o * n + Math.min(n, from + samples));
    out.set(taken, o * samples + to);
  }
  return tensor("float32", [...value.shape.slice(0, -1), samples], out);
}

/**
 * [..., time, size]: overlapping pieces; a rest that fills none is dropped, or with pad "end" filled
 * up with silence; "centre" pads half a frame at both ends.
 *
 * @param {Tensor} value
 * @param {Frame} _frame
 * @param {{size: number, hop: number, pad: string, pad_mode: string}} options
 * @returns {Tensor}
 */
export function frames(value, _frame, { size, hop, pad, pad_mode }) {
  const { outer, along } = around(value.shape, -1);
  const [before, after] = addedTo(along, size, hop, pad);
  const long = before + along + after;
  if (long < size) throw new RangeError(`${along} samples are less than a frame of ${size}`);
  const time = Math.floor((long - size) / hop) + 1;
  const given = floats(value);
  const out = new Float32Array(outer * time * size);
  for (let o = 0; o < outer; o++) {
    const x = padded(given.slice(o * along, (o + 1) * along), before, after, pad_mode);
    for (let t = 0; t < time; t++) {
      out.set(x.subarray(t * hop, t * hop + size), (o * time + t) * size);
    }
  }
  return tensor("float32", [...value.shape.slice(0, -1), time, size], out);
}

/**
 * How many samples are added at both ends.
 *
 * @param {number} n
 * @param {number} size
 * @param {number} hop
 * @param {string} pad
 */
function addedTo(n, size, hop, pad) {
  if (pad === "centre") return /** @type {const} */ ([Math.floor(size / 2), Math.floor(size / 2)]);
  if (pad !== "end") return /** @type {const} */ ([0, 0]);
  const over = n - size;
  return /** @type {const} */ ([0, over > 0 ? (hop - (over % hop)) % hop : -over]);
}

/**
 * (x - mean) / max(sqrt(variance + epsilon), floor), over each frame or the whole recording.
 *
 * @param {Tensor} value
 * @param {Frame} _frame
 * @param {{over: string, ddof: number, epsilon: number, floor: number}} options
 * @returns {Tensor}
 */
export function normalise(value, _frame, { over, ddof, epsilon, floor }) {
  const x = numbers(value);
  const { outer, along, inner } =
    over === "recording"
      ? { outer: 1, along: x.length, inner: 1 }
      : around(value.shape, over === "frame" ? -1 : -2);
  const out = new Float32Array(x.length);
  const free = Math.max(along, ddof + 1) - ddof;
  for (let o = 0; o < outer; o++) {
    for (let n = 0; n < inner; n++) {
      const start = o * along * inner + n;
      const end = start + along * inner;
      let sum = 0;
      for (let i = start; i < end; i += inner) sum += x[i] ?? NaN;
      const mean = sum / along;
      let squares = 0;
      for (let i = start; i < end; i += inner) squares += ((x[i] ?? NaN) - mean) ** 2;
      const spread = Math.max(Math.sqrt(squares / free + epsilon), floor);
      for (let i = start; i < end; i += inner) out[i] = ((x[i] ?? NaN) - mean) / spread;
    }
  }
  return tensor("float32", value.shape, out);
}

/**
 * Axes by name in another order; a name that was not given becomes an axis of one.
 *
 * @param {Tensor} value
 * @param {Frame} _frame
 * @param {{given: string[], to: string[]}} options
 * @returns {Tensor}
 */
export function arrange(value, _frame, { given, to }) {
  const sizes = to.map((name) =>
    given.includes(name) ? (value.shape[given.indexOf(name)] ?? 1) : 1,
  );
  const strides = to.map((name) => strideOf(value.shape, given.indexOf(name)));
  const data = value.data.slice();
  const at = to.map(() => 0);
  let from = 0;
  for (let i = 0; i < data.length; i++) {
    data[i] = /** @type {never} */ (value.data[from]);
    for (let axis = to.length - 1; axis >= 0; axis--) {
      const stride = strides[axis] ?? 0;
      const place = (at[axis] ?? 0) + 1;
      const over = place >= (sizes[axis] ?? 1);
      from += over ? -stride * (place - 1) : stride;
      at[axis] = over ? 0 : place;
      if (!over) break;
    }
  }
  return tensor(value.dtype, sizes, data);
}

/**
 * How many elements lie between two neighbours along an axis; 0 along one that is not there.
 *
 * @param {number[]} shape
 * @param {number} axis
 */
function strideOf(shape, axis) {
  return axis < 0 ? 0 : shape.slice(axis + 1).reduce((all, size) => all * size, 1);
}
