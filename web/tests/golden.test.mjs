/** Golden cases, read from a file by its ranges or whole. */

import assert from "node:assert/strict";
import test from "node:test";

import { Golden } from "../src/golden.mjs";
import { read, written } from "../src/safetensors.mjs";

const f32 = (...values) => ({ dtype: "float32", shape: [values.length], data: Float32Array.from(values) });
const TENSORS = {
  "tensors/b|1/run/in/x": f32(1, 2),
  "tensors/b|1/run/out/y": { dtype: "int64", shape: [1], data: BigInt64Array.of(-5n) },
  "tensors/a/run/in/x": f32(...Array(40000).keys()),
  "tensors/a/run/out/y": f32(),
  "bytes/a/run/in/x": { dtype: "uint8", shape: [3], data: Uint8Array.of(1, 2, 3) },
};

const served = (file, ranges) => async (_, { headers }) => {
  const [, from, to] = /bytes=(\d+)-(\d+)/.exec(headers.Range);
  return ranges ? new Response(file.slice(Number(from), Number(to) + 1), { status: 206 }) : new Response(file);
};

for (const ranges of [true, false]) {
  test(`cases are read ${ranges ? "by ranges" : "whole, where the host knows no ranges"}`, async (t) => {
    t.mock.method(globalThis, "fetch", served(written(TENSORS), ranges));
    const golden = await Golden.open(new URL("http://host/golden.safetensors"));
    assert.deepEqual(golden.cases.map((one) => [one.golden, one.call, one.bytes]).sort(), [["bytes", "a", 3], ["tensors", "a", 160000], ["tensors", "b/1", 16]]);
    const [large, small] = golden.cases.filter((one) => one.golden === "tensors");
    assert.deepEqual((await golden.read(small)).out.y, TENSORS["tensors/b|1/run/out/y"]);
    assert.deepEqual((await golden.read(large)).in.x, TENSORS["tensors/a/run/in/x"]);
    assert.deepEqual((await golden.read(large)).out.y.data, new Float32Array(0));
  });
}

test("what is written is read again", () => {
  assert.deepEqual(read(written(TENSORS).buffer), TENSORS);
});
test("bfloat16 is read as what it stands for", () => {
  const text = new TextEncoder().encode('{"x":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}');
  const file = new Uint8Array(8 + text.length + 2);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  file.set([0xc0, 0x3f], 8 + text.length);
  assert.equal(read(file.buffer).x.data[0], 1.5);
});
