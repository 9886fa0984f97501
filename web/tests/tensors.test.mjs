/** What a page gives, taken or refused in words. */

import assert from "node:assert/strict";
import test from "node:test";

import { chosen } from "../src/tensors.mjs";

const x = { name: "x", dtype: "float32", shape: ["B", 2], of: "x", axes: null };
const ids = { name: "ids", dtype: "int64", shape: ["B"], of: "ids", axes: null };
const entry = { name: "run", inputs: [x, ids], outputs: [] };
const taken = (inputs, entries = [entry], name) => chosen(entries, { B: [1, 4] }, inputs, name);
const good = () => ({ x: { data: new Float32Array(4), shape: [2, 2] }, ids: new BigInt64Array(2) });
const refused = (inputs, words) => assert.throws(() => taken({ ...good(), ...inputs }), (error) => {
  assert.ok(error instanceof TypeError, String(error));
  assert.match(error.message, words);
  return true;
});

test("a shape is told from the numbers where one axis is open", () => {
  assert.deepEqual(taken({ x: new Float32Array(6), ids: new BigInt64Array(3) }).feeds.x.shape, [3, 2]);
});
test("a shape is told from another input's axis", () => {
  const square = { ...entry, inputs: [{ ...x, shape: ["B", "T"] }, ids] };
  const { feeds } = taken({ x: new Float32Array(6), ids: { data: new BigInt64Array(2), shape: [2] } }, [square]);
  assert.deepEqual(feeds.x.shape, [2, 3]);
});
test("two open axes need a shape", () => {
  const square = { ...entry, inputs: [{ ...x, shape: ["B", "T"] }] };
  assert.throws(() => taken({ x: new Float32Array(6) }, [square]), /the shape is missing.*\[B, T\]/);
});
test("the caller's arrays are copied", () => {
  const data = Float32Array.of(1, 2);
  const { feeds } = taken({ x: data, ids: new BigInt64Array(1) });
  feeds.x.data[0] = 9;
  assert.notEqual(feeds.x.data.buffer, data.buffer);
  assert.equal(data[0], 1);
});
test("a part of a larger buffer is copied alone", () => {
  const { feeds } = taken({ x: new Float32Array(100).fill(3, 10, 12).subarray(10, 12), ids: new BigInt64Array(1) });
  assert.deepEqual([feeds.x.data.buffer.byteLength, ...feeds.x.data], [8, 3, 3]);
});
test("an unknown name is answered with those that are known", () => refused({ y: 1 }, /"y".*takes "x", "ids"/));
test("a missing input is named with what it should be", () => refused({ ids: undefined }, /"ids" is missing.*BigInt64Array/));
test("a plain array is told how to become one of numbers", () => refused({ x: [1, 2] }, /Array.*Float32Array\.from/));
test("an array of another type is refused", () => refused({ x: new Float64Array(4) }, /Float64Array, expected a Float32Array/));
test("another dtype is refused", () => refused({ x: { ...good().x, dtype: "float64" } }, /"float64", expected/));
test("null is refused", () => refused({ x: null }, /holds null/));
test("a negative size is refused", () => refused({ x: { data: new Float32Array(4), shape: [-2, -2] } }, /whole numbers from 0/));
test("a fractional size is refused", () => refused({ x: { data: new Float32Array(4), shape: [2.5, 2] } }, /2\.5/));
test("a BigInt size is refused", () => refused({ x: { data: new Float32Array(4), shape: [2n, 2n] } }, /2n/));
test("too few elements are counted", () => refused({ x: { data: new Float32Array(3), shape: [2, 2] } }, /4 elements, and data has 3/));
test("another rank is refused", () => refused({ x: { data: new Float32Array(4), shape: [4] } }, /expected \[B, 2\], got \[4\]/));
test("an axis beyond its limits is refused", () => refused({ x: { data: new Float32Array(10), shape: [5, 2] } }, /B must be 1 to 4/));
test("an axis that differs between inputs is refused", () => refused({ ids: { data: new BigInt64Array(3), shape: [3] } }, /elsewhere/));
test("a transferred buffer is refused", () => {
  const data = new Float32Array(4);
  structuredClone(data, { transfer: [data.buffer] });
  refused({ x: { data, shape: [2, 2] } }, /transferred/);
});
test("a scalar has no axes", () => {
  const scalar = { ...entry, inputs: [{ ...x, shape: [] }] };
  assert.deepEqual(taken({ x: new Float32Array(1) }, [scalar]).feeds.x.shape, []);
});
test("an empty tensor is taken where the axis may be 0", () => {
  const { feeds } = chosen([{ ...entry, inputs: [x] }], { B: [0, 4] }, { x: new Float32Array(0) });
  assert.deepEqual(feeds.x.shape, [0, 2]);
});
test("the entry that fits is chosen, and a wrong name answered", () => {
  const entries = [1, 4].map((size) => ({ name: `b${size}`, inputs: [{ ...x, shape: [size, 2] }], outputs: [] }));
  assert.equal(taken({ x: new Float32Array(8) }, entries).entry.name, "b4");
  assert.throws(() => taken({ x: new Float32Array(6) }, entries), /b1: .*b4: /);
  assert.throws(() => taken({ x: new Float32Array(8) }, entries, "b9"), /"b9".*"b1", "b4"/);
});
