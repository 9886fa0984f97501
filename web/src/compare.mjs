/**
 * Is an answer as near to the original's as the manifest allows?
 *
 * In: what the original answered, what came, and how far the original strays from itself. Out: how
 * far it is, and why that is too far. The bounds are those by which the bundle was judged at build:
 * docs/parity.md says what each means. Every comparison is written as "is within", so NaN fails.
 *
 * @typedef {import("./records.js").Tensor} Tensor
 * @typedef {{relative_l2: number | string, whole: number | string, part: number | string,
 *   element: number | string, budget: number, jumps: number, jump: number | string}} Bound
 * @typedef {{batch: number | null, kind: string}} Meaning which axis is the batch; what the output is
 * @typedef {{relativeL2: number, reason: string}} Distance `reason` is empty where all is within
 */

import { around, count, floats, numbers } from "./steps/arrays.mjs";

const TINY = 1.1754943508222875e-38;
/** The smallest normal float32; some runtimes flush to zero what is smaller. */
const EPS = /** @type {Record<string, number>} */ ({ float64: 2 ** -52, float16: 2 ** -10 });
const JUMPS = 8;
const SURE = 2;
const FEW = 8;
/** Slices of fewer elements than this are left to the measure by element. */
const MOST_BOXES = 1000;

/**
 * How far one output is from the original's.
 *
 * @param {Tensor} want
 * @param {Tensor | undefined} got
 * @param {Tensor | undefined} noise
 * @param {Bound} bound
 * @param {Meaning} meaning
 * @returns {Distance}
 */
export function compared(want, got, noise, bound, meaning) {
  if (got === undefined) return failed("it is missing");
  if (want.shape.join() !== got.shape.join()) {
    return failed(`its shape is [${got.shape.join(", ")}], expected [${want.shape.join(", ")}]`);
  }
  const [size, parts] = [count(want.shape), { "the original's answer": want, it: got, "the noise": noise }];
  const odd = Object.entries(parts).find(([, part]) => part && part.data.length !== size);
  if (odd) return failed(`${odd[0]} holds ${odd[1]?.data.length} elements, its shape has ${size}`);
  if (!want.dtype.startsWith("float")) return exactly(want, got, noise, bound);
  const [w, g] = [Float64Array.from(numbers(want)), Float64Array.from(numbers(got))];
  const found = near(want, w, g, noise, bound, meaning);
  if (found.reason === "" || !isSet(want, meaning)) return found;
  return near(want, w, arranged(want.shape, w, g), noise, bound, meaning);
}

/** @param {string} reason */
function failed(reason) {
  return { relativeL2: NaN, reason };
}

/**
 * @param {Tensor} want
 * @param {Tensor} got
 * @param {Tensor | undefined} noise
 * @param {Bound} bound
 * @returns {Distance}
 */
function exactly(want, got, noise, bound) {
  const size = want.data.length;
  let wrong = 0;
  for (let i = 0; i < size; i++) if (!same(want.data[i], got.data[i])) wrong += 1;
  const unsure = noise ? floats(noise).reduce((count, one) => count + (one === 0 ? 0 : 1), 0) : 0;
  const all = Math.ceil(bound.jumps * size);
  const most = unsure ? Math.min(size, JUMPS * unsure) : Math.min(all, SURE, Math.floor(size / 2));
  return { relativeL2: 0, reason: wrong <= most ? "" : `${wrong} of ${size} elements differ, allowed ${most}` };
}

/**
 * @param {number | bigint | undefined} a
 * @param {number | bigint | undefined} b
 */
function same(a, b) {
  // An artifact may hold in 32 bits what the original holds in 64.
  return typeof a === typeof b ? a === b : a == b;
}

/**
 * @param {Tensor} want
 * @param {Float64Array} w
 * @param {Float64Array} g
 * @param {Tensor | undefined} noise
 * @param {Bound} bound
 * @param {Meaning} meaning
 * @returns {Distance}
 */
function near(want, w, g, noise, bound, meaning) {
  const [whole, part, element, far] = [bound.whole, bound.part, bound.element, bound.jump].map(number);
  const apart = w.map((one, i) => distance(one, g[i] ?? NaN));
  const sigma = sigmas(want, w, noise, whole ? bound.budget / whole : 0, meaning.batch);
  const ratio = apart.map((one, i) => one / (sigma[i] ?? NaN));
  const out = jumping(apart, ratio, Math.ceil(bound.jumps * w.length), element, far);
  const left = apart.map((one, i) => (out.has(i) || one <= TINY ? 0 : one));
  const inSlices = apart.map((one, i) => (out.has(i) ? 0 : one));
  const relativeL2 = quotient(norm(left), norm(w.map((one) => (Number.isFinite(one) ? one : 0))));
  const found = /** @type {const} */ ([
    ["relative L2", relativeL2, number(bound.relative_l2)],
    ["error over noise", quotient(norm(inSlices), norm(sigma)), whole],
    ["error over noise in a slice", worstSlice(want.shape, inSlices, sigma), part],
    ["error over noise in an element", worstElement(ratio, out), element],
  ]);
  const bad = found.find(([, is, allowed]) => !(is <= (allowed ?? NaN)));
  const reason = bad ? `${bad[0]} ${bad[1].toExponential(2)}, allowed ${bad[2]?.toExponential(2)}` : "";
  return { relativeL2, reason };
}

/**
 * What counts as noise in each element: the original's own, its rounding, and what is granted.
 *
 * @param {Tensor} want
 * @param {Float64Array} w
 * @param {Tensor | undefined} noise
 * @param {number} granted relative to the size of an element's row, or column where that is less
 * @param {number | null} batch
 */
function sigmas(want, w, noise, granted, batch) {
  const eps = EPS[want.dtype] ?? 2 ** -23;
  const own = noise && numbers(noise);
  const scale = granted ? scales(want.shape, w, batch) : w;
  return w.map((one, i) => {
    const rounding = Math.max(Number.isFinite(one) ? Math.abs(one) * eps : 0, TINY);
    const base = own ? Math.max(rounding, own[i] ?? 0) : rounding;
    return granted ? Math.hypot(base, granted * (scale[i] ?? 0)) : base;
  });
}

/**
 * @param {readonly number[]} shape
 * @param {Float64Array} w
 * @param {number | null} batch
 */
function scales(shape, w, batch) {
  const square = w.map((one) => (Number.isFinite(one) ? one * one : 0));
  if (shape.length === 0) return square.map(Math.sqrt);
  const row = means(shape, square, batch);
  if (shape.length === 1) return row.map(Math.sqrt);
  const column = means(shape, square, shape.length - 1);
  return row.map((one, i) => Math.min(Math.sqrt(one), Math.max(Math.sqrt(column[i] ?? 0), 1e-3 * Math.sqrt(one))));
}

/**
 * For each element the mean of the slice that it lies in, along an axis; of all where that is null.
 *
 * @param {readonly number[]} shape
 * @param {Float64Array} values
 * @param {number | null} axis
 */
function means(shape, values, axis) {
  if (axis === null) return values.map(always(mean(values)));
  const { along, inner } = around(shape, axis);
  const sums = slices(shape, values, axis);
  return values.map((_, i) => ((sums[Math.floor(i / inner) % along] ?? 0) * along) / values.length);
}

/**
 * The largest ratio of root mean squares in any slice along any axis.
 *
 * @param {readonly number[]} shape
 * @param {Float64Array} apart
 * @param {Float64Array} sigma
 */
function worstSlice(shape, apart, sigma) {
  // Squares of what is tiny would vanish, and of what is huge overflow.
  const scale = sigma.reduce((most, one) => Math.max(most, one), 0);
  const [error, own] = [apart, sigma].map((values) => values.map((one) => (one / scale) ** 2));
  const found = shape.flatMap((along, axis) => {
    if (along === 1 || apart.length / along < FEW || !error || !own) return [];
    const noise = slices(shape, own, axis);
    return [...slices(shape, error, axis)].map((sum, i) => Math.sqrt(sum / Math.max(noise[i] ?? 0, Number.MIN_VALUE)));
  });
  return worst(found);
}

/**
 * The sum of each slice along an axis.
 *
 * @param {readonly number[]} shape
 * @param {Float64Array} values
 * @param {number} axis
 */
function slices(shape, values, axis) {
  const { along, inner } = around(shape, axis);
  const sums = new Float64Array(along);
  values.forEach((one, i) => {
    const at = Math.floor(i / inner) % along;
    sums[at] = (sums[at] ?? 0) + one;
  });
  return sums;
}

/**
 * The elements that may be left out: those that stray most, as many as may jump as far.
 *
 * @param {Float64Array} apart
 * @param {Float64Array} ratio
 * @param {number} count
 * @param {number | undefined} beyond
 * @param {number | undefined} far
 */
function jumping(apart, ratio, count, beyond = Infinity, far = Infinity) {
  const may = count ? [...ratio.keys()].filter((i) => (ratio[i] ?? 0) > beyond && (apart[i] ?? 0) <= far) : [];
  return new Set(may.sort((a, b) => (ratio[b] ?? 0) - (ratio[a] ?? 0)).slice(0, count));
}

/**
 * The largest ratio of the elements that were not left out. Where no other strays at all it is the
 * first element's, left out or not: the judge of the build decides so, and it is the reference.
 *
 * @param {Float64Array} ratio
 * @param {Set<number>} out
 */
function worstElement(ratio, out) {
  const kept = ratio.map((one, i) => (out.has(i) ? 0 : one));
  const most = worst(kept);
  return ratio[kept.findIndex((one) => Object.is(one, most))] ?? 0;
}

/**
 * @param {Tensor} want
 * @param {Meaning} meaning
 */
function isSet({ shape }, { kind, batch }) {
  const [rows = 0, wide = 0] = shape.slice(-2);
  return kind === "detection" && shape.length >= 2 && wide > 4 && rows <= MOST_BOXES && batch !== shape.length - 2;
}

/**
 * Boxes in the order of the original's: each the nearest that is left.
 *
 * @param {readonly number[]} shape
 * @param {Float64Array} w
 * @param {Float64Array} g
 */
function arranged(shape, w, g) {
  const [rows = 1, wide = 1] = shape.slice(-2);
  const made = new Float64Array(g.length);
  for (let start = 0; start < w.length; start += rows * wide) {
    const free = new Set(Array.from({ length: rows }, (_, row) => start + row * wide));
    for (let at = start; at < start + rows * wide; at += wide) {
      const best = [...free].reduce((a, b) => (gap(w, g, at, b, wide) < gap(w, g, at, a, wide) ? b : a));
      free.delete(best);
      made.set(g.subarray(best, best + wide), at);
    }
  }
  return made;
}

/**
 * @param {Float64Array} w
 * @param {Float64Array} g
 * @param {number} at
 * @param {number} other
 * @param {number} wide
 */
function gap(w, g, at, other, wide) {
  let sum = 0;
  for (let i = 0; i < wide; i++) sum += distance(w[at + i] ?? 0, g[other + i] ?? 0);
  return sum;
}

/**
 * |a - b|; zero for equal infinities, and for NaN in both.
 *
 * @param {number} a
 * @param {number} b
 */
function distance(a, b) {
  return Object.is(a, b) || a === b ? 0 : Math.abs(a - b);
}

/** @param {Float64Array} values */
function norm(values) {
  const most = values.reduce((most, one) => Math.max(most, Math.abs(one)), 0);
  if (!(most > 0 && Number.isFinite(most))) return most;
  return most * Math.sqrt(values.reduce((sum, one) => sum + (one / most) ** 2, 0));
}

/**
 * @param {number} error
 * @param {number} size
 */
function quotient(error, size) {
  return error === 0 ? 0 : error / size;
}

/** @param {ArrayLike<number>} values */
function worst(values) {
  return Array.from(values).reduce((most, one) => (Number.isNaN(most) || one <= most ? most : one), 0);
}

/** @param {number} value */
function always(value) {
  return () => value;
}

/** @param {Float64Array} values */
function mean(values) {
  return values.reduce((sum, one) => sum + one, 0) / values.length;
}

/** @param {number | string} said JSON has no infinities */
function number(said) {
  return said === "inf" ? Infinity : Number(said);
}
