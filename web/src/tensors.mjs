/**
 * What a page gives, as tensors of the artifact; or a TypeError that says what was expected.
 *
 * In: typed arrays by name, as they are or with their shape. Out: the entry that takes them, and
 * copies: the caller's arrays are neither changed nor handed away.
 *
 * @typedef {import("./records.js").Axes} Axes
 * @typedef {import("./records.js").Data} Data
 * @typedef {import("./records.js").Dim} Dim
 * @typedef {import("./records.js").Entry} Entry
 * @typedef {import("./records.js").Given} Given
 * @typedef {import("./records.js").Spec} Spec
 * @typedef {import("./records.js").Tensor} Tensor
 * @typedef {import("./records.js").Tensors} Tensors
 * @typedef {Map<string, number>} Sizes axis -> how long it is in what was given
 */

import { ARRAYS } from "./steps/arrays.mjs";

/** Arrays that hold the very same bits as the one that is named. */
const SAME = /** @type {Record<string, string>} */ ({
  Float16Array: "float16",
  Uint8ClampedArray: "uint8",
});

/**
 * The entry that takes these inputs, and the inputs as it takes them.
 *
 * @param {readonly Entry[]} entries
 * @param {Axes} axes
 * @param {unknown} given
 * @param {string} [name] of the entry; by names and sizes where it is not said
 * @returns {{entry: Entry, feeds: Tensors}}
 */
export function chosen(entries, axes, given, name) {
  const inputs = record(given);
  const among = name === undefined ? entries : entries.filter((entry) => entry.name === name);
  const first = among[0];
  if (first === undefined) {
    const known = entries.map((entry) => `"${entry.name}"`).join(", ");
    throw new TypeError(`no entry is named ${shown(name)}; this model has ${known}`);
  }
  if (among.length === 1) return { entry: first, feeds: accepted(first.inputs, axes, inputs) };
  /** @type {string[]} */
  const refusals = [];
  for (const entry of among) {
    try {
      return { entry, feeds: accepted(entry.inputs, axes, inputs) };
    } catch (error) {
      refusals.push(`${entry.name}: ${/** @type {Error} */ (error).message}`);
    }
  }
  throw new TypeError(`no entry takes these inputs; ${refusals.join("; ")}`);
}

/**
 * Copies of all inputs, complete and of the right sizes.
 *
 * @param {readonly Spec[]} specs
 * @param {Axes} axes
 * @param {Record<string, unknown>} given
 * @returns {Tensors}
 */
export function accepted(specs, axes, given) {
  checkNames(specs, given);
  const read = specs.map((spec) => ({ spec, ...parts(spec, given[spec.name]) }));
  /** @type {Sizes} */
  const sizes = new Map();
  for (const { spec, shape } of read) if (shape) learn(spec, shape, sizes);
  const whole = read.map((one) => ({ ...one, shape: one.shape ?? guessed(one.spec, one.data, sizes) }));
  for (const { spec, shape } of whole) learn(spec, shape, sizes);
  for (const { spec, shape, data } of whole) check(spec, shape, data, axes, sizes);
  return Object.fromEntries(
    whole.map(({ spec, shape, data }) => [spec.name, { dtype: spec.dtype, shape, data: copy(spec, data) }]),
  );
}

/**
 * @param {readonly Spec[]} specs
 * @param {Record<string, unknown>} given
 */
function checkNames(specs, given) {
  const known = specs.map((spec) => spec.name);
  for (const name of Object.keys(given)) {
    if (!known.includes(name)) {
      throw new TypeError(`no input is named "${name}"; this model takes ${known.map(shown).join(", ")}`);
    }
  }
  for (const spec of specs) {
    if (given[spec.name] === undefined) {
      throw new TypeError(`input "${spec.name}" is missing: expected ${wanted(spec)}`);
    }
  }
}

/**
 * @param {Spec} spec
 * @param {unknown} given
 * @returns {{data: Data, shape: number[] | undefined}}
 */
function parts(spec, given) {
  const tensor = /** @type {any} */ (ArrayBuffer.isView(given) ? { data: given } : given);
  if (tensor === null || typeof tensor !== "object" || Array.isArray(tensor)) throw wrongKind(spec, tensor);
  if (tensor.dtype !== undefined && tensor.dtype !== spec.dtype) {
    throw new TypeError(`input "${spec.name}" is ${shown(tensor.dtype)}, expected ${wanted(spec)}`);
  }
  if (!fits(spec.dtype, tensor.data)) throw wrongKind(spec, tensor.data);
  if (isDetached(tensor.data)) {
    throw new TypeError(`input "${spec.name}": its buffer was transferred elsewhere and is empty now`);
  }
  return { data: tensor.data, shape: tensor.shape === undefined ? undefined : shape(spec, tensor.shape) };
}

/**
 * @param {Spec} spec
 * @param {unknown} data
 */
function wrongKind(spec, data) {
  const kind = arrayOf(spec.dtype).name;
  const more = Array.isArray(data)
    ? `; make one of it: ${kind}.from(values.flat(Infinity)${kind.startsWith("Big") ? ", BigInt" : ""})`
    : "";
  return new TypeError(`input "${spec.name}" holds ${article(data)}, expected ${wanted(spec)}${more}`);
}

/**
 * @param {string} dtype
 * @param {unknown} data
 */
function fits(dtype, data) {
  if (!ArrayBuffer.isView(data)) return false;
  const name = Object.prototype.toString.call(data).slice(8, -1);
  return name === arrayOf(dtype).name || SAME[name] === dtype;
}

/** @param {ArrayBufferView} data */
function isDetached(data) {
  try {
    return new Uint8Array(data.buffer) === undefined;
  } catch {
    return true;
  }
}

/**
 * @param {Spec} spec
 * @param {unknown} given
 */
function shape(spec, given) {
  const list = Array.isArray(given) || ArrayBuffer.isView(given) ? Array.from(/** @type {any} */ (given)) : null;
  if (list?.every((size) => Number.isSafeInteger(size) && size >= 0)) return /** @type {number[]} */ (list);
  const came = list ? `[${list.map(shown).join(", ")}]` : shown(given);
  throw new TypeError(
    `input "${spec.name}": a shape is a list of whole numbers from 0, as in [${spec.shape.join(", ")}], not ${came}`,
  );
}

/**
 * The sizes of axes, as the first that has them says.
 *
 * @param {Spec} spec
 * @param {readonly number[]} shape
 * @param {Sizes} sizes
 */
function learn(spec, shape, sizes) {
  if (shape.length !== spec.shape.length) return;
  spec.shape.forEach((dim, index) => {
    if (typeof dim === "string" && !sizes.has(dim)) sizes.set(dim, /** @type {number} */ (shape[index]));
  });
}

/**
 * The shape that a number of elements leaves no doubt about.
 *
 * @param {Spec} spec
 * @param {Data} data
 * @param {Sizes} sizes
 */
function guessed(spec, data, sizes) {
  const known = spec.shape.map((dim) => (typeof dim === "number" ? dim : sizes.get(dim)));
  const open = known.filter((size) => size === undefined).length;
  const rest = known.reduce((/** @type {number} */ all, size) => all * (size ?? 1), 1);
  const size = open === 0 ? 0 : data.length / rest;
  if (open > 1 || !Number.isInteger(size)) {
    throw new TypeError(
      `input "${spec.name}": the shape is missing, and ${data.length} elements do not say it: ` +
        `expected {data, shape} with [${spec.shape.join(", ")}]`,
    );
  }
  return known.map((known) => known ?? size);
}

/**
 * @param {Spec} spec
 * @param {readonly number[]} shape
 * @param {Data} data
 * @param {Axes} axes
 * @param {Sizes} sizes
 */
function check(spec, shape, data, axes, sizes) {
  const where = `input "${spec.name}": expected [${spec.shape.join(", ")}], got [${shape.join(", ")}]`;
  if (shape.length !== spec.shape.length) throw new TypeError(where);
  spec.shape.forEach((dim, index) => {
    const size = /** @type {number} */ (shape[index]);
    const right = sizeOf(dim, sizes);
    if (typeof dim === "number" && size !== dim) throw new TypeError(where);
    const [least, most] = axes[dim] ?? [0, Infinity];
    if (!(size >= least && size <= most)) throw new TypeError(`${where}: ${dim} must be ${least} to ${most}`);
    if (right !== undefined && right !== size) throw new TypeError(`${where}: ${dim} is ${right} elsewhere`);
  });
  const count = shape.reduce((product, size) => product * size, 1);
  if (count !== data.length) {
    throw new TypeError(`${where}: that is ${count} elements, and data has ${data.length}`);
  }
}

/**
 * @param {Dim} dim
 * @param {Sizes} sizes
 */
function sizeOf(dim, sizes) {
  if (typeof dim === "number") return dim;
  const factors = dim.split("*").map((one) => (/^\d+$/.test(one) ? Number(one) : sizes.get(one)));
  const all = factors.reduce((product, one) => (product === undefined || one === undefined ? undefined : product * one), 1);
  return all ?? sizes.get(dim);
}

/**
 * @param {Spec} spec
 * @param {Data} data
 * @returns {Data}
 */
function copy(spec, data) {
  const Kind = /** @type {any} */ (arrayOf(spec.dtype));
  // slice() of shared memory is private, and so can be handed to the worker.
  const own = data.slice();
  return own instanceof Kind ? own : new Kind(own.buffer, 0, own.length);
}

/**
 * @param {string} dtype
 * @returns {Function}
 */
function arrayOf(dtype) {
  const found = ARRAYS[/** @type {keyof typeof ARRAYS} */ (dtype)];
  if (found === undefined) throw new TypeError(`no array of JavaScript holds ${dtype}`);
  return found;
}

/**
 * @param {unknown} given
 * @returns {Record<string, unknown>}
 */
export function record(given) {
  const plain = typeof given === "object" && given !== null && !Array.isArray(given) && !ArrayBuffer.isView(given);
  if (plain) return /** @type {Record<string, unknown>} */ (given);
  throw new TypeError(`expected the inputs by name, as in {name: tensor}, got ${article(given)}`);
}

/** @param {Spec} spec */
function wanted({ dtype, shape }) {
  return `a ${arrayOf(dtype).name} (${dtype}) of shape [${shape.join(", ")}]`;
}

/** @param {unknown} value */
function article(value) {
  if (value === undefined || value === null) return String(value);
  const name = Object.prototype.toString.call(value).slice(8, -1);
  return /^[AEIOU]/.test(name) && !name.startsWith("Ui") ? `an ${name}` : `a ${name}`;
}

/** @param {unknown} value */
function shown(value) {
  return typeof value === "bigint" ? `${value}n` : typeof value === "string" ? `"${value}"` : String(value);
}
