/**
 * Another sampling rate, as torchaudio ("sinc_hann") or SciPy ("polyphase") makes it by default.
 *
 * In: samples [..., n] at `frame.rate`. Out: float32 samples [..., ceil(n * to / from)]. Both
 * methods are one filter, evaluated where an output sample falls between input samples; they differ
 * in that filter. To add one: a function that gives its weights, and a line in METHODS.
 *
 * @typedef {import("./arrays.mjs").Tensor} Tensor
 * @typedef {import("./arrays.mjs").Frame} Frame
 * @typedef {(distance: number) => number} Weight of an input sample at a distance in samples
 * @typedef {{reach: number, weight: Weight}} Filter `reach`: how far away it still weighs one
 */

import { around, floats, tensor } from "./arrays.mjs";
import { Refused } from "./refused.mjs";

/** Of either rate, by what both share: the filter has twenty times as many weights. */
const MOST = 50_000;

/** @type {Record<string, (down: number, up: number) => Filter>} */
const METHODS = { sinc_hann: sincHann, polyphase };

/**
 * Samples at rate `to`; method "refuse" takes no other rate. Sets frame.rate.
 *
 * @param {Tensor} value
 * @param {Frame} frame
 * @param {{to: number, method: string}} options
 * @returns {Tensor}
 */
export function resample(value, frame, { to, method }) {
  const rate = Math.trunc(frame.rate ?? NaN);
  if (rate === to) return value;
  const filterOf = METHODS[method];
  if (filterOf === undefined) {
    throw new Refused(`the recording has ${rate} samples a second, expected ${to}`);
  }
  const shared = divisor(rate, to);
  if (Math.max(rate, to) / shared > MOST) {
    throw new Refused(
      `${rate} samples a second cannot become ${to} with a filter of a sane size; ` +
        `expected ${to}, or a usual rate such as 44100 or 48000`,
    );
  }
  frame.rate = to;
  const [down, up] = [rate / shared, to / shared];
  return filtered(value, down, up, filterOf(down, up));
}

/**
 * The greatest common divisor.
 *
 * @param {number} a
 * @param {number} b
 * @returns {number}
 */
function divisor(a, b) {
  return b === 0 ? a : divisor(b, a % b);
}

/**
 * A sinc under a Hann window of six zero crossings a side, rolled off at 0.99 of the band.
 *
 * @param {number} down
 * @param {number} up
 * @returns {Filter}
 */
function sincHann(down, up) {
  const band = (0.99 * Math.min(down, up)) / down;
  const weight = (/** @type {number} */ distance) => {
    const crossings = Math.max(-6, Math.min(6, distance * band));
    return sinc(crossings) * Math.cos(crossings * (Math.PI / 12)) ** 2 * band;
  };
  return { reach: Math.ceil((6 * down) / (0.99 * Math.min(down, up))), weight };
}

/**
 * A low-pass by the window method: Kaiser, beta 5, ten periods of the lower rate a side.
 *
 * @param {number} down
 * @param {number} up
 * @returns {Filter}
 */
function polyphase(down, up) {
  const most = Math.max(down, up);
  const half = 10 * most;
  const whole = Float64Array.from({ length: 2 * half + 1 }, (_, i) => {
    const place = (i - half) / half;
    const kaiser = bessel(5 * Math.sqrt(Math.max(0, 1 - place * place))) / bessel(5);
    return sinc((i - half) / most) * kaiser;
  });
  const gain = up / whole.reduce((sum, one) => sum + one, 0);
  const weight = (/** @type {number} */ distance) =>
    gain * (whole[Math.round(distance * up) + half] ?? 0);
  return { reach: Math.floor((10 * most) / up) + 1, weight };
}

/** @param {number} x */
function sinc(x) {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/**
 * The modified Bessel function of order zero, by its series; of arguments up to some ten.
 *
 * @param {number} x
 */
function bessel(x) {
  let [sum, term] = [1, 1];
  for (let k = 1; term > 1e-17 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

/**
 * Output n lies at n * down / up: a whole number of input samples, and one of `up` phases.
 *
 * @param {Tensor} value
 * @param {number} down
 * @param {number} up
 * @param {Filter} filter
 */
function filtered(value, down, up, filter) {
  const { outer, along } = around(value.shape, -1);
  const count = Math.ceil((along * up) / down);
  const given = floats(value);
  const out = new Float32Array(outer * count);
  const table = tableOf(Math.min(up, count), down, up, filter);
  const wide = 2 * filter.reach + 2;
  for (let o = 0; o < outer; o++) {
    const row = given.subarray(o * along, (o + 1) * along);
    for (let n = 0; n < count; n++) {
      const first = Math.floor((n * down) / up) - filter.reach;
      const weights = (n % up) * wide - first;
      const end = Math.min(along, first + wide);
      let sum = 0;
      for (let i = Math.max(0, first); i < end; i++)
        sum += (row[i] ?? 0) * (table[weights + i] ?? 0);
      out[o * count + n] = sum;
    }
  }
  return tensor("float32", [...value.shape.slice(0, -1), count], out);
}

/**
 * The weights of 2 reach + 2 samples around each phase.
 *
 * @param {number} phases
 * @param {number} down
 * @param {number} up
 * @param {Filter} filter
 */
function tableOf(phases, down, up, { reach, weight }) {
  const wide = 2 * reach + 2;
  const table = new Float64Array(phases * wide);
  for (let phase = 0; phase < phases; phase++) {
    const between = ((phase * down) % up) / up;
    for (let i = 0; i < wide; i++) table[phase * wide + i] = weight(i - reach - between);
  }
  return table;
}
