/**
 * The model's terms <-> the artifact's terms, as the build wrote them down in model.json.
 *
 * In: tensors in the model's names and layout. Out: the calls that ask them of the artifact, and its
 * answers back in the model's. Names, permutations, casts, and a batch that is split or filled up
 * where an entry takes only so many at once.
 *
 * @typedef {import("./records.js").About} About
 * @typedef {import("./records.js").Entry} Entry
 * @typedef {import("./records.js").Port} Port
 * @typedef {import("./records.js").Spec} Spec
 * @typedef {import("./records.js").Tensor} Tensor
 * @typedef {import("./records.js").Tensors} Tensors
 * @typedef {{entry: Entry, rows: number[] | null, kept: number, feeds: Tensors}} Call `rows` of the
 *   batch, null for all; of the answer the first `kept` count
 */

import { joined, permuted, taken } from "./layout.mjs";
import { cast, numbers } from "./steps/arrays.mjs";

/**
 * The calls that ask these tensors. Throws a TypeError where no entry takes them.
 *
 * @param {About} about
 * @param {Tensors} tensors
 * @returns {Call[]}
 */
export function calls(about, tensors) {
  const sizes = sizesOf(about.signature.inputs, tensors);
  const batch = about.batch ?? "";
  return plan(about, tensors, sizes).map(({ entry, rows, kept }) => {
    const feeds = entry.inputs.map((port) => {
      const whole = /** @type {Tensor} */ (tensors[port.of]);
      const axis = batchAxis(specOf(about.signature.inputs, port.of), about.batch);
      const part = rows === null ? whole : taken(whole, axis, sizes.get(batch) ?? 1, rows);
      return [port.name, permuted(stored(part, port), port.axes)];
    });
    return { entry, rows, kept, feeds: Object.fromEntries(feeds) };
  });
}

/**
 * The answers to all calls as one, in the model's terms.
 *
 * @param {About} about
 * @param {readonly Call[]} asked
 * @param {readonly Tensors[]} answers
 * @returns {Tensors}
 */
export function answer(about, asked, answers) {
  /** @type {Tensors} */
  const whole = {};
  for (const spec of about.signature.outputs) {
    const pieces = asked.flatMap(({ entry, rows, kept }, index) => {
      const port = entry.outputs.find((port) => port.of === spec.name);
      const came = port && answers[index]?.[port.name];
      if (!came) return [];
      const back = stored(permuted(came, inverse(port.axes)), spec);
      return [rows === null ? back : taken(back, batchAxis(spec, about.batch), rows.length, counting(kept))];
    });
    if (pieces.length) whole[spec.name] = joined(pieces, batchAxis(spec, about.batch) ?? 0);
  }
  return whole;
}

/**
 * Rows of each call; the last is filled up by repetition, as split(3, [2]) is rows [0, 1] and [2, 2].
 *
 * @param {number} count
 * @param {readonly number[]} sizes
 */
export function split(count, sizes) {
  const parts = [];
  for (let at = 0; at < count; ) {
    const fit = sizes.filter((size) => size <= count - at);
    const size = fit.length ? Math.max(...fit) : Math.min(...sizes);
    const rows = Array.from({ length: size }, (_, i) => Math.min(at + i, count - 1));
    parts.push({ size, rows, kept: Math.min(size, count - at) });
    at += size;
  }
  return parts;
}

/**
 * @param {About} about
 * @param {Tensors} tensors
 * @param {Map<string, number>} sizes
 * @returns {{entry: Entry, rows: number[] | null, kept: number}[]}
 */
function plan(about, tensors, sizes) {
  const { batch, signature } = about;
  /** @type {Map<number | null, Entry>} */
  const fits = new Map();
  for (const entry of about.entries) {
    const fixed = fixedSizes(signature.inputs, entry);
    const same = [...fixed].every(([axis, size]) => axis === batch || sizes.get(axis) === size);
    const size = (batch !== null && fixed.get(batch)) || null;
    if (takes(entry, tensors) && same && !fits.has(size)) fits.set(size, entry);
  }
  const any = fits.get(null);
  if (any) return [{ entry: any, rows: null, kept: 0 }];
  const known = /** @type {number[]} */ ([...fits.keys()]);
  if (known.length === 0) throw new TypeError(`nothing in the artifact takes ${said(tensors)}`);
  const count = sizes.get(batch ?? "") ?? 1;
  const single = known.includes(count) ? [{ size: count, rows: counting(count), kept: count }] : null;
  const fixed = signature.outputs.find((spec) => batchAxis(spec, batch) === null);
  if (fixed && !single) throw new TypeError(`"${fixed.name}" has no axis ${batch}, so that a batch cannot be split`);
  return (single ?? split(count, known)).map(({ size, rows, kept }) => ({
    entry: /** @type {Entry} */ (fits.get(size)),
    rows,
    kept,
  }));
}

/**
 * @param {Entry} entry
 * @param {Tensors} tensors
 */
function takes(entry, tensors) {
  const wants = new Set(entry.inputs.map((port) => port.of));
  return wants.size === Object.keys(tensors).length && [...wants].every((name) => name in tensors);
}

/**
 * The axes of the model that an entry has nailed down.
 *
 * @param {readonly Spec[]} specs
 * @param {Entry} entry
 */
function fixedSizes(specs, entry) {
  /** @type {Map<string, number>} */
  const fixed = new Map();
  for (const port of entry.inputs) {
    const shape = specs.find((spec) => spec.name === port.of)?.shape ?? [];
    port.shape.forEach((mine, index) => {
      const dim = shape[port.axes?.[index] ?? index];
      if (typeof dim === "string" && typeof mine === "number") fixed.set(dim, mine);
    });
  }
  return fixed;
}

/**
 * @param {readonly Spec[]} specs
 * @param {Tensors} tensors
 */
function sizesOf(specs, tensors) {
  /** @type {Map<string, number>} */
  const sizes = new Map();
  for (const spec of specs) {
    spec.shape.forEach((dim, index) => {
      const size = tensors[spec.name]?.shape[index];
      if (typeof dim === "string" && size !== undefined && !sizes.has(dim)) sizes.set(dim, size);
    });
  }
  return sizes;
}

/**
 * Where the batch lies, also within a product such as "B*T".
 *
 * @param {Spec} spec
 * @param {string | null} batch
 */
export function batchAxis(spec, batch) {
  const at = spec.shape.findIndex((dim) => typeof dim === "string" && dim.split("*")[0] === batch);
  return at < 0 ? null : at;
}

/**
 * @param {readonly Spec[]} specs
 * @param {string} name
 */
function specOf(specs, name) {
  return specs.find((spec) => spec.name === name) ?? { name, dtype: "", shape: [] };
}

/**
 * A tensor in another dtype. Throws a TypeError for integers that it cannot hold.
 *
 * @param {Tensor} tensor
 * @param {Spec} spec
 * @returns {Tensor}
 */
function stored(tensor, { name, dtype }) {
  if (tensor.dtype === dtype) return tensor;
  const data = cast(numbers(tensor), dtype);
  if (/^u?int/.test(dtype)) {
    const back = numbers({ ...tensor, dtype, data });
    const wrong = numbers(tensor).findIndex((value, index) => Math.trunc(value) !== back[index]);
    if (wrong >= 0) throw new TypeError(`"${name}" holds ${tensor.data[wrong]}, which is beyond ${dtype}`);
  }
  return { dtype, shape: tensor.shape, data };
}

/** @param {readonly number[] | null} axes */
export function inverse(axes) {
  return axes && axes.map((_, index) => axes.indexOf(index));
}

/** @param {number} count */
function counting(count) {
  return Array.from({ length: count }, (_, index) => index);
}

/** @param {Tensors} tensors */
function said(tensors) {
  return Object.entries(tensors).map(([name, { shape }]) => `${name} [${shape.join(", ")}]`).join(", ");
}
