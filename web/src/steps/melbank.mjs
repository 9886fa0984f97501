/**
 * The log-mel spectrogram and what it is made of: window, mel filters, decibels.
 *
 * In: samples [..., n]. Out: float32 [..., time, mels]. Computed in float64 throughout, since a
 * logarithm makes differences between quiet bins large.
 *
 * @typedef {import("./arrays.mjs").Tensor} Tensor
 * @typedef {import("./arrays.mjs").Frame} Frame
 * @typedef {{rate: number, n_fft: number, mels: number, fmin: number, fmax: number, scale: string,
 *   norm: string | null}} Bank
 * @typedef {Bank & {win: number, hop: number, window: string, fft_pad: string, center: boolean,
 *   pad_mode: string, drop_last: boolean, power: number, log: string, add: number, floor: number,
 *   top_db: number | null}} Options
 * @typedef {{first: number, weights: Float64Array}} Filter from the first bin that it weighs
 */

import { around, numbers, tensor } from "./arrays.mjs";
import { spectrumOf } from "./fft.mjs";

/** Slaney's scale: so many Hz a mel up to 1 kHz; above, 27 mels for a factor of 6.4. */
const LINEAR = 200 / 3;
const BREAK = 1000;
/** @type {Record<string, [number, number]>} */
const WINDOWS = { hann: [0.5, 0.5], hamming: [0.54, 0.46], ones: [1, 0] };

/**
 * The spectrogram [..., time, mels]; `windowOf` and `melFilters` say what the options are.
 *
 * @param {Tensor} value
 * @param {Frame} _frame
 * @param {Options} options
 * @returns {Tensor}
 */
export function log_mel(value, _frame, options) {
  const size = options.fft_pad === "both" ? options.n_fft : options.win;
  const half = options.center ? Math.floor(size / 2) : 0;
  const { outer, along } = around(value.shape, -1);
  const made = Math.floor((along + 2 * half - size) / options.hop) + 1;
  const time = Math.max(0, options.drop_last ? made - 1 : made);
  const given = numbers(value);
  const energies = new Float64Array(outer * time * options.mels);
  const energiesOf = analyser(size, options);
  for (let o = 0; o < outer; o++) {
    const row = Float64Array.from(given.subarray(o * along, (o + 1) * along));
    const x = padded(row, half, half, options.pad_mode);
    for (let t = 0; t < time; t++) {
      const frame = x.subarray(t * options.hop, t * options.hop + size);
      energiesOf(frame, energies.subarray((o * time + t) * options.mels));
    }
  }
  const shape = [...value.shape.slice(0, -1), time, options.mels];
  return tensor("float32", shape, Float32Array.from(logarithm(energies, options)));
}

/**
 * What writes the energies of a frame in each mel.
 *
 * @param {number} size
 * @param {Options} options
 * @returns {(frame: Float64Array, out: Float64Array) => void}
 */
function analyser(size, options) {
  const window = windowOf(size, options.win, options.window);
  const filters = melFilters(options);
  const transform = spectrumOf(options.n_fft);
  const windowed = new Float64Array(options.n_fft);
  const powers = new Float64Array(1 + Math.floor(options.n_fft / 2));
  return (frame, out) => {
    for (let i = 0; i < size; i++) windowed[i] = (frame[i] ?? 0) * (window[i] ?? 0);
    const { re, im } = transform(windowed);
    for (let bin = 0; bin < powers.length; bin++) {
      const energy = (re[bin] ?? 0) ** 2 + (im[bin] ?? 0) ** 2;
      powers[bin] = options.power === 2 ? energy : energy ** (options.power / 2);
    }
    filters.forEach(({ first, weights }, mel) => {
      let sum = 0;
      for (let i = 0; i < weights.length; i++) sum += (weights[i] ?? 0) * (powers[first + i] ?? 0);
      out[mel] = sum;
    });
  };
}

/**
 * Samples with `before` and `after` more; "reflect" does not repeat the edge, "constant" is silence.
 *
 * @template {Float32Array | Float64Array} T
 * @param {T} x
 * @param {number} before
 * @param {number} after
 * @param {string} mode
 * @returns {T}
 */
export function padded(x, before, after, mode) {
  const Kind = /** @type {new (size: number) => T} */ (x.constructor);
  const out = new Kind(before + x.length + after);
  out.set(x, before);
  if (mode !== "reflect") return out;
  const period = Math.max(1, 2 * (x.length - 1));
  const mirror = (/** @type {number} */ at) => {
    const there = (((at - before) % period) + period) % period;
    out[at] = x[Math.min(there, period - there)] ?? x[0] ?? 0;
  };
  for (let at = 0; at < before; at++) mirror(at);
  for (let at = before + x.length; at < out.length; at++) mirror(at);
  return out;
}

/**
 * A periodic window of `win` samples in the middle of `size`.
 *
 * @param {number} size
 * @param {number} win
 * @param {string} name
 */
export function windowOf(size, win, name) {
  const [level, swing] = WINDOWS[name] ?? [NaN, NaN];
  const window = new Float64Array(size);
  const left = Math.floor((size - win) / 2);
  for (let i = 0; i < win; i++) {
    window[left + i] = level - swing * Math.cos((2 * Math.PI * i) / win);
  }
  return window;
}

/**
 * Triangles, evenly spaced in mels; norm "slaney": each of area 1. Only what is above zero is kept.
 *
 * @param {Bank} options
 * @returns {Filter[]}
 */
export function melFilters({ rate, n_fft, mels, fmin, fmax, scale, norm }) {
  const [lowest, highest] = [toMel(fmin, scale), toMel(fmax, scale)];
  const step = (highest - lowest) / (mels + 1);
  const corners = Array.from({ length: mels + 2 }, (_, i) =>
    fromMel(i === mels + 1 ? highest : lowest + i * step, scale),
  );
  return Array.from({ length: mels }, (_, i) => {
    const [low = NaN, peak = NaN, high = NaN] = corners.slice(i, i + 3);
    const area = norm === "slaney" ? 2 / (high - low) : 1;
    const triangle = Float64Array.from({ length: 1 + Math.floor(n_fft / 2) }, (_, bin) => {
      const hertz = bin * (rate / n_fft);
      return (
        area * Math.max(0, Math.min((hertz - low) / (peak - low), (high - hertz) / (high - peak)))
      );
    });
    const first = Math.max(
      0,
      triangle.findIndex((weight) => weight > 0),
    );
    const beyond = triangle.findIndex((weight, bin) => bin > first && weight === 0);
    return { first, weights: triangle.slice(first, beyond < 0 ? undefined : beyond) };
  });
}

/**
 * Hz to mels, on Slaney's scale or HTK's.
 *
 * @param {number} hertz
 * @param {string} scale
 */
function toMel(hertz, scale) {
  if (scale === "htk") return 2595 * Math.log10(1 + hertz / 700);
  if (hertz < BREAK) return hertz / LINEAR;
  return BREAK / LINEAR + Math.log(hertz / BREAK) * (27 / Math.log(6.4));
}

/**
 * Mels to Hz.
 *
 * @param {number} mel
 * @param {string} scale
 */
function fromMel(mel, scale) {
  if (scale === "htk") return 700 * (10 ** (mel / 2595) - 1);
  if (mel < BREAK / LINEAR) return mel * LINEAR;
  return BREAK * Math.exp((mel - BREAK / LINEAR) * (Math.log(6.4) / 27));
}

/**
 * factor * log(max(energies + add, floor)), cut off `top` below the loudest of it all.
 *
 * @param {Float64Array} energies
 * @param {Options} options
 */
function logarithm(energies, options) {
  const { log, add, floor, power, top_db } = options;
  if (log === "none") return energies;
  // A decibel is of energy, so magnitudes count twice.
  const decibel = 20 / power / Math.LN10;
  const factor = log === "ln" ? 1 : log === "db" ? decibel : 1 / Math.LN10;
  const logged = energies.map((energy) => Math.log(Math.max(energy + add, floor)) * factor);
  if (top_db === null) return logged;
  const least =
    logged.reduce((most, one) => Math.max(most, one), -Infinity) - (top_db * factor) / decibel;
  return logged.map((one) => Math.max(one, least));
}
