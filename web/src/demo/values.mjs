/**
 * The numbers of a tensor, as text that a person can change, and back. Pure: no page is needed.
 */

import { ARRAYS, fromHalf, toHalf } from "../steps/arrays.mjs";
import { plain } from "./figures.mjs";

/**
 * @typedef {import("../records.js").Tensor} Tensor
 * @typedef {import("../records.js").Data} Data
 * @typedef {keyof typeof ARRAYS} Dtype
 */

const WHOLE = /** @type {Record<string, [bigint, bigint]>} */ ({
  uint8: [0n, 255n],
  int8: [-128n, 127n],
  uint16: [0n, 65535n],
  int16: [-32768n, 32767n],
  uint32: [0n, 4294967295n],
  int32: [-2147483648n, 2147483647n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
});
const WORDS = /** @type {Record<string, number>} */ ({
  nan: NaN,
  inf: Infinity,
  infinity: Infinity,
  "-inf": -Infinity,
  "-infinity": -Infinity,
});

/**
 * A tensor of zeros.
 *
 * @param {string} dtype
 * @param {number[]} shape
 * @returns {Tensor}
 */
export function zeros(dtype, shape) {
  const Kind = ARRAYS[/** @type {Dtype} */ (dtype)];
  if (Kind === undefined) throw new TypeError(`no dtype is named "${dtype}"`);
  return { dtype, shape, data: new Kind(shape.reduce((all, size) => all * size, 1)) };
}

/**
 * A tensor of chance: floats from a normal distribution, whole numbers from 0 to 9, true or false.
 *
 * @param {string} dtype
 * @param {number[]} shape
 * @param {() => number} [draw] from 0 up to 1
 * @returns {Tensor}
 */
export function chance(dtype, shape, draw = Math.random) {
  const made = zeros(dtype, shape);
  const { data } = made;
  for (let at = 0; at < data.length; at += 1) {
    const normal = Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());
    if (dtype === "bool") put(made, at, Math.floor(draw() * 2));
    else if (dtype.startsWith("float")) put(made, at, normal);
    else put(made, at, Math.floor(draw() * 10));
  }
  return made;
}

/**
 * The numbers as text, a line for each row of the last axis.
 *
 * @param {Tensor} tensor
 * @param {number} [most] how many at most
 */
export function written(tensor, most = Infinity) {
  const across = tensor.shape[tensor.shape.length - 1] || 1;
  const shown = Math.min(tensor.data.length, most);
  let text = "";
  for (let at = 0; at < shown; at += 1) {
    if (at > 0) text += at % across === 0 ? "\n" : ", ";
    text += plain(value(tensor, at));
  }
  return text;
}

/**
 * One number of a tensor.
 *
 * @param {Tensor} tensor
 * @param {number} at
 * @returns {number | bigint | boolean}
 */
export function value({ dtype, data }, at) {
  const found = data[at] ?? 0;
  if (dtype === "bool") return found !== 0;
  return dtype === "float16" ? fromHalf(Number(found)) : found;
}

/**
 * Text as a tensor. Brackets and line ends say nothing. Throws a TypeError that names what is wrong.
 *
 * @param {string} text
 * @param {string} dtype
 * @param {number[]} shape
 * @returns {Tensor}
 */
export function parsed(text, dtype, shape) {
  const made = zeros(dtype, shape);
  const words = text.split(/[\s,;[\]()]+/).filter((word) => word !== "");
  if (words.length !== made.data.length) {
    const wanted = `[${shape.join(", ")}] holds ${made.data.length}`;
    throw new TypeError(`${words.length} values, expected ${made.data.length}: ${wanted}`);
  }
  words.forEach((word, at) => put(made, at, understood(word, dtype)));
  return made;
}

/**
 * @param {string} word
 * @param {string} dtype
 * @returns {number | bigint}
 */
function understood(word, dtype) {
  const small = word.toLowerCase();
  if (dtype === "bool") {
    if (["true", "1"].includes(small)) return 1;
    if (["false", "0"].includes(small)) return 0;
    throw new TypeError(`"${word}" is neither true nor false`);
  }
  const limits = WHOLE[dtype];
  if (limits === undefined) return decimal(word, small);
  if (!/^[+-]?\d+$/.test(word)) throw new TypeError(`"${word}" is no whole number`);
  const whole = BigInt(word);
  if (whole < limits[0] || whole > limits[1]) {
    throw new TypeError(`${word} is no ${dtype}, which goes from ${limits[0]} to ${limits[1]}`);
  }
  return whole;
}

/**
 * @param {string} word
 * @param {string} small
 */
function decimal(word, small) {
  const known = WORDS[small];
  if (known !== undefined) return known;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(word)) {
    throw new TypeError(`"${word}" is no number`);
  }
  return Number(word);
}

/**
 * @param {Tensor} tensor
 * @param {number} at
 * @param {number | bigint} given
 */
function put({ dtype, data }, at, given) {
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[at] = BigInt(given);
  else data[at] = dtype === "float16" ? toHalf(Number(given)) : Number(given);
}
