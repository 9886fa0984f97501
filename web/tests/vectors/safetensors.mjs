/**
 * The safetensors format, as far as test vectors need it: tensors by name, and metadata of texts.
 *
 * @typedef {import("../../src/steps/arrays.mjs").Tensor} Tensor
 * @typedef {{tensors: Record<string, Tensor>, metadata: Record<string, string>}} File
 */

import { ARRAYS } from "../../src/steps/arrays.mjs";

const NAMES = /** @type {Record<string, keyof typeof ARRAYS>} */ ({
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
  I64: "int64",
  U64: "uint64",
});

/**
 * @param {Uint8Array} bytes
 * @returns {File}
 */
export function read(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const start = 8 + Number(view.getBigUint64(0, true));
  const { __metadata__: metadata, ...heads } = JSON.parse(new TextDecoder().decode(bytes.subarray(8, start)));
  /** @type {Record<string, Tensor>} */
  const tensors = {};
  for (const [name, { dtype: short, shape, data_offsets }] of Object.entries(heads)) {
    const [from, to] = data_offsets;
    const dtype = /** @type {keyof typeof ARRAYS} */ (NAMES[short]);
    const own = bytes.slice(start + from, start + to).buffer;
    tensors[name] = { dtype, shape, data: new ARRAYS[dtype](own) };
  }
  return { tensors, metadata };
}

/**
 * @param {File} file
 * @returns {Uint8Array}
 */
export function write({ tensors, metadata }) {
  const short = Object.fromEntries(Object.entries(NAMES).map(([name, dtype]) => [dtype, name]));
  /** @type {Record<string, unknown>} */
  const heads = { __metadata__: metadata };
  const pieces = [];
  let at = 0;
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    heads[name] = { dtype: short[dtype], shape, data_offsets: [at, at + bytes.length] };
    pieces.push(bytes);
    at += bytes.length;
  }
  const head = new TextEncoder().encode(JSON.stringify(heads));
  const made = new Uint8Array(8 + head.length + at);
  new DataView(made.buffer).setBigUint64(0, BigInt(head.length), true);
  made.set(head, 8);
  let to = 8 + head.length;
  for (const piece of pieces) {
    made.set(piece, to);
    to += piece.length;
  }
  return made;
}
