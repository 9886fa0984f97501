/** Which way to run a model is tried first, and why. */

import assert from "node:assert/strict";
import test from "node:test";

import { rungs } from "../src/ladder.mjs";

const here = { isolated: true, cores: 8, gpu: "" };
const names = (ladder, wishes, machine) => rungs(ladder, wishes, { ...here, ...machine }).map((rung) => rung.name);

test("four threads at most, and then one", () => assert.deepEqual(names(["wasm"], {}), ["wasm, 4 threads", "wasm, 1 thread"]));
test("as many threads as are asked for", () => assert.equal(names(["wasm"], { threads: 2 })[0], "wasm, 2 threads"));
test("one thread, where the page is not isolated, and it says why", () => {
  const [only, ...more] = rungs(["wasm"], { threads: 2 }, { ...here, isolated: false });
  assert.deepEqual([only.threads, more], [1, []]);
  assert.match(only.why, /cross-origin isolated/);
});
test("WebGPU is only taken when asked for", () => {
  assert.equal(names(["webgpu", "wasm"], {})[0], "wasm, 4 threads");
  assert.equal(names(["webgpu", "wasm"], { prefer: "webgpu" })[0], "webgpu");
});
test("WebGPU that is not there is said to be missing", () => {
  const ask = (ladder, gpu) => rungs(ladder, { prefer: "webgpu" }, { ...here, gpu })[0];
  assert.match(ask(["webgpu", "wasm"], "no adapter").why, /^no adapter; /);
  assert.match(ask(["wasm"], "").why, /built without WebGPU/);
});
test("one thread, where the runtime has no threads, however many are asked for", () => {
  for (const wishes of [{}, { threads: 2 }]) {
    const [only, ...more] = rungs(["wasm-1t"], wishes, here);
    assert.deepEqual([only.name, only.why, more], ["wasm, 1 thread", "its runtime has no threads", []]);
  }
});
test("wishes that cannot be meant are TypeErrors", () => {
  for (const wishes of [{ threads: 0 }, { threads: 1.5 }, { threads: "2" }, { prefer: "gpu" }]) {
    assert.throws(() => rungs(["wasm"], wishes, here), TypeError);
  }
});
test("never more threads than cores, however many are asked for", () => {
  assert.equal(names(["wasm"], { threads: 16 })[0], "wasm, 8 threads");
  const [only] = rungs(["wasm"], { threads: 2 }, { ...here, cores: 1 });
  assert.deepEqual([only.threads, only.why], [1, "this machine has one core"]);
});
