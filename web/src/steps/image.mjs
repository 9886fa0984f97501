/**
 * From pixels to the model's tensor: crop, pad, exchange channels, scale, lay out.
 *
 * In: [height, width, channels], of whatever dtype the step before gave. A photo becomes pixels in
 * decode_image.mjs, and is made larger or smaller in resize.mjs.
 *
 * @typedef {import("./arrays.mjs").Tensor} Tensor
 * @typedef {import("./arrays.mjs").Frame} Frame
 */

import { cast, evenly, floats, like, tensor } from "./arrays.mjs";
import { Refused } from "./refused.mjs";

/**
 * The middle of the image; where it is too small, zeros around it first.
 *
 * @param {Tensor} value
 * @param {Frame} frame
 * @param {{size: number[]}} options
 * @returns {Tensor}
 */
export function crop(value, frame, { size }) {
  const [height, width] = sides(value);
  const [tall, wide] = pair(size);
  const [top, left] = [begin(height, tall), begin(width, wide)];
  moved(frame, -left, -top);
  return placed(value, tall, wide, -top, -left, 0);
}

/**
 * Which of the old rows is the first of the new ones; below 0 where there are too few.
 *
 * @param {number} ours
 * @param {number} size
 */
function begin(ours, size) {
  const missing = Math.max(0, size - ours);
  const before = Math.floor(missing / 2);
  return evenly((ours + missing - size) / 2) - before;
}

/**
 * The image on a larger ground, in its middle or in its top left corner. Throws Refused.
 *
 * @param {Tensor} value
 * @param {Frame} frame
 * @param {{to: number[], value: number, at: string}} options
 * @returns {Tensor}
 */
export function pad(value, frame, { to, value: ground, at }) {
  const [height, width] = sides(value);
  const [tall, wide] = pair(to);
  if (tall < height || wide < width) {
    throw new Refused(`the image is ${width} x ${height}, larger than ${wide} x ${tall}`, 413);
  }
  const centre = at === "centre";
  const top = centre ? Math.floor((tall - height) / 2) : 0;
  const left = centre ? Math.floor((wide - width) / 2) : 0;
  moved(frame, left, top);
  return placed(value, tall, wide, top, left, ground);
}

/**
 * The channels in another order: [2, 1, 0] is BGR.
 *
 * @param {Tensor} value
 * @param {Frame} _frame
 * @param {{order: number[]}} options
 * @returns {Tensor}
 */
export function channels(value, _frame, { order }) {
  const [height, width, old] = sides(value);
  const made = like(value.data, height * width * order.length);
  for (let pixel = 0, to = 0; pixel < height * width; pixel += 1) {
    for (const channel of order) made[to++] = item(value.data[pixel * old + channel]);
  }
  return tensor(value.dtype, [height, width, order.length], made);
}

/**
 * (value * by - mean) / std for each channel, in float32; then as `dtype`.
 *
 * @param {Tensor} value
 * @param {Frame} _frame
 * @param {{by: number, mean: number[], std: number[], dtype: string}} options
 * @returns {Tensor}
 */
export function scale(value, _frame, { by, mean, std, dtype }) {
  const depth = sides(value)[2];
  const factor = Math.fround(by);
  const given = floats(value);
  const made = new Float32Array(given.length);
  for (let c = 0; c < depth; c += 1) {
    const less = Math.fround(item(mean[mean.length === 1 ? 0 : c]));
    const over = Math.fround(item(std[std.length === 1 ? 0 : c]));
    for (let at = c; at < given.length; at += depth) {
      const level = Math.fround(item(given[at]) * factor);
      made[at] = Math.fround(level - less) / over;
    }
  }
  return tensor(dtype, [...value.shape], dtype === "float32" ? made : cast(made, dtype));
}

/**
 * The axes as the model has them: "nchw", "nhwc", "chw" or "hwc"; n is 1.
 *
 * @param {Tensor} value
 * @param {Frame} _frame
 * @param {{order: string}} options
 * @returns {Tensor}
 */
export function layout(value, _frame, { order }) {
  const [height, width, depth] = sides(value);
  const many = order.startsWith("n") ? [1] : [];
  if (!order.endsWith("chw")) {
    return tensor(value.dtype, [...many, height, width, depth], value.data);
  }
  const area = height * width;
  const made = like(value.data, value.data.length);
  for (let c = 0; c < depth; c += 1) {
    for (let at = 0; at < area; at += 1) made[c * area + at] = item(value.data[at * depth + c]);
  }
  return tensor(value.dtype, [...many, depth, height, width], made);
}

/**
 * An image put on a ground of another size; what does not fit is cut off.
 *
 * @param {Tensor} value
 * @param {number} tall
 * @param {number} wide
 * @param {number} top where its first row comes to lie, which may be outside
 * @param {number} left
 * @param {number} ground
 * @returns {Tensor}
 */
function placed(value, tall, wide, top, left, ground) {
  const [height, width, depth] = sides(value);
  const made = like(value.data, tall * wide * depth);
  if (ground) /** @type {any} */ (made).fill(cast([ground], value.dtype)[0]);
  const [from, end] = [Math.max(0, -left), Math.min(width, wide - left)];
  for (let y = Math.max(0, -top); y < Math.min(height, tall - top) && from < end; y += 1) {
    const row = value.data.subarray((y * width + from) * depth, (y * width + end) * depth);
    /** @type {any} */ (made).set(row, ((y + top) * wide + from + left) * depth);
  }
  return tensor(value.dtype, [tall, wide, depth], made);
}

/**
 * @param {Frame} frame
 * @param {number} right
 * @param {number} down
 */
function moved(frame, right, down) {
  const [sx, sy, ox, oy] = frame.to_model ?? [];
  frame.to_model = [item(sx), item(sy), item(ox) + right, item(oy) + down];
}

/** @param {Tensor} value @returns {[number, number, number]} */
function sides({ shape }) {
  if (shape.length !== 3) throw new TypeError(`an image has three axes, not [${shape.join(", ")}]`);
  return /** @type {[number, number, number]} */ (shape);
}

/** @param {number[]} size @returns {[number, number]} */
function pair(size) {
  return /** @type {[number, number]} */ (size);
}

/**
 * @template T
 * @param {T | undefined} value that is there
 */
function item(value) {
  return /** @type {T} */ (value);
}
