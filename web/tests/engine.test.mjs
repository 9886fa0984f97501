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
