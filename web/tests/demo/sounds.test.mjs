/** Sounds that were made for a visitor without a recording. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { madeUp, wav } from "../../src/demo/sounds.mjs";

test("a WAV file says its rate and its length", () => {
  const view = new DataView(wav(Float32Array.of(0, 1, -1), 8000));
  assert.equal(view.byteLength, 50);
  assert.equal(view.getUint32(24, true), 8000);
  assert.equal(view.getUint32(40, true), 6);
});

test("samples are held to sixteen bits, and what is too loud is cut off", () => {
  const view = new DataView(wav(Float32Array.of(0.5, 2, -2), 8000));
  assert.deepEqual([0, 1, 2].map((at) => view.getInt16(44 + at * 2, true)), [16384, 32767, -32767]);
});

test("every made-up sound is heard, and none is too loud", () => {
  for (const [name, file] of madeUp()) {
    const samples = new Int16Array(file.slice(44));
    const loudest = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    assert.ok(loudest > 8000 && loudest < 32767, `${name}: ${loudest}`);
  }
});
