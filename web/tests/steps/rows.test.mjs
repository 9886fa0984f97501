import assert from "node:assert/strict";
import { test } from "node:test";
import { readCsv } from "../../src/steps/csv.mjs";
import { readJson } from "../../src/steps/json.mjs";
import { strip } from "../../src/steps/strip.mjs";
import { decode_table, one_hot } from "../../src/steps/table.mjs";

const USUAL = {
  columns: ["a", "b"],
  categories: { b: ["5", "5.0", "1000.0", "1e+16", "true", "12345678901234567890"] },
  optional: [],
  missing: [""],
  unknown: "error",
  extra: "ignore",
  header: true,
  delimiter: ",",
  max_rows: 1_000_000,
};

const table = (text, options = {}) =>
  decode_table(new TextEncoder().encode(text), {}, { ...USUAL, ...options });

test("CSV is read as Python reads it", () => {
  for (const [text, rows] of [
    [
      "a,b\r\n1,2\r3,4\n",
      [
        ["a", "b"],
        ["1", "2"],
        ["3", "4"],
      ],
    ],
    ['"a ""b""","c\n,d"', [['a "b"', "c\n,d"]]],
    ["\n\n ,\n", [[" ", ""]]],
    [",", [["", ""]]],
    ['""', [[""]]],
    ['a"b,c', [['a"b', "c"]]],
  ]) {
    assert.deepEqual(readCsv(text, ","), rows);
  }
});

test("CSV with a quote in the wrong place is no CSV", () => {
  for (const text of ['"a', '"a"b,c', '"a" ,b'])
    assert.throws(() => readCsv(text, ","), SyntaxError);
});

test("a delimiter can be any sign", () => {
  for (const sign of ["]", "\\", "^", ".", " "]) {
    assert.deepEqual(readCsv(`1${sign}2`, sign), [["1", "2"]]);
  }
});

test("a number in JSON keeps how it is written, for a name", () => {
  const rows =
    "[[1, 5], [2, 5.0], [3, 1e3], [4, 10000000000000000.0], [5, true], [6, 12345678901234567890]]";
  assert.deepEqual([...table(rows).data], [1, 0, 2, 1, 3, 2, 4, 3, 5, 4, 6, 5]);
});

test("what is no JSON is none here", () => {
  for (const text of [
    "[1,]",
    "[01]",
    "[1.]",
    "{'a': 1}",
    '{"a": 1, "a": 2}',
    '["\n"]',
    '["\\x"]',
    "[1] 2",
    "[-]",
    "[NaN]",
  ]) {
    assert.throws(() => readJson(text), SyntaxError, text);
  }
});

test("JSON that is nested without an end does not exhaust the stack", () => {
  assert.throws(() => readJson("[".repeat(1_000_000)), /nested too deeply/);
});

test("a key that objects have by nature is a column like any other", () => {
  const options = { columns: ["__proto__", "constructor"], categories: {} };
  assert.deepEqual([...table('{"__proto__": 1, "constructor": 2}', options).data], [1, 2]);
  assert.throws(() => table('{"constructor": 2}', options), /'__proto__': a value is missing/);
});

test("blanks are those of Python", () => {
  assert.equal(strip("\u001c\u0085 a\u00a0b\u3000\n"), "a\u00a0b");
  assert.equal(strip("\ufeff1"), "\ufeff1");
});

test("a million cells are read in seconds", () => {
  const names = Array.from({ length: 40_000 }, (_, i) => `c${i}`);
  const row = names.map((_, i) => i / 4).join();
  const text = `${names.join()}\n${`${row}\n`.repeat(25)}`;
  const before = performance.now();
  const { shape, data } = table(text, { columns: names, categories: {} });
  assert.deepEqual([shape, data[40_007]], [[25, 40_000], 7 / 4]);
  assert.ok(performance.now() - before < 30_000);
});

test("a category's index that a step before has moved by a digit is still that category", () => {
  const value = { dtype: "float32", shape: [2, 1], data: Float32Array.of(1.0000001, NaN) };
  assert.deepEqual([...one_hot(value, {}, { sizes: [3] }).data], [0, 1, 0, 0, 0, 0]);
});
