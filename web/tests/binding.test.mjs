/** The model's terms and the artifact's, there and back. */

import assert from "node:assert/strict";
import test from "node:test";

import { answer, calls, split } from "../src/binding.mjs";
import { permuted } from "../src/layout.mjs";

const spec = (name, shape, dtype = "float32") => ({ name, dtype, shape });
const port = (name, shape, axes = null, dtype = "float32", of = name) => ({ name, dtype, shape, of, axes });
const counting = (shape) => ({
  dtype: "float32", shape, data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
});
const about = (entries, batch = "B", output = ["B", 3, 2]) => ({
  entries, batch, signature: { inputs: [spec("x", ["B", 3, 2])], outputs: [spec("y", output)] },
});
const echo = (asked) => asked.map(({ feeds, entry }) => ({ [entry.outputs[0].name]: Object.values(feeds)[0] }));

test("a batch is split by the largest that fits, and the last filled up", () => {
  assert.deepEqual(split(5, [4, 1]).map((one) => one.rows), [[0, 1, 2, 3], [4]]);
  assert.deepEqual(split(3, [2]).map((one) => [one.rows, one.kept]), [[[0, 1], 2], [[2, 2], 1]]);
});
test("axes are permuted and brought back", () => {
  const given = counting([2, 3, 4]);
  const there = permuted(given, [2, 0, 1]);
  assert.deepEqual(there.shape, [4, 2, 3]);
  assert.deepEqual([...there.data.slice(0, 3)], [0, 4, 8]);
  assert.deepEqual(permuted(there, [1, 2, 0]), given);
});
test("rows that were filled up are not in the answer", () => {
  const entry = { name: "two", inputs: [port("in", [2, 2, 3], [0, 2, 1], "float32", "x")], outputs: [port("out", [2, 2, 3], [0, 2, 1], "float32", "y")] };
  const [bundle, x] = [about([entry]), counting([3, 3, 2])];
  const asked = calls(bundle, { x });
  assert.deepEqual(asked.map((one) => one.feeds.in.shape), [[2, 2, 3], [2, 2, 3]]);
  assert.deepEqual(answer(bundle, asked, echo(asked)).y, x);
});
test("a product of axes is as many elements wide for each row", () => {
  const entry = { name: "one", inputs: [port("x", [1, 3, 2])], outputs: [port("y", ["B*T"])] };
  const bundle = about([entry], "B", ["B*T"]);
  const asked = calls(bundle, { x: counting([2, 3, 2]) });
  const said = asked.map((_, i) => ({ y: { dtype: "float32", shape: [2], data: Float32Array.of(i, i + 10) } }));
  assert.deepEqual([...answer(bundle, asked, said).y.data], [0, 10, 1, 11]);
});
test("an output without the batch forbids splitting", () => {
  const entry = { name: "one", inputs: [port("x", [1, 3, 2])], outputs: [port("y", [1])] };
  assert.throws(() => calls(about([entry], "B", [1]), { x: counting([2, 3, 2]) }), /"y" has no axis B/);
});
test("integers beyond the artifact's are refused", () => {
  const bundle = { entries: [{ name: "e", inputs: [port("i", ["B"], null, "int32")], outputs: [] }], batch: "B",
    signature: { inputs: [spec("i", ["B"], "int64")], outputs: [] } };
  const i = (value) => ({ i: { dtype: "int64", shape: [1], data: BigInt64Array.of(value) } });
  assert.deepEqual(calls(bundle, i(7n))[0].feeds.i.data, Int32Array.of(7));
  assert.throws(() => calls(bundle, i(2n ** 40n)), /beyond int32/);
});
test("what no entry takes is said with its shape", () => {
  const entry = { name: "e", inputs: [port("z", [1])], outputs: [] };
  assert.throws(() => calls(about([entry]), { x: counting([2, 3, 2]) }), /nothing in the artifact takes x \[2, 3, 2\]/);
});
