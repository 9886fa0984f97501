/** Sizes of axes. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { first, fixed, learnt, names } from "../../src/demo/sizes.mjs";

const INPUTS = [
  { name: "sound", dtype: "float32", shape: ["batch", 3, "time"] },
  { name: "flat", dtype: "float32", shape: ["batch*time", 2] },
];

test("each named axis is asked for once, and the factors of a product by themselves", () => {
  assert.deepEqual(names(INPUTS), ["batch", "time"]);
});

test("one item and a middling size are what a visitor begins with, within what is allowed", () => {
  assert.deepEqual(first(INPUTS, { batch: [1, 8], time: [2, 200] }, "batch"), { batch: 1, time: 16 });
  assert.deepEqual(first(INPUTS, { batch: [2, 8], time: [2, 6] }, "batch"), { batch: 2, time: 6 });
});

test("a product takes the sizes of its factors", () => {
  assert.deepEqual(fixed(["batch*time", 2], { batch: 3, time: 5 }), [15, 2]);
});

test("a file's shape says the sizes of the axes", () => {
  assert.deepEqual(learnt({ name: "sound", dtype: "float32", shape: ["batch", 3, "time"] }, [2, 3, 9]), { batch: 2, time: 9 });
});

test("a file of another shape is refused, with what was expected", () => {
  const spec = { name: "sound", dtype: "float32", shape: ["batch", 3, "time"] };
  assert.throws(() => learnt(spec, [2, 4, 9]), /input "sound": expected \[batch, 3, time\], got \[2, 4, 9\]/);
  assert.throws(() => learnt(spec, [3]), /got \[3\]/);
  const square = { name: "square", dtype: "float32", shape: ["side", "side"] };
  assert.throws(() => learnt(square, [2, 3]), /expected \[side, side\], got \[2, 3\]/);
});
