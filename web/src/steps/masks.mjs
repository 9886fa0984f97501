/**
 * Masks: from scores of each pixel to the class of each pixel, on the photo as it was sent.
 *
 * @typedef {import("./arrays.mjs").Tensors} Tensors
 * @typedef {import("./arrays.mjs").Frame} Frame
 */

import { around, floats, like, named, tensor } from "./arrays.mjs";

/** Of a pixel: rounding must not decide where a centre lies on the border of two pixels. */
const SLACK = 1e-6;

/**
 * The class of the largest score along `axis`, uint8: of equal ones the lower, NaN never.
 *
 * @param {Tensors} tensors
 * @param {string} of
 * @param {Frame} _frame
 * @param {{axis: number}} options
 */
export function argmax(tensors, of, _frame, { axis }) {
  const given = named(tensors, of);
  const scores = floats(given);
  const { at, outer, along, inner } = around(given.shape, axis);
  const classes = new Uint8Array(outer * inner);
  const best = new Float32Array(inner);
  for (let o = 0; o < outer; o += 1) {
    best.fill(-Infinity);
    for (let i = 0; i < along; i += 1) {
      const from = (o * along + i) * inner;
      for (let n = 0; n < inner; n += 1) {
        const score = Number(scores[from + n]);
        if (!(score > Number(best[n]))) continue;
        best[n] = score;
        classes[o * inner + n] = i;
      }
    }
  }
  tensors[of] = tensor("uint8", given.shape.filter((_, axis) => axis !== at), classes);
}

/**
 * 1 where the only score along `axis` is above `at`, else 0; uint8.
 *
 * @param {Tensors} tensors
 * @param {string} of
 * @param {Frame} _frame
 * @param {{axis: number, at: number}} options
 */
export function above(tensors, of, _frame, { axis, at: limit }) {
  const given = named(tensors, of);
  const { at, along } = around(given.shape, axis);
  if (along !== 1) throw new TypeError(`"${of}" has ${along} scores of each pixel, not 1`);
  const least = Math.fround(limit);
  const mask = Uint8Array.from(floats(given), (score) => (score > least ? 1 : 0));
  tensors[of] = tensor("uint8", given.shape.filter((_, axis) => axis !== at), mask);
}

/**
 * [1, h, w] of what the model saw -> [1, height, width] of the photo.
 *
 * A pixel takes the class at its own centre, on a border the later one; a pixel that the model did
 * not see, that of the nearest that it saw. `size` is what the model saw, where the mask is of
 * another size.
 *
 * @param {Tensors} tensors
 * @param {string} of
 * @param {Frame} frame
 * @param {{size: number[] | null}} options
 */
export function resize_mask(tensors, of, frame, { size }) {
  const mask = named(tensors, of);
  const [many, have, across] = /** @type {[number, number, number]} */ (mask.shape);
  const [height, width] = /** @type {[number, number]} */ (frame.size);
  const [sx, sy, ox, oy] = /** @type {[number, number, number, number]} */ (frame.to_model);
  const [tall, wide] = /** @type {[number, number]} */ (size ?? [have, across]);
  const rows = nearest(height, sy, oy, have, tall);
  const columns = nearest(width, sx, ox, across, wide);
  const made = like(mask.data, many * height * width);
  let to = 0;
  for (let n = 0; n < many; n += 1) {
    for (const row of rows) {
      const start = (n * have + row) * across;
      for (let x = 0; x < width; x += 1) {
        made[to++] = /** @type {never} */ (mask.data[start + Number(columns[x])]);
      }
    }
  }
  tensors[of] = tensor(mask.dtype, [many, height, width], made);
}

/**
 * @param {number} count
 * @param {number} by
 * @param {number} offset
 * @param {number} have
 * @param {number} saw
 */
function nearest(count, by, offset, have, saw) {
  return Int32Array.from({ length: count }, (_, i) => {
    const centre = ((i + 0.5) * by + offset) * (have / saw);
    return Math.min(Math.max(Math.floor(centre + SLACK), 0), have - 1);
  });
}
