/**
 * Tables: from CSV or JSON to rows of numbers.
 *
 * In: bytes in UTF-8. JSON is told by its first sign, "[" or "{": a list of objects, one object, or
 * a list of lists in the order of the columns. Anything else is CSV. Out: float64 [rows, columns],
 * NaN where a value is missing, a category as its place in the list of them. Rows are counted from
 * 1, the header is none.
 *
 * @typedef {import("./arrays.mjs").Tensor} Tensor
 * @typedef {import("./arrays.mjs").Frame} Frame
 * @typedef {{columns: string[], categories: Record<string, (string | number | boolean)[]>,
 *   optional: string[], missing: string[], unknown: string, extra: string, header: boolean,
 *   delimiter: string, max_rows: number}} Options
 * @typedef {{names: (string | number | boolean)[], counted: boolean,
 *   places: Map<string | number, number>}} Known
 */

import { around, cast as castTo, evenly, numbers, tensor } from "./arrays.mjs";
import { Written } from "./json.mjs";
import { Refused } from "./refused.mjs";
import { listed, rowsOf, short } from "./rows.mjs";
import { strip } from "./strip.mjs";

/** What is a number in text; not "1_000", "0x10", "1,5" or "inf", whatever JavaScript makes of it. */
const NUMBER = /^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$/;

/**
 * Float64 [rows, columns]. Throws Refused, naming the row and the column.
 *
 * @param {Uint8Array} value
 * @param {Frame} _frame
 * @param {Options} options
 * @returns {Tensor}
 */
export function decode_table(value, _frame, options) {
  const { columns, categories, optional, missing, unknown, max_rows } = options;
  const rows = rowsOf(value, options);
  if (rows.length === 0) throw new Refused("the table holds no rows");
  if (rows.length > max_rows) {
    throw new Refused(`the table holds ${rows.length} rows, expected ${max_rows} at most`, 413);
  }
  const words = new Set(missing);
  const mayLack = new Set(optional);
  const known = columns.map((name) =>
    knownOf(Object.hasOwn(categories, name) ? categories[name] : undefined),
  );
  const out = new Float64Array(rows.length * columns.length);
  rows.forEach((row, i) => {
    columns.forEach((name, j) => {
      const cell = row[j] ?? null;
      const where = () => `row ${i + 1}, column '${name}'`;
      const place = known[j];
      const at = i * columns.length + j;
      if (cell === null || (typeof cell === "string" && words.has(strip(cell)))) {
        out[at] = absent(mayLack.has(name), where);
      } else {
        out[at] = place ? placeOf(cell, place, unknown, where) : numberOf(cell, where);
      }
    });
  });
  return tensor("float64", [rows.length, columns.length], out);
}

/**
 * A number for each missing value, by column; null leaves it missing.
 *
 * @param {Tensor} value
 * @param {Frame} _frame
 * @param {{values: (number | null)[]}} options
 */
export function impute(value, _frame, { values }) {
  const filled = Float64Array.from(numbers(value));
  filled.forEach((x, i) => {
    if (x !== x) filled[i] = values[i % values.length] ?? NaN;
  });
  return tensor("float64", value.shape, filled);
}

/**
 * (x - mean) / scale along the last axis, in the value's own precision.
 *
 * @param {Tensor} value
 * @param {Frame} _frame
 * @param {{mean: number[], scale: number[]}} options one number, or one for each of the axis
 */
export function standardise(value, _frame, { mean, scale }) {
  const { dtype, shape } = value;
  const own = (/** @type {ArrayLike<number>} */ several) =>
    numbers(tensor(dtype, [several.length], castTo(several, dtype)));
  const [means, scales] = [own(mean), own(scale)];
  const x = numbers(value);
  const shifted = own(x.map((one, i) => one - (means[i % means.length] ?? NaN)));
  const scaled = shifted.map((one, i) => one / (scales[i % scales.length] ?? NaN));
  return tensor(dtype, shape, castTo(scaled, dtype));
}

/**
 * A column of a category's index becomes as many columns as it has; no index: all zeros.
 *
 * The nearest index counts: a step before may have rounded otherwise, and still means this one.
 *
 * @param {Tensor} value
 * @param {Frame} _frame
 * @param {{sizes: (number | null)[]}} options
 */
export function one_hot(value, _frame, { sizes }) {
  const { outer: rows, along } = around(value.shape, -1);
  const given = numbers(value);
  const width = sizes.reduce((/** @type {number} */ all, size) => all + (size || 1), 0);
  const out = new Float64Array(rows * width);
  for (let row = 0; row < rows; row++) {
    let at = row * width;
    sizes.forEach((size, column) => {
      const x = given[row * along + column] ?? NaN;
      const code = evenly(x);
      if (!size) out[at] = x;
      else if (code >= 0 && code < size) out[at + code] = 1;
      at += size || 1;
    });
  }
  return tensor(value.dtype, [rows, width], castTo(out, value.dtype));
}

/**
 * The tensor's own dtype. Throws Refused where a value does not fit a whole number.
 *
 * @param {Tensor} value
 * @param {Frame} _frame
 * @param {{dtype: string}} options
 */
export function cast(value, _frame, { dtype }) {
  if (dtype === value.dtype) return value;
  const given = numbers(value);
  const [, unsigned, bits] = /^(u?)int(\d+)$/.exec(dtype) ?? [];
  if (bits !== undefined) {
    const most = 2 ** (Number(bits) - (unsigned ? 0 : 1));
    const wrong = given.findIndex(
      (x) => !(Number.isInteger(x) && x >= (unsigned ? 0 : -most) && x < most),
    );
    if (wrong >= 0) {
      const row = Math.floor(wrong / Math.max(1, given.length / (value.shape[0] ?? 1))) + 1;
      throw new Refused(`row ${row} holds ${given[wrong]}, expected ${dtype}`);
    }
  }
  return tensor(dtype, value.shape, castTo(given, dtype));
}

/**
 * @param {boolean} may
 * @param {() => string} where
 */
function absent(may, where) {
  if (!may) throw new Refused(`${where()}: a value is missing, and this column needs one`);
  return NaN;
}

/**
 * A JSON number or boolean, or a number written out, with blanks around it or not.
 *
 * @param {import("./json.mjs").Json} cell
 * @param {() => string} where
 */
function numberOf(cell, where) {
  const number = plain(cell);
  if (!Number.isFinite(number)) throw new Refused(`${where()}: ${short(cell)} is no number`);
  return number;
}

/** @param {import("./json.mjs").Json} cell */
function plain(cell) {
  if (cell instanceof Written) return cell.value;
  if (typeof cell === "boolean") return Number(cell);
  if (typeof cell !== "string") return NaN;
  const text = strip(cell);
  return NUMBER.test(text) ? Number(text) : NaN;
}

/**
 * @param {(string | number | boolean)[] | undefined} names
 * @returns {Known | null}
 */
function knownOf(names) {
  if (names === undefined) return null;
  const counted = names.every((name) => typeof name !== "string");
  /** @type {Known["places"]} */
  const places = new Map();
  names.forEach((name, place) => {
    const key = counted ? Number(name) : name;
    if (typeof key !== "boolean" && !places.has(key)) places.set(key, place);
  });
  return { names, counted, places };
}

/**
 * A category's place among those known; -1 for another one where that may be.
 *
 * @param {import("./json.mjs").Json} cell
 * @param {Known} known
 * @param {string} unknown
 * @param {() => string} where
 */
function placeOf(cell, { names, counted, places }, unknown, where) {
  const key = counted
    ? numberOf(cell, where)
    : typeof cell === "object"
      ? said(cell)
      : String(cell);
  const place = places.get(key);
  if (place !== undefined) return place;
  if (unknown === "zeros") return -1;
  throw new Refused(`${where()}: ${short(counted ? key : cell)} is none of ${listed(names)}`);
}

/**
 * A JSON value that is no text, as a name: a number as Python writes it; a list is nobody's name.
 *
 * @param {import("./json.mjs").Json} cell
 */
function said(cell) {
  return cell instanceof Written ? cell.toString() : "\u0000";
}
