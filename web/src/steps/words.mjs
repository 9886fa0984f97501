/**
 * The answer in words: labels and scores, boxes, a mask, a text.
 *
 * In: the steps of all outputs and the tensors that they end in. Out: what can be written as JSON,
 * or a mask as a PNG. A step "label" says what an output is, and "palette" the colours of a mask;
 * neither changes a tensor. Each number comes back bit for bit when it is read as the tensor's
 * dtype. To add a form: a function, and a line in SAYS.
 *
 * @typedef {import("./arrays.mjs").Tensor} Tensor
 * @typedef {import("./arrays.mjs").Tensors} Tensors
 * @typedef {import("./arrays.mjs").Frame} Frame
 * @typedef {import("./index.mjs").Step} Step
 * @typedef {{labels: string[] | null, zeros?: boolean, space?: string | null}} Options
 * @typedef {{colours: number[][], single: boolean}} Way
 */

import { count, fromHalf, named, numbers, toHalf } from "./arrays.mjs";
import { pngOf } from "./png.mjs";
import { descending } from "./scores.mjs";
import { strip } from "./strip.mjs";

/** @type {Record<string, (left: Tensors, of: string, options: Options, way: Way) => unknown>} */
const SAYS = { classes, boxes, mask, text };

/**
 * The answer by output. `single`: one request is one item, and a leading axis of 1 is left out.
 *
 * Tensors that no step "label" speaks of are nested lists.
 *
 * @param {readonly Step[]} steps
 * @param {Tensors} tensors
 * @param {Frame} _frame
 * @param {boolean} single
 * @returns {Promise<Record<string, any>>}
 */
export async function say(steps, tensors, _frame, single) {
  const left = { ...tensors };
  /** @type {Record<string, any>} */
  const said = {};
  for (const { op, of = "", options } of steps) {
    const form = op === "label" ? SAYS[options.says] : undefined;
    if (form === undefined) continue;
    const way = { colours: coloursOf(steps, of), single };
    said[of] = await form(left, of, /** @type {Options} */ (options), way);
  }
  for (const [name, tensor] of Object.entries(left)) said[name] = nested(tensor, single);
  return said;
}

/**
 * The content types in which the answer can be had, the most usual first.
 *
 * @param {readonly Step[]} steps
 */
export function media(steps) {
  return masksOf(steps).length === 1 ? ["application/json", "image/png"] : ["application/json"];
}

/**
 * The only mask of an answer as a PNG.
 *
 * @param {readonly Step[]} steps
 * @param {Tensors} tensors
 */
export async function picture(steps, tensors) {
  const [of = ""] = masksOf(steps);
  const { shape, data } = named(tensors, of);
  const [, height = 0, width = 0] = shape;
  const pixels = /** @type {Uint8Array} */ (data).subarray(0, height * width);
  return pngOf(pixels, height, width, coloursOf(steps, of));
}

/**
 * @param {Tensors} left
 * @param {string} of
 * @param {Options} options
 * @param {Way} way
 */
function classes(left, of, { labels, zeros }, { single }) {
  const best = left[`${of}.indices`];
  const scores = take(left, best ? `${of}.scores` : of);
  const indices = best ? numbers(take(left, `${of}.indices`)) : null;
  const [rows = 0, wide = 0] = scores.shape;
  const worth = numbers(scores);
  const said = Array.from({ length: rows }, (_, row) => {
    let order = Array.from({ length: wide }, (_, place) => place);
    if (!zeros) {
      const own = worth.subarray(row * wide, (row + 1) * wide);
      order = descending(own).filter((place) => own[place] !== 0);
    }
    return order.map((place) => {
      const at = row * wide + place;
      const index = indices ? (indices[at] ?? 0) : place;
      return { ...labelOf(labels, index), index, score: numberOf(scores, at) };
    });
  });
  return one(said, single);
}

/**
 * @param {Tensors} left
 * @param {string} of
 * @param {Options} options
 */
function boxes(left, of, { labels }) {
  const found = take(left, of);
  const rows = numbers(found);
  return Array.from({ length: found.shape[0] ?? 0 }, (_, i) => {
    const at = 6 * i;
    const kind = Math.trunc(rows[at + 5] ?? 0);
    const box = [0, 1, 2, 3].map((corner) => numberOf(found, at + corner));
    return { ...labelOf(labels, kind), class: kind, score: numberOf(found, at + 4), box };
  });
}

/**
 * @param {Tensors} left
 * @param {string} of
 * @param {Options} options
 * @param {Way} way
 */
async function mask(left, of, { labels }, { colours, single }) {
  const { shape, data } = take(left, of);
  const [items = 0, height = 0, width = 0] = shape;
  const said = [];
  for (let i = 0; i < items; i++) {
    const pixels = /** @type {Uint8Array} */ (data).subarray(
      i * height * width,
      (i + 1) * height * width,
    );
    const png = base64(await pngOf(pixels, height, width, colours));
    said.push({ size: [height, width], png, classes: shares(pixels, labels) });
  }
  return one(said, single);
}

/**
 * How much of a mask each class has, largest first, of equal ones the lower class.
 *
 * @param {Uint8Array} pixels
 * @param {Options["labels"]} labels
 */
function shares(pixels, labels) {
  const counts = new Float64Array(256);
  for (const kind of pixels) counts[kind] = (counts[kind] ?? 0) + 1;
  return descending(counts)
    .filter((kind) => counts[kind])
    .map((kind) => ({
      ...labelOf(labels, kind),
      index: kind,
      share: (counts[kind] ?? 0) / pixels.length,
    }));
}

/**
 * @param {Tensors} left
 * @param {string} of
 * @param {Options} options
 */
function text(left, of, { labels, space }) {
  const ids = Array.from(numbers(take(left, of)));
  if (labels === null) return { ids };
  const said = ids.map((id) => labelOf(labels, id).label).join("");
  return { text: space ? strip(said.replaceAll(space, () => " ")) : said, ids };
}

/**
 * The tensor of that name, which no one else is to speak of.
 *
 * @param {Tensors} left
 * @param {string} name
 */
function take(left, name) {
  const found = named(left, name);
  delete left[name];
  return found;
}

/**
 * @param {Options["labels"]} labels
 * @param {number} index
 * @returns {{label?: string}}
 */
function labelOf(labels, index) {
  if (labels === null) return {};
  const label = labels[index];
  if (label === undefined)
    throw new RangeError(`there is no label ${index} among ${labels.length}`);
  return { label };
}

/**
 * @template T
 * @param {T[]} rows
 * @param {boolean} single
 */
function one(rows, single) {
  return single && rows.length === 1 ? rows[0] : rows;
}

/**
 * The shortest number that is the same in the tensor's dtype; a string where JSON has none.
 *
 * @param {Tensor} tensor
 * @param {number} at
 * @returns {number | string}
 */
function numberOf({ dtype, data }, at) {
  const value = data[at] ?? NaN;
  if (typeof value === "bigint") return Number(value);
  const plain = dtype === "float16" ? fromHalf(value) : value;
  if (!Number.isFinite(plain)) return String(plain);
  if (dtype === "float32") return shortest(plain, (other) => Math.fround(other) === plain);
  if (dtype === "float16") return shortest(plain, (other) => toHalf(other) === value);
  return plain;
}

/**
 * @param {number} plain
 * @param {(other: number) => boolean} same
 */
function shortest(plain, same) {
  for (let digits = 1; digits < 10; digits++) {
    const short = Number(plain.toPrecision(digits));
    if (same(short)) return short;
  }
  return plain;
}

/**
 * A tensor as nested lists. A whole number beyond 2^53 is its digits as a string, for it is no number
 * in JavaScript.
 *
 * @param {Tensor} tensor
 * @param {boolean} single
 */
function nested({ dtype, shape, data }, single) {
  const sizes = single && shape[0] === 1 ? shape.slice(1) : shape;
  const say = sayer(dtype);
  const part = (/** @type {number} */ axis, /** @type {number} */ from) => {
    const size = sizes[axis];
    if (size === undefined) return say(data[from] ?? NaN);
    const step = count(sizes.slice(axis + 1));
    /** @type {unknown[]} */
    const parts = [];
    for (let i = 0; i < size; i++) parts.push(part(axis + 1, from + i * step));
    return parts;
  };
  return part(0, 0);
}

/**
 * What says one element of a dtype.
 *
 * @param {string} dtype
 * @returns {(value: number | bigint) => unknown}
 */
function sayer(dtype) {
  if (dtype === "bool") return (value) => value !== 0;
  return (value) => {
    if (typeof value === "bigint") {
      return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
    }
    const plain = dtype === "float16" ? fromHalf(value) : value;
    return Number.isFinite(plain) ? plain : String(plain);
  };
}

/** @param {readonly Step[]} steps */
function masksOf(steps) {
  return steps.filter(({ op }) => op === "palette").map(({ of = "" }) => of);
}

/**
 * @param {readonly Step[]} steps
 * @param {string} of
 * @returns {number[][]}
 */
function coloursOf(steps, of) {
  return steps.find((step) => step.op === "palette" && step.of === of)?.options["colours"] ?? [];
}

/** @param {Uint8Array} bytes */
function base64(bytes) {
  let letters = "";
  for (let at = 0; at < bytes.length; at += 8192) {
    letters += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return btoa(letters);
}
