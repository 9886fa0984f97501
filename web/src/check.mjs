/**
 * The bundle's own golden cases, asked in this browser and held to the manifest's bounds.
 *
 * In: a model that is open. Out: whether it answers as the original does. One case, the smallest, is
 * asked before a model first answers anyone in a browser; a page may ask all of them.
 *
 * @typedef {import("./golden.mjs").Case} Case
 * @typedef {import("./loading.mjs").Place} Place
 * @typedef {import("./records.js").Entry} Entry
 * @typedef {import("./records.js").Tensors} Tensors
 * @typedef {{said: string, wrong: string}} Outcome `wrong` is empty where nothing is
 * @typedef {{case: string, output: string, passed: boolean, reason: string, relativeL2: number,
 *   seconds: number}} Row
 * @typedef {{bounds: Record<string, any>, kinds: Map<string, string>, golden: boolean,
 *   judge: string}} Manifest `judge`: all that the verdict hangs on, but the model
 * @typedef {{of: string, judge: string, said: string}} Memory `of`: what was asked, and where
 */

import { batchAxis, inverse } from "./binding.mjs";
import { compared } from "./compare.mjs";
import { Unreached, json } from "./fetching.mjs";
import { Golden } from "./golden.mjs";
import { permuted } from "./layout.mjs";
import { count } from "./steps/arrays.mjs";

/** The line of the verdict that is asked in tensors. */
const LINE = "tensors";
const FILE = "golden.safetensors";
const NONE = "no golden case of tensors lies in the bundle";

/**
 * Asks the smallest case that proves something, unless this browser has seen it pass.
 *
 * @param {Place} place
 * @param {AbortSignal} signal
 * @returns {Promise<Outcome>}
 */
export async function selfChecked(place, signal) {
  const seen = await memory(place);
  const manifest = await manifestOf(place.base, signal).catch((error) => {
    // Without a network the model is the one that passed: its digests are in what is remembered.
    if (signal.aborted || !(error instanceof Unreached && seen.passed())) throw error;
    return null;
  });
  const passed = seen.passed(manifest?.judge);
  if (passed) return { said: `${passed}, in this browser before`, wrong: "" };
  const cases = manifest && (await casesOf(place.base, manifest, signal));
  if (!manifest || !cases) return unproven(place, NONE);
  const smallest = telling(cases.list);
  if (!smallest) return unproven(place, "no golden case has an answer that is not empty");
  const rows = await asked(place, manifest, cases.golden, smallest, signal);
  const bad = rows.find((row) => !row.passed);
  if (bad) return { said: "", wrong: `${bad.output} of case ${bad.case}: ${bad.reason}` };
  const far = Math.max(0, ...rows.map((row) => row.relativeL2));
  const said = `case ${smallest.call} is as the original's, relative L2 ${far === 0 ? "0" : far.toExponential(1)}`;
  seen.write(manifest.judge, said);
  return { said, wrong: "" };
}

/**
 * Asks all cases, one after the other; what cannot be asked is a row that failed. Rejects where there
 * is no case: to have found nothing wrong then would sound like a proof.
 *
 * @param {Place} place
 * @param {AbortSignal | undefined} signal
 * @returns {AsyncGenerator<Row>}
 */
export async function* verified(place, signal) {
  const manifest = await manifestOf(place.base, signal);
  const cases = await casesOf(place.base, manifest, signal);
  if (!cases) throw new Error(`${NONE}; build it with golden = "synthetic"`);
  for (const one of cases.list) {
    yield* await asked(place, manifest, cases.golden, one, signal).catch((error) => {
      if (signal?.aborted) throw error;
      return [failed(one, "all outputs", error instanceof Error ? error.message : String(error))];
    });
  }
}

/**
 * The smallest case whose answers hold something, all of them where there is such a case: a model
 * that finds nothing in an empty input is right, and so is one that never finds anything.
 *
 * @param {readonly Case[]} list
 */
function telling(list) {
  const sized = list.map((one) => ({ one, sizes: Object.values(one.places.out).map(({ from, to }) => to - from) }));
  const full = sized.filter(({ sizes }) => sizes.length > 0 && sizes.every((size) => size > 0));
  const among = full.length > 0 ? full : sized.filter(({ sizes }) => sizes.some((size) => size > 0));
  return among.map(({ one }) => one).sort((a, b) => a.bytes - b.bytes)[0];
}

/**
 * @param {Case} one
 * @param {string} output
 * @param {string} reason
 * @returns {Row}
 */
function failed(one, output, reason) {
  return { case: one.call, output, passed: false, reason, relativeL2: NaN, seconds: 0 };
}

/**
 * WebGPU differs by adapter and driver: without a case it cannot prove itself, and is not taken.
 *
 * @param {Place} place
 * @param {string} why
 * @returns {Outcome}
 */
function unproven({ rung }, why) {
  const said = `not checked: ${why}`;
  return { said, wrong: rung.provider === "webgpu" ? `${said}; {check: false} takes it unchecked` : "" };
}

/**
 * @param {Place} place
 * @param {Manifest} manifest
 * @param {Golden} golden
 * @param {Case} one
 * @param {AbortSignal | undefined} signal
 * @returns {Promise<Row[]>}
 */
async function asked({ about, engine, guest }, manifest, golden, one, signal) {
  const entry = about.entries.find((entry) => entry.name === one.entry);
  if (!entry) throw new Error(`${FILE} asks an entry "${one.entry}" that the bundle does not have`);
  const { in: feeds, out, noise } = await golden.read(one);
  const message = { run: { model: guest.key, entry: one.entry, feeds } };
  const moved = Object.values(feeds).map((tensor) => /** @type {ArrayBuffer} */ (tensor.data.buffer));
  const began = performance.now();
  const answer = /** @type {Tensors} */ (await engine.ask(guest, { message, moved }, { signal }));
  const seconds = (performance.now() - began) / 1000;
  const rows = entry.outputs.map((port) => {
    const want = out[port.name];
    if (!want) return failed(one, port.of, `${FILE} has no answer of the original's for it`);
    const spec = about.signature.outputs.find((spec) => spec.name === port.of) ?? port;
    const meaning = { batch: batchAxis(spec, about.batch), kind: manifest.kinds.get(port.of) ?? "plain" };
    const [w, g, n] = [want, answer[port.name], noise[port.name]].map(
      // One that is not whole is shown as it came.
      (tensor) => (tensor?.data.length === count(tensor?.shape ?? []) ? permuted(tensor, inverse(port.axes)) : tensor),
    );
    if (g && g.dtype !== port.dtype) return failed(one, port.of, `its dtype is ${g.dtype}, expected ${port.dtype}`);
    const bound = manifest.bounds[port.of] ?? EXACT;
    const { relativeL2, reason } = compared(w ?? want, g, n, bound, meaning);
    return { case: one.call, output: port.of, passed: reason === "", reason, relativeL2, seconds };
  });
  return [...rows, ...unknown(one, entry, out, answer)];
}

/**
 * Rows for outputs that only one side has, and for a case that asks for none.
 *
 * @param {Case} one
 * @param {Entry} entry
 * @param {Tensors} out
 * @param {Tensors} answer
 */
function unknown(one, entry, out, answer) {
  const known = entry.outputs.map((port) => port.name);
  const names = new Set([...Object.keys(out), ...Object.keys(answer)].filter((name) => !known.includes(name)));
  const rows = [...names].map((name) => failed(one, name, `entry "${entry.name}" has no such output`));
  return known.length + rows.length > 0 ? rows : [failed(one, "all outputs", `entry "${entry.name}" has none`)];
}

const EXACT = { relative_l2: 0, whole: 0, part: 0, element: 0, budget: 0, jumps: 0, jump: 0 };

/**
 * @param {URL} base
 * @param {AbortSignal} [signal]
 * @returns {Promise<Manifest>}
 */
async function manifestOf(base, signal) {
  const manifest = await json(new URL("deploy-target.json", base), signal);
  const recipe = manifest.lanes[0]?.recipe ?? "";
  /** @type {{name: string, kind: string}[]} */
  const outputs = manifest.signatures[LINE]?.outputs ?? [];
  const kinds = outputs.map(({ name, kind }) => /** @type {[string, string]} */ ([name, kind]));
  const bounds = manifest.bounds[recipe]?.[LINE] ?? {};
  const golden = manifest.files[FILE];
  return {
    bounds,
    kinds: new Map(kinds),
    golden: golden !== undefined && golden.size > 0,
    judge: JSON.stringify([golden?.sha256, kinds, bounds]),
  };
}

/**
 * The cases of tensors; null where there is none.
 *
 * @param {URL} base
 * @param {Manifest} manifest
 * @param {AbortSignal} [signal]
 */
async function casesOf(base, manifest, signal) {
  if (!manifest.golden) return null;
  const golden = await Golden.open(new URL(FILE, base), signal);
  const list = golden.cases.filter((one) => one.golden === LINE);
  return list.length > 0 ? { golden, list } : null;
}

/**
 * What this browser remembers of a bundle on a step of the ladder, where it may remember at all: one
 * verdict, which the next takes the place of.
 *
 * @param {Place} place
 */
async function memory({ base, about, rung }) {
  const key = `deploy-target ${base.href} ${rung.name}`;
  const digests = Object.values(about.files).map((file) => file.sha256.slice(0, 12));
  const adapter = rung.provider === "webgpu" ? await adapterHere() : "";
  const of = [about.code, ...digests.sort(), globalThis.navigator?.userAgent, adapter].join(" ");
  /** @type {Memory | null} */
  const known = attempt(() => JSON.parse(localStorage.getItem(key) ?? "null"));
  return {
    /** @param {string} [judge] where it is known */
    passed: (judge) => (known?.of === of && known.judge === (judge ?? known.judge) ? known.said : ""),
    /**
     * @param {string} judge
     * @param {string} said
     */
    write: (judge, said) => attempt(() => localStorage.setItem(key, JSON.stringify({ of, judge, said }))),
  };
}

/** What the browser tells of its graphics card: another one computes otherwise. */
async function adapterHere() {
  try {
    const adapter = await /** @type {any} */ (globalThis.navigator).gpu.requestAdapter();
    const { vendor, architecture, device, description } = adapter.info;
    return JSON.stringify([vendor, architecture, device, description]);
  } catch {
    return "";
  }
}

/**
 * Storage is denied to some pages, and full in others.
 *
 * @template T
 * @param {() => T} what
 * @returns {T | null}
 */
function attempt(what) {
  try {
    return what();
  } catch {
    return null;
  }
}
