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

const opened = () => Golden.open(new URL("http://host/golden.safetensors"));
const isOfFile = (pattern) => (error) => error.name === "FileError" && /golden\.safetensors/.test(error.message) && pattern.test(error.message);
const answering = (t, answer) => t.mock.method(globalThis, "fetch", async (_, { headers }) => {
  const [, from, to] = /bytes=(\d+)-(\d+)/.exec(headers.Range);
  return answer(Number(from), Number(to) + 1);
});

test("a file that is cut short, and sent whole, is refused by name", async (t) => {
  const file = written(TENSORS);
  answering(t, () => new Response(file.slice(0, file.length - 5000)));
  const golden = await opened();
  const large = golden.cases.find((one) => one.bytes === 160000);
  await assert.rejects(golden.read(large), isOfFile(/bytes came of a tensor of 160000/));
});
test("a part that is shorter than its tensor is refused by name", async (t) => {
  const file = written(TENSORS);
  answering(t, (from, to) => new Response(file.slice(from, from ? to - 4 : to), { status: 206 }));
  const golden = await opened();
  const large = golden.cases.find((one) => one.bytes === 160000);
  await assert.rejects(golden.read(large), isOfFile(/159996 bytes came of a tensor of 160000/));
});
for (const [what, file, pattern] of [
  ["a page of HTML", "<!doctype html><title>Not here</title>", /does not begin as safetensors do/],
  ["nothing", "", /does not begin as safetensors do/],
  ["half a header", written(TENSORS).slice(0, 40), /ends within its header/],
]) {
  test(`${what} in the place of golden cases is refused by name`, async (t) => {
    answering(t, () => new Response(file));
    await assert.rejects(opened(), isOfFile(pattern));
  });
}
test("a tensor whose place is not as long as its shape is refused", () => {
  const short = { x: { dtype: "float32", shape: [3], data: Float32Array.of(1, 2) } };
  assert.throws(() => read(written(short).buffer), /x has 8 bytes, F32 \[3\] takes 12/);
  const file = written({ x: f32(1, 2) });
  assert.throws(() => read(file.buffer.slice(0, file.length - 4)), /4 bytes came of a tensor of 8/);
});
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
