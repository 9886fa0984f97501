/** The numbers of a tensor as text, and back. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { chance, parsed, value, written, zeros } from "../../src/demo/values.mjs";

test("a text is a tensor again, whatever brackets and line ends are in it", () => {
  const tensor = parsed("[[1, -2.5e1],\n [nan, inf]]", "float32", [2, 2]);
  assert.deepEqual([...tensor.data], [1, -25, NaN, Infinity]);
  assert.equal(written(tensor), "1, -25\nNaN, Infinity");
});

test("64-bit integers are read to the last digit", () => {
  const tensor = parsed("9007199254740993 -1", "int64", [2]);
  assert.deepEqual([...tensor.data], [9007199254740993n, -1n]);
});

test("true and false are bytes in the tensor and words in the text", () => {
  const tensor = parsed("true, 0, FALSE, 1", "bool", [4]);
  assert.deepEqual([...tensor.data], [1, 0, 0, 1]);
  assert.equal(written(tensor), "true, false, false, true");
});

test("float16 is edited as numbers and held as bits", () => {
  const tensor = parsed("1.5, -0.25", "float16", [2]);
  assert.deepEqual([...tensor.data], [0x3e00, 0xb400]);
  assert.deepEqual([value(tensor, 0), value(tensor, 1)], [1.5, -0.25]);
});

test("what is no number of that dtype is named", () => {
  assert.throws(() => parsed("1, two", "float32", [2]), /"two" is no number/);
  assert.throws(() => parsed("1.5", "int32", [1]), /"1.5" is no whole number/);
  assert.throws(() => parsed("256", "uint8", [1]), /256 is no uint8, which goes from 0 to 255/);
  assert.throws(() => parsed("maybe", "bool", [1]), /neither true nor false/);
  assert.throws(() => parsed("0x10", "float32", [1]), /"0x10" is no number/);
});

test("too few values are counted, and the shape that asks for more is named", () => {
  assert.throws(() => parsed("1, 2, 3", "float32", [2, 2]), /3 values, expected 4: \[2, 2\] holds 4/);
});

test("a scalar holds one value, and an axis of nothing none", () => {
  assert.equal(parsed("7", "float32", []).data.length, 1);
  assert.equal(parsed("", "float32", [0, 3]).data.length, 0);
});

test("chance is different each time, and fits the dtype", () => {
  const draws = [0.25, 0.5, 0.75];
  let at = 0;
  const draw = () => draws[at++ % draws.length] ?? 0;
  assert.equal(new Set(chance("float32", [8], draw).data).size > 1, true);
  assert.ok([...chance("int64", [50]).data].every((one) => one >= 0n && one <= 9n));
  assert.ok([...chance("bool", [50]).data].every((one) => one === 0 || one === 1));
  assert.throws(() => zeros("complex64", [1]), /no dtype is named "complex64"/);
});
