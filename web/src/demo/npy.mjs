/**
 * A .npy file, read: numbers that numpy saved. Pure: no page is needed.
 */

import { ARRAYS } from "../steps/arrays.mjs";

/** @typedef {import("../records.js").Tensor} Tensor */

/** What numpy calls a dtype in a file -> its name. */
const NAMES = /** @type {Record<string, keyof typeof ARRAYS>} */ ({
  "<f4": "float32",
  "<f8": "float64",
  "<f2": "float16",
  "|b1": "bool",
  "|u1": "uint8",
  "|i1": "int8",
  "<u2": "uint16",
  "<i2": "int16",
  "<u4": "uint32",
  "<i4": "int32",
  "<i8": "int64",
  "<u8": "uint64",
});

/**
 * The array in such a file. Throws a TypeError that says what is wrong with it.
 *
 * @param {ArrayBuffer} file
 * @returns {Tensor}
 */
export function read(file) {
  const { header, start } = opened(file);
  const kind = /'descr':\s*'([^']+)'/.exec(header)?.[1] ?? "";
  const dtype = NAMES[kind];
  if (dtype === undefined) throw new TypeError(`the file holds ${kind || "records"}, which no input takes`);
  const sizes = /'shape':\s*\(([^)]*)\)/.exec(header)?.[1] ?? "";
  const shape = sizes.split(",").filter((size) => size.trim()).map(Number);
  if (/'fortran_order':\s*True/.test(header) && shape.length > 1) {
    throw new TypeError("the file is in Fortran's order; save numpy.ascontiguousarray(array)");
  }
  const count = shape.reduce((all, size) => all * size, 1);
  const Kind = ARRAYS[dtype];
  const need = count * Kind.BYTES_PER_ELEMENT;
  if (file.byteLength - start !== need) {
    throw new TypeError(`[${shape.join(", ")}] needs ${need} bytes, and the file has ${file.byteLength - start}`);
  }
  return { dtype, shape, data: new Kind(file.slice(start)) };
}

/** @param {ArrayBuffer} file */
function opened(file) {
  const all = new Uint8Array(file);
  const magic = String.fromCharCode(...all.subarray(1, 6));
  if (all[0] !== 0x93 || magic !== "NUMPY" || file.byteLength < 12) {
    throw new TypeError("this is no .npy file; numpy.save writes one");
  }
  const view = new DataView(file);
  const late = (all[6] ?? 1) > 1;
  const start = late ? 12 + view.getUint32(8, true) : 10 + view.getUint16(8, true);
  if (start > file.byteLength) throw new TypeError("the .npy file ends in its header");
  return { header: new TextDecoder().decode(all.subarray(late ? 12 : 10, start)), start };
}
