/** Numbers as a person reads them. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { bytes, counted, error, largest, median, percent, plain, time } from "../../src/demo/figures.mjs";

test("a size has the unit in which it is short", () => {
  assert.deepEqual([0, 999, 1000, 14_230_000, 999_600, 2_500_000_000].map(bytes), [
    "0 bytes", "999 bytes", "1.0 kB", "14.2 MB", "1.0 MB", "2.5 GB",
  ]);
});

test("a time below a second is in milliseconds", () => {
  assert.deepEqual([0.00084, 0.0476, 0.9996, 2.44, 61].map(time), ["0.8 ms", "48 ms", "1.0 s", "2.4 s", "61 s"]);
});

test("a share is nothing, or all, only where it really is", () => {
  assert.deepEqual([0, 1e-9, 0.8314, 0.99999, 1].map(percent), ["0.0 %", "< 0.1 %", "83.1 %", "> 99.9 %", "100.0 %"]);
});

test("whole numbers and words stay as they are, other numbers are cut to six figures", () => {
  assert.deepEqual([3, 9007199254740993n, true, "NaN", 0.123456789, 1e-9, NaN].map(plain), [
    "3", "9007199254740993", "true", "NaN", "0.123457", "1.000e-9", "NaN",
  ]);
});

test("an error of nothing is nothing, and one that is no number says so", () => {
  assert.deepEqual([0, 1.26e-6, NaN].map(error), ["0", "1.3e-6", "NaN"]);
});

test("the median of an even number of runs lies between the two in the middle", () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([9, 1, 5, 6]), 5.5);
  assert.ok(Number.isNaN(median([])));
});

test("of equal scores the earlier is first, and NaN is last", () => {
  assert.deepEqual(largest([1, NaN, 3, 3, -Infinity], 5), [2, 3, 0, 1, 4]);
});

test("one of something is in the singular", () => {
  assert.deepEqual([counted(0, "run"), counted(1, "box", "boxes"), counted(2, "box", "boxes")], ["no runs", "1 box", "2 boxes"]);
});
