/** What a visitor is told of the model, and how to use it. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { purpose } from "../../src/demo/about.mjs";
import { lines } from "../../src/demo/usage.mjs";

const NUMBERS = /** @type {any} */ ({
  signature: { inputs: [{ name: "x" }, { name: "use it" }], outputs: [{ name: "y" }] },
  steps: null,
  axes: { batch: [1, 8] },
  batch: "batch",
  entries: [{ inputs: [{ name: "x", dtype: "float32", shape: ["batch", 3] }, { name: "use it", dtype: "bool", shape: ["batch"] }] }],
});
const PHOTOS = /** @type {any} */ ({
  signature: { inputs: [{ name: "image" }, { name: "how" }], outputs: [] },
  steps: {
    inputs: { image: { media: ["image/jpeg"], suffixes: [], host: [], graph: null } },
    host: [
      { of: "boxes", op: "label", options: { says: "boxes" } },
      { of: "mask", op: "label", options: { says: "mask" } },
    ],
  },
});

test("a model of tensors says their names", () => {
  assert.equal(purpose(NUMBERS), "It takes numbers (x, use it) and answers with numbers (y).");
});

test("a model of photos says so, with the tensors that come beside them", () => {
  assert.equal(purpose(PHOTOS), "It takes a photo and numbers (how) and answers with boxes and a mask.");
});

test("the lines to copy are JavaScript, and every input has numbers of its own", () => {
  const code = lines(NUMBERS, "/model.mjs").split("\n").slice(1).join("\n");
  assert.doesNotThrow(() => new Function(`return async (load, x, use_it) => { ${code} }`));
  assert.match(code, /data: x,/);
  assert.match(code, /"use it": \{\n {4}dtype: "bool",\n {4}shape: \[1\],\n {4}data: use_it,/);
});
