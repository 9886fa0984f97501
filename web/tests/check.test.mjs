/** Answers, held to the bounds of a bundle. */

import assert from "node:assert/strict";
import test from "node:test";

import { compared } from "../src/compare.mjs";

const bound = { relative_l2: 1e-3, whole: 2.5, part: 4, element: 32, budget: 0, jumps: 0, jump: 0 };
const plain = { batch: 0, kind: "plain" };
const f32 = (values, shape = [values.length]) => ({ dtype: "float32", shape, data: Float32Array.from(values) });
const ints = (...values) => ({ dtype: "int64", shape: [values.length], data: BigInt64Array.from(values, BigInt) });
const noise = f32([1e-4, 1e-4, 1e-4]);
const reason = (got, more = {}) => compared(f32([1, 2, 3]), got, noise, { ...bound, ...more }, plain).reason;

test("the same answer is within all bounds", () => assert.equal(reason(f32([1, 2, 3])), ""));
test("an answer within its noise is accepted", () => assert.equal(reason(f32([1.0001, 2, 2.9999])), ""));
test("one element that is far off is refused", () => assert.match(reason(f32([1, 2, 3.01]), { whole: 1e9, part: 1e9, relative_l2: 1 }), /in an element/));
test("all elements that are a little off are refused", () => assert.match(reason(f32([1.0005, 2.0005, 3.0005])), /error over noise 5\.00e\+0/));
test("the whole being far is refused", () => assert.match(reason(f32([2, 2, 3])), /^relative L2/));
test("NaN is refused", () => assert.notEqual(reason(f32([NaN, 2, 3])), ""));
test("NaN first and a right number last is refused", () => assert.notEqual(reason(f32([1, NaN, 3]), { relative_l2: Infinity }), ""));
test("NaN where the original says NaN is the same", () => {
  const want = f32([NaN, Infinity, 1]);
  assert.equal(compared(want, f32([NaN, Infinity, 1]), undefined, bound, plain).reason, "");
});
test("another shape is refused, and so is nothing", () => {
  assert.match(reason(f32([1, 2])), /shape/);
  assert.match(reason(undefined), /missing/);
});
test("as many elements may jump as the bound says", () => {
  const jumps = { jumps: 0.3, jump: 10 };
  assert.equal(reason(f32([1, 2, 9]), jumps), "");
  assert.notEqual(reason(f32([1, 9, 9]), jumps), "");
  assert.notEqual(reason(f32([1, 2, 30]), jumps), "");
});
test("integers are exact, but for those of which the original is unsure", () => {
  const asked = (got, own) => compared(ints(1, 2, 3, 4), got, own, { ...bound, jumps: 1 }, plain).reason;
  assert.equal(compared(ints(1, 2), ints(1, 2), undefined, bound, plain).reason, "");
  assert.match(compared(ints(1, 2), ints(1, 3), undefined, bound, plain).reason, /1 of 2 elements differ/);
  assert.equal(asked(ints(1, 2, 0, 0), undefined), "");
  assert.match(asked(ints(1, 0, 0, 0), undefined), /allowed 2/);
  assert.equal(asked(ints(1, 0, 0, 0), f32([0, 0, 0, 1])), "");
});
test("a bad slice is found within a good whole", () => {
  const want = f32(Array(1000).fill(1), [100, 10]);
  const got = f32(want.data.map((one, i) => (i < 10 ? one + 1e-5 : one)), [100, 10]);
  const own = f32(Array(1000).fill(1e-6), [100, 10]);
  assert.match(compared(want, got, own, bound, plain).reason, /in a slice/);
});
test("a budget is granted in proportion to the answer", () => {
  assert.equal(reason(f32([1.01, 2, 3]), { budget: 0.02, relative_l2: 0.02 }), "");
});
test("boxes are a set", () => {
  const rows = [[0, 0, 5, 5, 0.9, 1], [9, 9, 12, 12, 0.9, 2]];
  const boxes = (order) => f32(order.flatMap((i) => rows[i]), [2, 6]);
  assert.equal(compared(boxes([0, 1]), boxes([1, 0]), undefined, bound, { batch: null, kind: "detection" }).reason, "");
  assert.notEqual(compared(boxes([0, 1]), boxes([1, 0]), undefined, bound, { batch: null, kind: "plain" }).reason, "");
});
