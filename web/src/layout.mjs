/**
 * Tensors laid out otherwise: axes in another order, rows taken out, pieces put together.
 *
 * @typedef {import("./records.js").Data} Data
 * @typedef {import("./records.js").Tensor} Tensor
 */

import { ARRAYS, around } from "./steps/arrays.mjs";

/**
 * Rows along an axis: where that is a product, a row is several elements wide.
 *
 * @param {Tensor} tensor
 * @param {number | null} axis
 * @param {number} whole how many rows there are
 * @param {readonly number[]} rows
 * @returns {Tensor}
 */
export function taken(tensor, axis, whole, rows) {
  if (axis === null) return tensor;
  const { outer, along, inner } = around(tensor.shape, axis);
  const width = (along / whole) * inner;
  const data = empty(tensor.dtype, outer * width * rows.length);
  for (let o = 0, to = 0; o < outer; o++) {
    for (const row of rows) {
      const from = o * along * inner + row * width;
      data.set(/** @type {any} */ (tensor.data.subarray(from, from + width)), to);
      to += width;
    }
  }
  return { dtype: tensor.dtype, shape: resized(tensor.shape, axis, (along / whole) * rows.length), data };
}

/**
 * @param {readonly Tensor[]} pieces
 * @param {number} axis
 * @returns {Tensor}
 */
export function joined(pieces, axis) {
  const first = /** @type {Tensor} */ (pieces[0]);
  if (pieces.length === 1) return first;
  const total = pieces.reduce((sum, piece) => sum + (piece.shape[axis] ?? 0), 0);
  const shape = resized(first.shape, axis, total);
  const { outer, inner } = around(shape, axis);
  const data = empty(first.dtype, outer * total * inner);
  for (let o = 0, to = 0; o < outer; o++) {
    for (const piece of pieces) {
      const width = (piece.shape[axis] ?? 0) * inner;
      data.set(/** @type {any} */ (piece.data.subarray(o * width, (o + 1) * width)), to);
      to += width;
    }
  }
  return { dtype: first.dtype, shape, data };
}

/**
 * Its axes in another order; the very same tensor where there is none.
 *
 * @param {Tensor} tensor
 * @param {readonly number[] | null} axes
 * @returns {Tensor}
 */
export function permuted(tensor, axes) {
  if (axes === null || axes.every((axis, index) => axis === index)) return tensor;
  const strides = tensor.shape.map((_, i) => tensor.shape.slice(i + 1).reduce((all, size) => all * size, 1));
  const shape = axes.map((axis) => tensor.shape[axis] ?? 1);
  const steps = axes.map((axis) => strides[axis] ?? 1);
  const data = /** @type {any} */ (empty(tensor.dtype, tensor.data.length));
  const at = shape.map(() => 0);
  for (let to = 0, from = 0; to < data.length; to++) {
    data[to] = tensor.data[from];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const [index, size, step] = [(at[axis] ?? 0) + 1, shape[axis] ?? 1, steps[axis] ?? 0];
      from += step;
      at[axis] = index;
      if (index < size) break;
      from -= step * size;
      at[axis] = 0;
    }
  }
  return { dtype: tensor.dtype, shape, data };
}

/**
 * @param {string} dtype
 * @param {number} length
 * @returns {Data}
 */
function empty(dtype, length) {
  return new (ARRAYS[/** @type {keyof typeof ARRAYS} */ (dtype)])(length);
}

/**
 * @param {readonly number[]} shape
 * @param {number} axis
 * @param {number} size
 */
function resized(shape, axis, size) {
  return shape.map((old, index) => (index === axis ? size : old));
}
