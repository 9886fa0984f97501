/**
 * Tensors in one file, as Python writes them: a header in JSON, and then the numbers.
 *
 * In: the bytes of a safetensors file. Out: tensors by name; and the other way round. A FileError
 * says which file is not whole: `file` is what it is called there.
 *
 * @typedef {import("./records.js").Tensor} Tensor
 * @typedef {import("./records.js").Tensors} Tensors
 * @typedef {{dtype: string, shape: number[], from: number, to: number}} Place `dtype` as the file
 *   calls it; bytes, counted from the end of the header
 */

import { FileError, UPLOAD } from "./fetching.mjs";
import { ARRAYS, count } from "./steps/arrays.mjs";

/** Longer headers than this the format does not allow. */
const LONGEST = 100_000_000;
const FILE = "the safetensors file";

const DTYPES = /** @type {Record<string, keyof typeof ARRAYS>} */ ({
  F64: "float64",
  F32: "float32",
  F16: "float16",
  BOOL: "bool",
  U8: "uint8",
  I8: "int8",
  U16: "uint16",
  I16: "int16",
  U32: "uint32",
  I32: "int32",
  U64: "uint64",
  I64: "int64",
});

/**
 * All tensors of a file. Throws a TypeError for a dtype that JavaScript has no numbers for.
 *
 * @param {ArrayBuffer} bytes
 * @returns {Tensors}
 */
export function read(bytes) {
  const { start, places } = index(bytes);
  const all = places.map(([name, place]) => [name, tensor(place, bytes.slice(start + place.from, start + place.to))]);
  return Object.fromEntries(all);
}

/**
 * A file with these tensors.
 *
 * @param {Tensors} tensors
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function written(tensors) {
  let end = 0;
  const said = Object.entries(tensors).map(([name, { dtype, shape, data }]) => {
    const [from, code] = [end, Object.entries(DTYPES).find(([, known]) => known === dtype)?.[0]];
    if (code === undefined) throw new TypeError(`safetensors has no dtype for ${dtype}`);
    return [name, { dtype: code, shape, data_offsets: [from, (end += data.byteLength)] }];
  });
  const text = JSON.stringify(Object.fromEntries(said));
  const head = new TextEncoder().encode(text);
  // Numbers of eight bytes must begin at a multiple of eight.
  const start = 8 + Math.ceil(head.length / 8) * 8;
  const file = new Uint8Array(start + end).fill(32, 8, start);
  new DataView(file.buffer).setBigUint64(0, BigInt(start - 8), true);
  file.set(head, 8);
  let at = start;
  for (const { data } of Object.values(tensors)) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return file;
}

/**
 * What lies where.
 *
 * @param {ArrayBuffer} bytes the file, or its beginning
 * @param {string} [file]
 * @returns {{start: number, places: [string, Place][]}} `start`: where the tensors begin
 */
export function index(bytes, file = FILE) {
  const start = headerSize(bytes, file);
  if (start > bytes.byteLength) throw new FileError(`${file} ends within its header; ${UPLOAD}`);
  const { __metadata__: _, ...said } = parsed(new Uint8Array(bytes, 8, start - 8), file);
  const places = Object.entries(said).map(([name, { dtype, shape, data_offsets: [from, to] }]) => {
    const size = bytesOf(dtype, shape);
    if (size !== undefined && to - from !== size) {
      throw new FileError(`${file}: ${name} has ${to - from} bytes, ${dtype} [${shape}] takes ${size}; ${UPLOAD}`);
    }
    return /** @type {[string, Place]} */ ([name, { dtype, shape, from, to }]);
  });
  return { start, places };
}

/**
 * @param {Uint8Array} text
 * @param {string} file
 * @returns {Record<string, any>}
 */
function parsed(text, file) {
  try {
    return JSON.parse(new TextDecoder().decode(text));
  } catch {
    throw new FileError(`${file} has a header that is not JSON; ${UPLOAD}`);
  }
}

/**
 * How many bytes such a tensor takes; undefined for a dtype that JavaScript has no numbers for.
 *
 * @param {string} dtype
 * @param {readonly number[]} shape
 */
function bytesOf(dtype, shape) {
  const name = DTYPES[dtype];
  const wide = dtype === "BF16" ? 2 : name && ARRAYS[name].BYTES_PER_ELEMENT;
  return wide && wide * count(shape);
}

/**
 * How many bytes the header takes, with the eight that say so.
 *
 * @param {ArrayBuffer} bytes
 * @param {string} [file]
 */
export function headerSize(bytes, file = FILE) {
  const said = bytes.byteLength < 8 ? Infinity : Number(new DataView(bytes).getBigUint64(0, true));
  if (said > LONGEST) throw new FileError(`${file} does not begin as safetensors do; ${UPLOAD}`);
  return 8 + said;
}

/**
 * Throws a TypeError for a dtype that JavaScript has no numbers for.
 *
 * @param {Place} place
 * @param {ArrayBuffer} bytes its own
 * @param {string} [file]
 * @returns {Tensor}
 */
export function tensor({ dtype, shape }, bytes, file = FILE) {
  const size = bytesOf(dtype, shape);
  if (size !== undefined && bytes.byteLength !== size) {
    throw new FileError(`${file}: ${bytes.byteLength} bytes came of a tensor of ${size}; ${UPLOAD}`);
  }
  if (dtype === "BF16") {
    const wide = Uint32Array.from(new Uint16Array(bytes), (bits) => bits << 16);
    return { dtype: "float32", shape, data: new Float32Array(wide.buffer) };
  }
  const name = DTYPES[dtype];
  if (name === undefined) throw new TypeError(`JavaScript has no numbers for ${dtype}`);
  return { dtype: name, shape, data: new ARRAYS[name](bytes) };
}
