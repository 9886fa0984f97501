/** Files of a bundle: what was built, or an error that names the file. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test from "node:test";

import { checked, json, range } from "../src/fetching.mjs";

const BASE = new URL("http://host/bundle/");
const GOOD = Uint8Array.of(1, 2, 3, 4);
const BAD = Uint8Array.of(1, 2, 3, 5);
const FILE = { path: "assets/model.onnx", size: 4, sha256: createHash("sha256").update(GOOD).digest("hex") };

/** Answers in turn; the options of each question are kept. */
function answers(t, ...bodies) {
  const asked = [];
  t.mock.method(globalThis, "fetch", async (_, init) => {
    asked.push(init.cache);
    const body = bodies[Math.min(asked.length, bodies.length) - 1];
    if (body instanceof Error) throw body;
    return body instanceof Response ? body : new Response(body);
  });
  return asked;
}

const broken = () => {
  let sent = false;
  return new ReadableStream({
    pull: (stream) => (sent ? stream.error(new TypeError("terminated")) : stream.enqueue(GOOD.slice(0, 2), (sent = true))),
  });
};
const isOfFile = (pattern) => (error) => error.name === "FileError" && pattern.test(error.message);

for (const [what, bad] of [["other", BAD], ["longer", Uint8Array.of(1, 2, 3, 4, 5)], ["shorter", GOOD.slice(1)]]) {
  test(`a file that is ${what} in the cache is fetched once more, past it`, async (t) => {
    const asked = answers(t, bad, GOOD);
    let came = 0;
    const bytes = await checked(BASE, FILE, { grown: (more) => (came += more) });
    assert.deepEqual(new Uint8Array(bytes), GOOD);
    assert.deepEqual(asked, [undefined, "reload"]);
    assert.equal(came, 4);
  });
}
test("a file that is wrong on the host too is refused by name, after two questions", async (t) => {
  const asked = answers(t, BAD);
  await assert.rejects(checked(BASE, FILE), isOfFile(/assets\/model\.onnx is not what was built/));
  assert.equal(asked.length, 2);
});
test("a file that is right is fetched once", async (t) => {
  const asked = answers(t, GOOD);
  await checked(BASE, FILE);
  assert.deepEqual(asked, [undefined]);
});
test("a file that is missing is not asked for again", async (t) => {
  const asked = answers(t, new Response("", { status: 404 }));
  await assert.rejects(checked(BASE, FILE), isOfFile(/HTTP 404/));
  assert.equal(asked.length, 1);
});
test("without crypto.subtle the browser's refusal is tried once more, past its cache", async (t) => {
  t.mock.getter(globalThis, "crypto", () => ({}));
  const asked = answers(t, new TypeError("Failed to fetch"), GOOD);
  assert.deepEqual(new Uint8Array(await checked(BASE, FILE)), GOOD);
  assert.deepEqual(asked, [undefined, "reload"]);
});

for (const [what, ask] of Object.entries({
  "a file": () => checked(BASE, FILE),
  JSON: () => json(new URL(FILE.path, BASE)),
  "a range": () => range(new URL(FILE.path, BASE), 0, 3),
})) {
  test(`a connection lost within ${what} is named, and said what to do about`, async (t) => {
    answers(t, broken());
    await assert.rejects(ask(), isOfFile(/assets\/model\.onnx broke off.*terminated.*load the page again/));
  });
}
test("who aborts within a body gets the reason back", async (t) => {
  const ending = new AbortController();
  answers(t, new ReadableStream({ pull: (stream) => (ending.abort(new Error("enough")), stream.error(new TypeError("terminated"))) }));
  await assert.rejects(checked(BASE, FILE, { signal: ending.signal }), /enough/);
});

const part = (bytes, said) => new Response(bytes, { status: 206, ...(said && { headers: { "content-range": said } }) });

for (const [what, response] of Object.entries({
  "begins elsewhere": part(GOOD, "bytes 4-7/9"),
  "is shorter than it says": part(GOOD, "bytes 0-5/9"),
  "is longer than was asked": part(Uint8Array.of(...GOOD, ...GOOD)),
})) {
  test(`a part that ${what} is refused`, async (t) => {
    answers(t, response);
    await assert.rejects(range(new URL(FILE.path, BASE), 0, 5), isOfFile(/assets\/model\.onnx: bytes 0 to 5 were asked for/));
  });
}
test("a part of a file that ends before it is as long as the file", async (t) => {
  answers(t, part(GOOD, "bytes 0-3/4"));
  const { bytes, whole } = await range(new URL(FILE.path, BASE), 0, 5);
  assert.deepEqual([new Uint8Array(bytes), whole], [GOOD, false]);
});
