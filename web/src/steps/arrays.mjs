/**
 * Tensors, as the steps pass them on: {dtype, shape, data}, with dtypes named as numpy names them.
 *
 * A typed array rounds what is written into it: arithmetic that the reference does in float32 is
 * written into a Float32Array, or through Math.fround, after each operation. bool is bytes, float16
 * its bits, and 64-bit integers are BigInts.
 *
 * @typedef {Float32Array | Float64Array | Uint8Array | Int8Array | Uint16Array | Int16Array
 *   | Uint32Array | Int32Array | BigInt64Array | BigUint64Array} Data
 * @typedef {{dtype: string, shape: number[], data: Data}} Tensor
 * @typedef {Record<string, Tensor>} Tensors
 * @typedef {{size?: number[], to_model?: number[], rate?: number}} Frame
 */

/** dtype -> the array that holds it. */
export const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  bool: Uint8Array,
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
};

/**
 * A tensor around data that are there already.
 *
 * @param {string} dtype
 * @param {number[]} shape
 * @param {Data} data
 * @returns {Tensor}
 */
export function tensor(dtype, shape, data) {
  return { dtype, shape, data };
}

/**
 * How many elements a shape has; 1 for a scalar.
 *
 * @param {readonly number[]} shape
 */
export function count(shape) {
  return shape.reduce((all, size) => all * size, 1);
}

/**
 * The tensor of that name. Throws a TypeError where there is none.
 *
 * @param {Tensors} tensors
 * @param {string} of
 * @returns {Tensor}
 */
export function named(tensors, of) {
  const found = tensors[of];
  if (found === undefined) {
    throw new TypeError(`no tensor is named "${of}"; there is ${Object.keys(tensors).join(", ")}`);
  }
  return found;
}

/**
 * A shape as a loop along one axis sees it: element [o, i, n] is at (o * along + i) * inner + n.
 *
 * @param {readonly number[]} shape
 * @param {number} axis from the end where it is negative
 */
export function around(shape, axis) {
  const at = axis < 0 ? axis + shape.length : axis;
  const along = shape[at];
  if (along === undefined) throw new RangeError(`[${shape.join(", ")}] has no axis ${axis}`);
  return { at, outer: count(shape.slice(0, at)), along, inner: count(shape.slice(at + 1)) };
}

/**
 * The values as float32: the very array where they are float32 already.
 *
 * @param {Tensor} given
 * @returns {Float32Array}
 */
export function floats(given) {
  if (given.data instanceof Float32Array) return given.data;
  return /** @type {Float32Array} */ (cast(numbers(given), "float32"));
}

/**
 * The values as numbers, exactly but for integers beyond 2^53.
 *
 * @param {Tensor} given
 * @returns {Exclude<Data, BigInt64Array | BigUint64Array>}
 */
export function numbers({ dtype, data }) {
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    return Float64Array.from(data, Number);
  }
  return dtype === "float16" ? Float32Array.from(data, fromHalf) : data;
}

/**
 * Numbers as an array of that dtype, rounded once to the nearest; integers are cut off as C does.
 * Throws a TypeError for a dtype that is not known.
 *
 * @param {ArrayLike<number>} values
 * @param {string} dtype
 * @returns {Data}
 */
export function cast(values, dtype) {
  if (dtype === "float16") return Uint16Array.from(values, toHalf);
  if (dtype === "bool") return Uint8Array.from(values, (value) => (value === 0 ? 0 : 1));
  if (dtype === "int64") return BigInt64Array.from(values, (value) => BigInt(Math.trunc(value)));
  if (dtype === "uint64") return BigUint64Array.from(values, (value) => BigInt(Math.trunc(value)));
  const Kind = ARRAYS[/** @type {keyof typeof ARRAYS} */ (dtype)];
  if (Kind === undefined) throw new TypeError(`no dtype is named "${dtype}"`);
  return /** @type {Data} */ (new /** @type {any} */ (Kind)(values));
}

const WORD = new DataView(new ArrayBuffer(8));

/**
 * The nearest float16 to a number, as its bits; of two equally near the even one.
 *
 * @param {number} value
 */
export function toHalf(value) {
  WORD.setFloat64(0, value);
  const sign = (WORD.getUint16(0) & 0x8000) >>> 0;
  const size = Math.abs(value);
  if (size !== size) return sign | 0x7e00;
  if (size >= 65520) return sign | 0x7c00;
  // The distance between two neighbours: of the exponent's, and never below 2^-24.
  const exponent = Math.max(((WORD.getUint16(0) & 0x7ff0) >>> 4) - 1023, -14);
  const steps = evenly(size * 2 ** (10 - exponent));
  // A mantissa that rounds up to 2048 carries into the exponent, as it should.
  return sign | (steps + ((exponent + 14) << 10));
}

/**
 * The number that the bits of a float16 stand for.
 *
 * @param {number} bits
 */
export function fromHalf(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 31;
  const mantissa = bits & 1023;
  if (exponent === 31) return mantissa ? NaN : sign * Infinity;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  return sign * (1024 + mantissa) * 2 ** (exponent - 25);
}

/**
 * A number rounded to a whole one, of two equally near the even one, as Python's `round`.
 *
 * @param {number} value
 */
export function evenly(value) {
  const low = Math.floor(value);
  const over = value - low;
  if (over !== 0.5) return over < 0.5 ? low : low + 1;
  return low % 2 === 0 ? low : low + 1;
}

/**
 * An array of the same kind, of zeros.
 *
 * @template {Data} T
 * @param {T} data
 * @param {number} length
 * @returns {T}
 */
export function like(data, length) {
  return new /** @type {any} */ (data.constructor)(length);
}
