import assert from "node:assert/strict";
import { test } from "node:test";
import { inflateSync } from "node:zlib";
import { pngOf, stored } from "../../src/steps/png.mjs";
import { descending } from "../../src/steps/scores.mjs";
import { picture, say } from "../../src/steps/words.mjs";

const label = (says, options = {}) => [
  { op: "label", of: "y", options: { says, labels: null, zeros: true, space: null, ...options } },
];
const tensor = (dtype, shape, data) => ({ y: { dtype, shape, data } });

test("a score is the shortest number that reads back the same", async () => {
  const scores = Float32Array.of(0.1, 1 / 3, 16777216, 1e-45, 3.4028235e38);
  const { y } = await say(label("classes"), tensor("float32", [1, 5], scores), {}, true);
  assert.deepEqual(
    y.map(({ score }) => String(score)),
    ["0.1", "0.33333334", "16777216", "1e-45", "3.4028235e+38"],
  );
  for (let i = 0; i < 5; i++) assert.equal(Math.fround(y[i].score), scores[i]);
});

test("a score in half precision is short, too", async () => {
  const halves = Uint16Array.of(0x2e66, 0x7c00, 0xfc00, 0x7e00);
  const { y } = await say(label("classes"), tensor("float16", [1, 4], halves), {}, true);
  assert.deepEqual(
    y.map(({ score }) => score),
    [0.1, "Infinity", "-Infinity", "NaN"],
  );
});

test("an output without a label is nested lists", async () => {
  const whole = tensor("int64", [1, 2], BigInt64Array.of(3n, -(2n ** 53n) - 1n));
  assert.deepEqual(await say([], whole, {}, true), { y: [3, "-9007199254740993"] });
  assert.deepEqual(await say([], whole, {}, false), { y: [[3, "-9007199254740993"]] });
  const odd = tensor("float64", [2, 0], new Float64Array(0));
  assert.deepEqual(await say([], odd, {}, true), { y: [[], []] });
  assert.deepEqual(await say([], tensor("bool", [], Uint8Array.of(1)), {}, true), { y: true });
});

test("a text's space can be any sign", async () => {
  const ids = tensor("int64", [3], BigInt64Array.of(1n, 0n, 1n));
  const { y } = await say(label("text", { labels: ["$&", "a"], space: "$&" }), ids, {}, true);
  assert.equal(y.text, "a a");
});

test("of equal scores the lower index is first, and no number is last", () => {
  assert.deepEqual(descending([1, NaN, 2, 2, -Infinity]), [2, 3, 0, 1, 4]);
});

/** The chunks of a PNG by name. */
function chunksOf(png) {
  const bytes = Buffer.from(png);
  const found = {};
  for (let at = 8; at < bytes.length; at += 12 + bytes.readUInt32BE(at)) {
    found[bytes.toString("latin1", at + 4, at + 8)] = bytes.subarray(
      at + 8,
      at + 8 + bytes.readUInt32BE(at),
    );
  }
  return found;
}

test("a mask's PNG holds its classes and their colours", async () => {
  const steps = [
    {
      op: "palette",
      of: "y",
      options: {
        colours: [
          [0, 0, 0],
          [255, 0, 9],
        ],
      },
    },
  ];
  const mask = tensor("uint8", [1, 2, 3], Uint8Array.of(0, 1, 1, 1, 0, 0));
  const { IHDR, PLTE, IDAT } = chunksOf(await picture(steps, mask));
  assert.deepEqual([...IHDR], [0, 0, 0, 3, 0, 0, 0, 2, 8, 3, 0, 0, 0]);
  assert.deepEqual([...PLTE], [0, 0, 0, 255, 0, 9]);
  assert.deepEqual([...inflateSync(IDAT)], [0, 0, 1, 1, 0, 1, 0, 0]);
});

test("where nothing compresses, a PNG is as right and larger", async () => {
  const stream = globalThis.CompressionStream;
  const pixels = Uint8Array.from({ length: 300 * 300 }, (_, i) => i % 7);
  const small = chunksOf(await pngOf(pixels, 300, 300, [[1, 2, 3]])).IDAT;
  try {
    delete globalThis.CompressionStream;
    const large = chunksOf(await pngOf(pixels, 300, 300, [[1, 2, 3]])).IDAT;
    assert.ok(large.length > 20 * small.length);
    assert.deepEqual(inflateSync(large), inflateSync(small));
  } finally {
    globalThis.CompressionStream = stream;
  }
  assert.equal(inflateSync(stored(new Uint8Array(0))).length, 0);
});
