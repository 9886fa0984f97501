/**
 * Pillow's resize of 8-bit images, to the bit: weights in whole numbers, one side at a time.
 *
 * In: uint8 [height, width, channels]. Out: the same at the new size. What is between the two sides
 * is rounded, so that their order can be seen in the answer.
 *
 * @typedef {import("./arrays.mjs").Tensor} Tensor
 * @typedef {{many: number, first: Int32Array, count: Int32Array, weights: Int32Array}} Whole
 *   of each new row: its first old one, how many there are, and `many` weights, as whole numbers
 */

import { tensor } from "./arrays.mjs";

/** Bits of a weight after the point: with 8 of a level, a sum just fits into 32. */
const BITS = 22;

/** @type {Record<string, [number, (x: number) => number]>} how far it reaches, and its weight */
const KERNELS = {
  area: [0.5, (x) => (x > -0.5 && x <= 0.5 ? 1 : 0)],
  bilinear: [1, (x) => Math.max(0, 1 - Math.abs(x))],
  bicubic: [2, bicubic],
};

/**
 * @param {Tensor} value
 * @param {number} tall
 * @param {number} wide
 * @param {string} interpolation
 * @param {string} passes
 * @returns {Tensor}
 */
export function byPillow(value, tall, wide, interpolation, passes) {
  const [height, width] = /** @type {[number, number, number]} */ (value.shape);
  const axes = heightFirst(passes, height, width, tall, wide) ? [0, 1] : [1, 0];
  return axes.reduce((image, axis) => onePass(image, axis, axis ? wide : tall, interpolation), value);
}

/**
 * Whether Pillow begins with the height: "width" (up to 12.1) never, "12.2" where the image is over
 * 100 times as tall as wide, "13" where it loses over twice as many rows as columns.
 *
 * @param {string} passes
 * @param {number} height
 * @param {number} width
 * @param {number} tall
 * @param {number} wide
 */
function heightFirst(passes, height, width, tall, wide) {
  const [rows, columns] = [height - tall, width - wide];
  if (passes === "12.2") return rows > 0 && height > 100 * width;
  return passes === "13" && rows > 0 && rows > 2 * columns;
}

/**
 * @param {Tensor} image
 * @param {number} axis
 * @param {number} made
 * @param {string} interpolation
 * @returns {Tensor}
 */
function onePass(image, axis, made, interpolation) {
  const [height, width, depth] = /** @type {[number, number, number]} */ (image.shape);
  const old = axis ? width : height;
  if (old === made) return image;
  const data = /** @type {Uint8Array} */ (image.data);
  const shape = axis ? [height, made, depth] : [made, width, depth];
  const weights = interpolation === "nearest" ? nearest(old, made) : whole(old, made, interpolation);
  const pixels = axis ? columns(data, height, width, depth, weights) : rows(data, width * depth, weights);
  return tensor("uint8", shape, pixels);
}

/**
 * The place is summed up, step by step, as there: multiplied, it would differ now and then.
 *
 * @param {number} old
 * @param {number} made
 * @returns {Whole}
 */
function nearest(old, made) {
  const step = old / made;
  const first = new Int32Array(made);
  for (let i = 0, place = step * 0.5; i < made; i += 1, place += step) {
    first[i] = Math.min(Math.trunc(place), old - 1);
  }
  const ones = new Int32Array(made).fill(1);
  return { many: 1, first, count: ones, weights: ones.map(() => 1 << BITS) };
}

/**
 * @param {number} old
 * @param {number} made
 * @param {string} interpolation
 * @returns {Whole}
 */
function whole(old, made, interpolation) {
  const kernel = KERNELS[interpolation];
  if (kernel === undefined) throw new TypeError(`no interpolation is named "${interpolation}"`);
  const [reach, weigh] = kernel;
  const ratio = old / made;
  const spread = Math.max(ratio, 1);
  const support = reach * spread;
  const many = Math.ceil(support) * 2 + 1;
  const [first, count] = [new Int32Array(made), new Int32Array(made)];
  const weights = new Int32Array(made * many);
  for (let i = 0; i < made; i += 1) {
    const centre = (i + 0.5) * ratio;
    const begin = Math.max(Math.trunc(centre - support + 0.5), 0);
    const end = Math.min(Math.trunc(centre + support + 0.5), old);
    const own = Array.from({ length: end - begin }, (_, t) => weigh((t + begin - centre + 0.5) * (1 / spread)));
    const sum = own.reduce((so, weight) => so + weight, 0);
    first[i] = begin;
    count[i] = end - begin;
    weights.set(own.map((weight) => fixed(sum === 0 ? weight : weight / sum)), i * many);
  }
  return { many, first, count, weights };
}

/** @param {number} weight */
function fixed(weight) {
  return Math.trunc(weight * (1 << BITS) + (weight < 0 ? -0.5 : 0.5));
}

/** @param {number} away */
function bicubic(away) {
  const [x, a] = [Math.abs(away), -0.5];
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

/**
 * @param {Uint8Array} data
 * @param {number} height
 * @param {number} width
 * @param {number} depth
 * @param {Whole} by
 */
function columns(data, height, width, depth, by) {
  const made = by.first.length;
  const pixels = new Uint8ClampedArray(height * made * depth);
  const row = depth === 3 ? threeColumns : anyColumns;
  for (let y = 0; y < height; y += 1) row(data, y * width, depth, by, pixels, y * made * depth);
  return new Uint8Array(pixels.buffer);
}

/**
 * One row of pixels of three channels: what nearly every photo has, in half the time.
 *
 * @param {Uint8Array} data
 * @param {number} start
 * @param {number} _depth
 * @param {Whole} by
 * @param {Uint8ClampedArray} pixels
 * @param {number} to
 */
function threeColumns(data, start, _depth, { many, first, count, weights }, pixels, to) {
  for (let i = 0; i < first.length; i += 1) {
    let at = (start + Number(first[i])) * 3;
    let r = 1 << (BITS - 1);
    let g = r;
    let b = r;
    for (let w = i * many, end = w + Number(count[i]); w < end; w += 1, at += 3) {
      const weight = /** @type {number} */ (weights[w]);
      r += Math.imul(/** @type {number} */ (data[at]), weight);
      g += Math.imul(/** @type {number} */ (data[at + 1]), weight);
      b += Math.imul(/** @type {number} */ (data[at + 2]), weight);
    }
    pixels[to++] = r >> BITS;
    pixels[to++] = g >> BITS;
    pixels[to++] = b >> BITS;
  }
}

/**
 * @param {Uint8Array} data
 * @param {number} start
 * @param {number} depth
 * @param {Whole} by
 * @param {Uint8ClampedArray} pixels
 * @param {number} to
 */
function anyColumns(data, start, depth, { many, first, count, weights }, pixels, to) {
  for (let i = 0; i < first.length; i += 1) {
    for (let c = 0; c < depth; c += 1) {
      let at = (start + Number(first[i])) * depth + c;
      let sum = 1 << (BITS - 1);
      for (let w = i * many, end = w + Number(count[i]); w < end; w += 1, at += depth) {
        sum += Math.imul(/** @type {number} */ (data[at]), /** @type {number} */ (weights[w]));
      }
      pixels[to++] = sum >> BITS;
    }
  }
}

/**
 * @param {Uint8Array} data
 * @param {number} line
 * @param {Whole} by
 */
function rows(data, line, { many, first, count, weights }) {
  const made = first.length;
  const pixels = new Uint8ClampedArray(made * line);
  const sums = new Int32Array(line);
  for (let i = 0; i < made; i += 1) {
    sums.fill(1 << (BITS - 1));
    for (let t = 0; t < Number(count[i]); t += 1) {
      const weight = Number(weights[i * many + t]);
      const from = (Number(first[i]) + t) * line;
      for (let x = 0; x < line; x += 1) {
        const level = /** @type {number} */ (data[from + x]);
        sums[x] = /** @type {number} */ (sums[x]) + Math.imul(level, weight);
      }
    }
    for (let x = 0; x < line; x += 1) pixels[i * line + x] = Number(sums[x]) >> BITS;
  }
  return new Uint8Array(pixels.buffer);
}
