/** What went wrong, in words. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { inWords } from "../../src/demo/problems.mjs";
import { Refused } from "../../src/steps/refused.mjs";

test("a refusal has its status and what that means", () => {
  assert.equal(inWords(new Refused("this is no image", 415)), "this is no image (another kind of file than this model takes, 415)");
});

test("a network that is away is said to be", () => {
  assert.equal(inWords(new TypeError("Failed to fetch")), "a file could not be fetched: Failed to fetch");
});

test("a wrong type keeps its own words", () => {
  assert.equal(inWords(new TypeError('input "x" is missing')), 'input "x" is missing');
});

test("what is no error is said as it is", () => {
  assert.equal(inWords("stop"), "stop");
  assert.equal(inWords(new RangeError()), "RangeError");
});
