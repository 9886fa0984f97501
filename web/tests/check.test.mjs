/** Answers, held to the bounds of a bundle; and its golden cases, asked of a model. */

import assert from "node:assert/strict";
import test from "node:test";

import { selfChecked, verified } from "../src/check.mjs";
import { compared } from "../src/compare.mjs";
import { written } from "../src/safetensors.mjs";

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
test("where all may jump and no other strays, the first must be right", () => {
  const jumps = { jumps: 1, jump: 10 };
  assert.match(reason(f32([9, 2, 3]), jumps), /in an element 8\.00e\+4/);
  assert.equal(reason(f32([1, 9, 3]), jumps), "");
  assert.equal(reason(f32([9, 2.0001, 3]), jumps), "");
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

/** A bundle as it lies on a host, and an engine that answers as it is told. */
const BASE = new URL("http://host/bundle/");

function bundle(t, tensors, manifest = {}) {
  const state = { down: false };
  const said = {
    lanes: [{ recipe: "fp32" }],
    signatures: { tensors: { outputs: [{ name: "y", kind: "plain" }] } },
    bounds: { fp32: { tensors: { y: bound } } },
    files: tensors ? { "golden.safetensors": { sha256: "a", size: 100 } } : {},
    ...manifest,
  };
  t.mock.method(globalThis, "fetch", async (url) => {
    if (state.down === "503") return new Response("", { status: 503 });
    if (state.down) throw new TypeError("Failed to fetch");
    if (url.pathname.endsWith(".json")) return new Response(JSON.stringify(said));
    return new Response(written(tensors));
  });
  return Object.assign(state, { said });
}

const port = { name: "y", dtype: "float32", shape: ["B"], of: "y", axes: null };
const about = {
  code: "c0de",
  batch: "B",
  entries: [{ name: "run", inputs: [], outputs: [port] }],
  signature: { inputs: [], outputs: [{ name: "y", dtype: "float32", shape: ["B"] }] },
  files: { model: { path: "m", size: 1, sha256: "d".repeat(64) } },
};
const place = (answer, { provider = "wasm", more = {} } = {}) => ({
  base: BASE,
  about: { ...about, ...more },
  rung: { provider, threads: 1, name: provider, why: "" },
  engine: { asked: 0, async ask(_, { message }) { return (this.asked += 1, answer(message.run.feeds)); } },
  guest: { key: "g" },
});
const same = ({ x }) => ({ y: x });
const nothing = new AbortController().signal;
const cases = (all) => Object.assign({}, ...Object.entries(all).map(([call, [x, y]]) => ({
  [`tensors/${call}/run/in/x`]: f32(x),
  ...(y && { [`tensors/${call}/run/out/y`]: f32(y) }),
})));
const rowsOf = async (where) => {
  const rows = [];
  for await (const row of verified(where, nothing)) rows.push(row);
  return rows;
};
/** localStorage, as a browser has it. */
function storage(t) {
  const kept = new Map();
  globalThis.localStorage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
  t.after(() => delete globalThis.localStorage);
  return kept;
}
function adapter(t, info) {
  Object.defineProperty(globalThis, "navigator", { configurable: true, value: { userAgent: "x", gpu: { requestAdapter: async () => ({ info }) } } });
  t.after(() => delete globalThis.navigator);
}

for (const [what, tensors, more] of [
  ["has no golden cases", null, {}],
  ["has an empty file of golden cases", {}, { files: { "golden.safetensors": { sha256: "a", size: 0 } } }],
  ["has golden cases, and none", {}, {}],
  ["has cases of bytes alone", { "bytes/a/predict/in/x": f32([1]), "bytes/a/predict/out/y": f32([1]) }, {}],
  ["has cases with empty answers alone", cases({ a: [[], []] }), {}],
]) {
  test(`a bundle that ${what} is not checked, and is not taken on WebGPU`, async (t) => {
    bundle(t, tensors, more);
    const plainly = await selfChecked(place(same), nothing);
    assert.match(plainly.said, /^not checked: no golden case/);
    assert.equal(plainly.wrong, "");
    assert.match((await selfChecked(place(same, { provider: "webgpu" }), nothing)).wrong, /not checked/);
  });
}
test("to verify a bundle without cases is an error, and no empty success", async (t) => {
  bundle(t, null);
  await assert.rejects(rowsOf(place(same)), /no golden case.*golden = "synthetic"/);
});
test("the smallest case that has an answer is asked, and exact is 0", async (t) => {
  bundle(t, cases({ empty: [[], []], large: [[1, 2, 3], [1, 2, 3]], small: [[4], [4]] }));
  assert.equal((await selfChecked(place(same), nothing)).said, "case small is as the original's, relative L2 0");
});
test("an answer in another dtype is a failure, though its numbers are right", async (t) => {
  bundle(t, cases({ a: [[1], [1]] }));
  const wide = ({ x }) => ({ y: { ...x, dtype: "float64", data: Float64Array.from(x.data) } });
  assert.equal((await selfChecked(place(wide), nothing)).wrong, "y of case a: its dtype is float64, expected float32");
});
test("an output that only one side has is a failure", async (t) => {
  bundle(t, cases({ a: [[1], [1]] }));
  assert.match((await selfChecked(place(() => ({})), nothing)).wrong, /y of case a: it is missing/);
  assert.match((await selfChecked(place(({ x }) => ({ y: x, z: x })), nothing)).wrong, /z of case a: .*no such output/);
  const two = [port, { ...port, name: "z", of: "z" }];
  const wider = { entries: [{ name: "run", inputs: [], outputs: two }] };
  assert.match((await selfChecked(place(({ x }) => ({ y: x, z: x }), { more: wider }), nothing)).wrong, /z of case a: .*no answer/);
});
test("a case that asks for no output is a failure", async (t) => {
  bundle(t, cases({ a: [[1], null] }));
  const none = { entries: [{ name: "run", inputs: [], outputs: [] }] };
  const rows = await rowsOf(place(() => ({}), { more: none }));
  assert.deepEqual(rows.map((row) => row.passed), [false]);
});
test("a case that cannot be asked is a row that failed, and the next is asked", async (t) => {
  bundle(t, cases({ a: [[1], [1]], b: [[2], [2]] }));
  const rows = await rowsOf(place(({ x }) => { if (x.data[0] === 1) throw new Error("out of memory"); return { y: x }; }));
  assert.deepEqual(rows.map((row) => [row.case, row.passed, row.reason]), [["a", false, "out of memory"], ["b", true, ""]]);
});
test("who aborts a verification gets the reason", async (t) => {
  bundle(t, cases({ a: [[1], [1]], b: [[2], [2]] }));
  const ending = new AbortController();
  const where = place(() => { ending.abort(new Error("enough")); throw ending.signal.reason; });
  await assert.rejects(verified(where, ending.signal).next(), /enough/);
});
test("a verdict is remembered until what it hangs on changes", async (t) => {
  const kept = storage(t);
  const host = bundle(t, cases({ a: [[1], [1]] }));
  const asked = async (where = place(same)) => (await selfChecked(where, nothing), where.engine.asked);
  assert.deepEqual([await asked(), await asked()], [1, 0]);
  host.said.files = { "golden.safetensors": { sha256: "b", size: 100 } };
  assert.deepEqual([await asked(), await asked()], [1, 0]);
  host.said.bounds = { fp32: { tensors: { y: { ...bound, relative_l2: 1e-4 } } } };
  assert.deepEqual([await asked(), await asked()], [1, 0]);
  assert.equal(await asked(place(same, { more: { code: "other" } })), 1);
  assert.equal(kept.size, 1);
});
test("without a network what is remembered is enough, and nothing else is", async (t) => {
  storage(t);
  const host = bundle(t, cases({ a: [[1], [1]] }));
  await selfChecked(place(same), nothing);
  host.down = "503";
  assert.match((await selfChecked(place(same), nothing)).said, /in this browser before$/);
  host.down = true;
  assert.match((await selfChecked(place(same), nothing)).said, /in this browser before$/);
  await assert.rejects(selfChecked(place(same, { more: { code: "other" } }), nothing), /cannot be fetched/);
});
test("another graphics card is asked again", async (t) => {
  storage(t);
  bundle(t, cases({ a: [[1], [1]] }));
  for (const [device, times] of [["one", 1], ["one", 0], ["two", 1]]) {
    adapter(t, { vendor: "v", architecture: "a", device, description: "" });
    const where = place(same, { provider: "webgpu" });
    await selfChecked(where, nothing);
    assert.equal(where.engine.asked, times, device);
  }
});
test("fewer elements than the shape says are refused, on each side", () => {
  const cut = (tensor) => ({ ...tensor, data: tensor.data.slice(1) });
  const [want, got, own] = [ints(1, 2, 3), ints(1, 2, 3), f32([0, 0, 0])];
  assert.match(compared(want, cut(got), own, bound, plain).reason, /^it holds 2 elements/);
  assert.match(compared(cut(want), got, own, bound, plain).reason, /^the original's answer holds 2/);
  assert.match(compared(want, got, cut(own), bound, plain).reason, /^the noise holds 2/);
});
