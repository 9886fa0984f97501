/**
 * Tensors in one file, as Python writes them: a header in JSON, and then the numbers.
 *
 * In: the bytes of a safetensors file. Out: tensors by name; and the other way round.
 *
 * @typedef {import("./records.js").Tensor} Tensor
 * @typedef {import("./records.js").Tensors} Tensors
 * @typedef {{dtype: string, shape: number[], from: number, to: number}} Place `dtype` as the file
 *   calls it; bytes, counted from the end of the header
 */

import { ARRAYS } from "./steps/arrays.mjs";

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
 * @returns {{start: number, places: [string, Place][]}} `start`: where the tensors begin
 */
export function index(bytes) {
  const start = headerSize(bytes);
  const text = new TextDecoder().decode(new Uint8Array(bytes, 8, start - 8));
  const { __metadata__: _, ...said } = JSON.parse(text);
  const places = Object.entries(said).map(([name, { dtype, shape, data_offsets: [from, to] }]) => {
    return /** @type {[string, Place]} */ ([name, { dtype, shape, from, to }]);
  });
  return { start, places };
}

/**
 * How many bytes the header takes, with the eight that say so.
 *
 * @param {ArrayBuffer} bytes
 */
export function headerSize(bytes) {
  if (bytes.byteLength < 8) throw new Error("a safetensors file has at least eight bytes");
  return 8 + Number(new DataView(bytes).getBigUint64(0, true));
}

/**
 * @param {Place} place
 * @param {ArrayBuffer} bytes its own
 * @returns {Tensor}
 */
export function tensor({ dtype, shape }, bytes) {
  if (dtype === "BF16") {
    const wide = Uint32Array.from(new Uint16Array(bytes), (bits) => bits << 16);
    return { dtype: "float32", shape, data: new Float32Array(wide.buffer) };
  }
  const name = DTYPES[dtype];
  if (name === undefined) throw new TypeError(`JavaScript has no numbers for ${dtype}`);
  return { dtype: name, shape, data: new ARRAYS[name](bytes) };
}
