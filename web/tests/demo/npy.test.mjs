/** Files that numpy saved. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { read } from "../../src/demo/npy.mjs";

/**
 * A file as numpy writes it.
 *
 * @param {string} descr
 * @param {string} shape
 * @param {ArrayBufferLike} data
 * @param {string} [fortran]
 */
function file(descr, shape, data, fortran = "False") {
  let header = `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }`;
  header = `${header.padEnd(117)}\n`;
  const head = Uint8Array.from([0x93, ...Buffer.from("NUMPY"), 1, 0, header.length & 255, header.length >> 8]);
  return Uint8Array.from([...head, ...Buffer.from(header), ...new Uint8Array(data)]).buffer;
}

test("an array comes back with its dtype and shape", () => {
  const tensor = read(file("<f4", "(2, 2)", Float32Array.of(1, 2, 3, 4.5).buffer));
  assert.deepEqual(tensor, { dtype: "float32", shape: [2, 2], data: Float32Array.of(1, 2, 3, 4.5) });
});

test("a vector and a scalar have their shapes", () => {
  assert.deepEqual(read(file("<i8", "(2,)", BigInt64Array.of(1n, -1n).buffer)).shape, [2]);
  assert.deepEqual(read(file("|b1", "()", Uint8Array.of(1).buffer)).shape, []);
});

test("what is no .npy file is said to be none", () => {
  assert.throws(() => read(new TextEncoder().encode("a,b,c\n1,2,3\n4,5,6").buffer), /no \.npy file/);
  assert.throws(() => read(new ArrayBuffer(0)), /no \.npy file/);
});

test("a file that was cut off is told by its bytes", () => {
  const whole = file("<f4", "(4,)", Float32Array.of(1, 2, 3, 4).buffer);
  assert.throws(() => read(whole.slice(0, -4)), /\[4\] needs 16 bytes, and the file has 12/);
  assert.throws(() => read(whole.slice(0, 40)), /ends in its header/);
});

test("another byte order, and Fortran's order, are refused in words", () => {
  assert.throws(() => read(file(">f4", "(1,)", Float32Array.of(1).buffer)), />f4, which no input takes/);
  const data = Float32Array.of(1, 2, 3, 4).buffer;
  assert.throws(() => read(file("<f4", "(2, 2)", data, "True")), /numpy\.ascontiguousarray/);
});
