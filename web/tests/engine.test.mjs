/** The queue before a worker; the worker here answers when the test says so. Browsers run real ones. */

import assert from "node:assert/strict";
import test, { beforeEach } from "node:test";

import { Engine } from "../src/engine.mjs";

let workers;
class Scripted {
  heard = [];
  ended = false;
  constructor() {
    workers.push(this);
  }
  postMessage(message) {
    this.heard.push(message);
    if ("start" in message || "open" in message) this.say({ number: message.number, value: "open" });
  }
  say(answer) {
    queueMicrotask(() => this.ended || this.onmessage({ data: answer }));
  }
  terminate() {
    this.ended = true;
  }
}

const kinds = (worker) => worker.heard.map((one) => Object.keys(one).find((key) => key !== "number"));
const settle = () => new Promise((done) => setTimeout(done, 5));
const question = (text) => ({ message: { run: text }, moved: [] });
const made = async () => ({ message: { open: {} }, moved: [] });
let gone;
const engine = () => new Engine(new URL("http://host/worker.mjs"), async () => ({ message: { start: {} }, moved: [] }), () => (gone += 1));

beforeEach(() => {
  [workers, gone] = [[], 0];
  globalThis.Worker = Scripted;
});

test("a question starts the runtime and opens the model first", async () => {
  const one = engine();
  const asked = one.ask(one.welcome("m", made), question("q"));
  await settle();
  assert.deepEqual(kinds(workers[0]), ["start", "open", "run"]);
  workers[0].say({ number: 3, value: 42 });
  assert.equal(await asked, 42);
});
test("one question is in the worker at a time", async () => {
  const one = engine();
  const guest = one.welcome("m", made);
  const answers = [one.ask(guest, question("a")), one.ask(guest, question("b"))];
  await settle();
  assert.deepEqual(kinds(workers[0]), ["start", "open", "run"]);
  workers[0].say({ number: 3, value: "a" });
  await settle();
  workers[0].say({ number: 4, value: "b" });
  assert.deepEqual(await Promise.all(answers), ["a", "b"]);
});
test("a question that waits is only dropped", async () => {
  const one = engine();
  const [guest, stop] = [one.welcome("m", made), new AbortController()];
  const first = one.ask(guest, question("a"));
  const second = one.ask(guest, question("b"), { signal: stop.signal });
  await settle();
  stop.abort(new Error("enough"));
  await assert.rejects(second, /enough/);
  workers[0].say({ number: 3, value: "a" });
  assert.equal(await first, "a");
  await settle();
  assert.deepEqual(kinds(workers[0]), ["start", "open", "run"]);
  assert.deepEqual([workers.length, workers[0].ended], [1, false]);
});
test("a question that runs is cancelled by ending the worker, and the others are asked of the next", async () => {
  const one = engine();
  const [guest, stop] = [one.welcome("m", made), new AbortController()];
  const first = one.ask(guest, question("a"), { signal: stop.signal });
  const second = one.ask(guest, question("b"));
  await settle();
  stop.abort(new Error("enough"));
  await assert.rejects(first, /enough/);
  await settle();
  assert.equal(workers[0].ended, true);
  assert.deepEqual(kinds(workers[1]), ["start", "open", "run"]);
  workers[1].say({ number: workers[1].heard.at(-1).number, value: "b" });
  assert.equal(await second, "b");
});
test("a worker that dies rejects whoever waits, and says what to do", async () => {
  const one = engine();
  const guest = one.welcome("m", made);
  const asked = [one.ask(guest, question("a")), one.ask(guest, question("b"))].map((one) => one.catch((error) => error.message));
  await settle();
  workers[0].onerror({ message: "out of memory", preventDefault() {} });
  for (const said of await Promise.all(asked)) assert.match(said, /out of memory.*load the model again/);
  await assert.rejects(one.ask(guest, question("c")), /load the model again/);
  assert.equal(gone, 1);
});
test("a crash of the runtime ends the worker, any other error does not", async () => {
  const one = engine();
  const guest = one.welcome("m", made);
  const wrong = one.ask(guest, question("a"));
  await settle();
  workers[0].say({ number: 3, error: { name: "TypeError", message: "no", fatal: false } });
  await assert.rejects(wrong, TypeError);
  const crashed = one.ask(guest, question("b"));
  await settle();
  workers[0].say({ number: 4, error: { name: "RuntimeError", message: "unreachable", fatal: true } });
  await assert.rejects(crashed, /worker ended: unreachable/);
  assert.equal(workers[0].ended, true);
});
test("the last user's leaving ends the worker", async () => {
  const one = engine();
  const guest = one.welcome("m", made);
  one.welcome("m", made);
  await one.ask(guest, null);
  one.leave(guest);
  assert.deepEqual([gone, workers[0].ended], [0, false]);
  one.leave(guest);
  assert.deepEqual([gone, workers[0].ended], [1, true]);
});
test("a model that leaves is closed, and the others stay", async () => {
  const one = engine();
  const [a, b] = [one.welcome("a", made), one.welcome("b", made)];
  await one.ask(a, null);
  await one.ask(b, null);
  one.leave(a);
  await settle();
  assert.deepEqual(kinds(workers[0]), ["start", "open", "open", "close"]);
  assert.equal(workers[0].ended, false);
});
test("a model that leaves while it is opened again is closed when it is open", async () => {
  const one = engine();
  let open;
  const slow = () => new Promise((done) => (open = () => done({ message: { open: {} }, moved: [] })));
  const [a, b] = [one.welcome("a", made), one.welcome("b", slow)];
  await one.ask(a, null);
  const asked = one.ask(b, null);
  await settle();
  one.leave(b);
  open();
  await asked;
  await settle();
  assert.deepEqual(kinds(workers[0]), ["start", "open", "open", "close"]);
});
test("a model that comes back before it is closed stays open", async () => {
  const one = engine();
  const [a, b] = [one.welcome("a", made), one.welcome("b", made)];
  await one.ask(b, null);
  const asked = one.ask(a, question("q"));
  await settle();
  one.leave(b);
  one.welcome("b", made);
  workers[0].say({ number: workers[0].heard.at(-1).number, value: "q" });
  await asked;
  await settle();
  assert.deepEqual(kinds(workers[0]), ["start", "open", "open", "run"]);
});

/** A site whose every file is `{}` but model.json; which steps of the ladder are tried tells. */
async function tried(manifest, base = new URL("http://host/")) {
  const bytes = new TextEncoder().encode("{}");
  const digest = Buffer.from(await crypto.subtle.digest("SHA-256", bytes)).toString("hex");
  const [size, sha256] = [bytes.length, digest];
  const files = { worker: { path: "worker.mjs", size, sha256 }, model: { path: "model", size, sha256 } };
  const about = { code: "c", runtime: { name: "r", version: "1" }, entries: [], axes: {}, ladder: ["webgpu", "wasm"], files };
  globalThis.crossOriginIsolated = true;
  globalThis.fetch = async (url) =>
    url.href.endsWith("model.json") ? Response.json(about) : url.href.endsWith("deploy-target.json") ? manifest() : new Response(bytes);
  Object.defineProperty(globalThis, "navigator", { value: { hardwareConcurrency: 2, userAgent: "node" }, configurable: true });
  const { loaded } = await import("../src/loading.mjs");
  return loaded(base, { check: true }, new AbortController().signal, () => undefined);
}
test("a self-check that throws takes the next step of the ladder, and the last says all", async () => {
  await assert.rejects(
    tried(() => Response.json({})),
    /^Error: the model cannot be run here: the self-check failed: /,
  );
  assert.deepEqual(workers.map((worker) => worker.ended), [true, true]);
});
test("a file that is not there ends the ladder at once", async () => {
  await assert.rejects(tried(() => new Response("", { status: 404 })), { name: "FileError" });
  assert.equal(workers.length, 1);
});
test("where another model lies in the same folder now, the one that is open is not asked for it", async () => {
  const { loaded } = await import("../src/loading.mjs");
  const load = () => loaded(new URL("http://host/"), { check: false }, new AbortController().signal, () => undefined);
  const first = await tried(() => Response.json({ lanes: [], bounds: {}, signatures: {}, files: {} }));
  const { fetch } = globalThis;
  const bytes = new TextEncoder().encode("[]");
  const sha256 = Buffer.from(await crypto.subtle.digest("SHA-256", bytes)).toString("hex");
  globalThis.fetch = async (url) => {
    if (url.href.endsWith("model")) return new Response(bytes);
    if (!url.href.endsWith("model.json")) return fetch(url);
    const about = structuredClone(first.about);
    about.files.model.sha256 = sha256;
    return Response.json(about);
  };
  const second = await load();
  assert.equal(second.engine, first.engine);
  assert.notEqual(second.guest.key, first.guest.key);
  assert.deepEqual(kinds(workers[0]), ["start", "open", "open"]);
  for (const { engine, guest } of [first, second]) engine.leave(guest);
});
