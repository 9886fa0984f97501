/**
 * Scores of classes: [rows, classes] in, probabilities, the best few or those above a limit out.
 *
 * A score that is no number is worth less than any other, and of equal ones the lower index is
 * first.
 *
 * @typedef {import("./arrays.mjs").Tensors} Tensors
 * @typedef {import("./arrays.mjs").Frame} Frame
 */

import { around, floats, named, tensor } from "./arrays.mjs";

/**
 * Probabilities that sum to 1 along `axis`, float32.
 *
 * @param {Tensors} tensors
 * @param {string} of
 * @param {Frame} _frame
 * @param {{axis: number}} options
 */
export function softmax(tensors, of, _frame, { axis }) {
  const given = named(tensors, of);
  const { outer, along, inner } = around(given.shape, axis);
  const powers = floats(given).slice();
  for (let o = 0; o < outer; o++) {
    for (let n = 0; n < inner; n++) share(powers, o * along * inner + n, along, inner);
  }
  tensors[of] = tensor("float32", given.shape, powers);
}

/**
 * One row of logits becomes probabilities, in place.
 *
 * @param {Float32Array} row
 * @param {number} start
 * @param {number} along
 * @param {number} stride
 */
function share(row, start, along, stride) {
  const end = start + along * stride;
  let most = -Infinity;
  // NaN is above everything here, so that it reaches the whole row.
  for (let i = start; i < end; i += stride) most = Math.max(most, row[i] ?? NaN);
  let sum = 0;
  for (let i = start; i < end; i += stride) {
    row[i] = Math.exp(Math.fround((row[i] ?? NaN) - most));
    sum += row[i] ?? NaN;
  }
  for (let i = start; i < end; i += stride) row[i] = (row[i] ?? NaN) / sum;
}

/**
 * A probability for each element by itself, float32.
 *
 * @param {Tensors} tensors
 * @param {string} of
 */
export function sigmoid(tensors, of) {
  const given = named(tensors, of);
  const chances = floats(given).map((x) => 1 / Math.fround(1 + Math.fround(Math.exp(-x))));
  tensors[of] = tensor("float32", given.shape, chances);
}

/**
 * The `k` largest of each row: `<of>.scores` float32 and `<of>.indices` int64, [rows, k].
 *
 * @param {Tensors} tensors
 * @param {string} of
 * @param {Frame} _frame
 * @param {{k: number}} options
 */
export function top_k(tensors, of, _frame, { k }) {
  const given = named(tensors, of);
  const scores = floats(given);
  const { outer, along } = around(given.shape, -1);
  const kept = Math.min(k, along);
  const best = new Float32Array(outer * kept);
  const indices = new BigInt64Array(outer * kept);
  for (let o = 0; o < outer; o++) {
    const row = scores.subarray(o * along, (o + 1) * along);
    descending(row)
      .slice(0, kept)
      .forEach((index, place) => {
        best[o * kept + place] = row[index] ?? NaN;
        indices[o * kept + place] = BigInt(index);
      });
  }
  const shape = [...given.shape.slice(0, -1), kept];
  delete tensors[of];
  tensors[`${of}.scores`] = tensor("float32", shape, best);
  tensors[`${of}.indices`] = tensor("int64", shape, indices);
}

/**
 * Scores that are not above `at` become 0, those that are no number too; float32.
 *
 * @param {Tensors} tensors
 * @param {string} of
 * @param {Frame} _frame
 * @param {{at: number}} options
 */
export function threshold(tensors, of, _frame, { at }) {
  const given = named(tensors, of);
  const limit = Math.fround(at);
  const above = floats(given).map((score) => (score > limit ? score : 0));
  tensors[of] = tensor("float32", given.shape, above);
}

/**
 * The order of some scores: largest first, of equal ones the lower index.
 *
 * @param {ArrayLike<number>} scores
 * @returns {number[]}
 */
export function descending(scores) {
  const worth = Float64Array.from(scores, (score) => (score === score ? score : -Infinity));
  // Sorting is stable. Two infinities differ by NaN, which counts as equal.
  return Array.from(worth, (_, i) => i).sort((a, b) => (worth[b] ?? 0) - (worth[a] ?? 0));
}
