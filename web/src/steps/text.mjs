/**
 * Text: from scores of each step in time to the tokens that were said.
 *
 * @typedef {import("./arrays.mjs").Tensors} Tensors
 * @typedef {import("./arrays.mjs").Frame} Frame
 */

import { around, floats, named, tensor } from "./arrays.mjs";

/**
 * The best token of each step, repeats once, blanks never: int64 [tokens].
 *
 * `time` is the axis of time, 1 in [1, steps, tokens] and 0 in [steps, 1, tokens]. Of equal scores
 * the lower token is taken; one that is no number is worth less than any other.
 *
 * @param {Tensors} tensors
 * @param {string} of
 * @param {Frame} _frame
 * @param {{blank: number, time: number}} options
 */
export function ctc(tensors, of, _frame, { blank, time }) {
  const given = named(tensors, of);
  const items = given.shape[1 - time];
  if (items !== 1) throw new RangeError(`text is read from one item, not from ${items}`);
  const scores = floats(given);
  const { outer: steps, along } = around(given.shape, -1);
  /** @type {bigint[]} */
  const said = [];
  let before = -1;
  for (let step = 0; step < steps; step++) {
    const token = best(scores, step * along, along);
    if (token !== before && token !== blank) said.push(BigInt(token));
    before = token;
  }
  tensors[of] = tensor("int64", [said.length], BigInt64Array.from(said));
}

/**
 * The place of the largest of `along` scores, the first of equal ones.
 *
 * @param {Float32Array} scores
 * @param {number} start
 * @param {number} along
 */
function best(scores, start, along) {
  let found = 0;
  let most = -Infinity;
  for (let i = 0; i < along; i++) {
    const score = scores[start + i] ?? NaN;
    if (score > most) [found, most] = [i, score];
  }
  return found;
}
