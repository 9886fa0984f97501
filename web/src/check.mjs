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
 * @typedef {{bounds: Record<string, any>, kinds: Map<string, string>, golden: boolean}} Manifest
 */

import { batchAxis, inverse } from "./binding.mjs";
import { compared } from "./compare.mjs";
import { json } from "./fetching.mjs";
import { Golden } from "./golden.mjs";
import { permuted } from "./layout.mjs";

/** The line of the verdict that is asked in tensors. */
const LINE = "tensors";
const FILE = "golden.safetensors";

/**
 * Asks the smallest case, unless this browser has seen it pass.
 *
 * @param {Place} place
 * @param {AbortSignal} signal
 * @returns {Promise<Outcome>}
 */
export async function selfChecked(place, signal) {
  const seen = memory(place);
  const passed = seen.read();
  if (passed) return { said: `${passed}, in this browser before`, wrong: "" };
  const manifest = await manifestOf(place.base, signal);
  const cases = manifest.golden ? await casesOf(place.base, signal) : null;
  const smallest = cases?.list.reduce((a, b) => (b.bytes < a.bytes ? b : a));
  if (!cases || !smallest) return unproven(place, "no golden case lies in the bundle");
  const rows = await asked(place, manifest, cases.golden, smallest, signal);
  const bad = rows.find((row) => !row.passed);
  if (bad) return { said: "", wrong: `${bad.output} of case ${bad.case}: ${bad.reason}` };
  const far = Math.max(0, ...rows.map((row) => row.relativeL2));
  const said = `case ${smallest.call} is as the original's, relative L2 ${far.toExponential(1)}`;
  seen.write(said);
  return { said, wrong: "" };
}

/**
 * Asks all cases, one after the other.
 *
 * @param {Place} place
 * @param {AbortSignal | undefined} signal
 * @returns {AsyncGenerator<Row>}
 */
export async function* verified(place, signal) {
  const manifest = await manifestOf(place.base, signal);
  if (!manifest.golden) throw new Error("no golden case lies in the bundle; build it with golden = \"synthetic\"");
  const { golden, list } = await casesOf(place.base, signal);
  for (const one of list) yield* await asked(place, manifest, golden, one, signal);
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
  return entry.outputs.flatMap((port) => {
    const want = out[port.name];
    if (!want) return [];
    const spec = about.signature.outputs.find((spec) => spec.name === port.of) ?? port;
    const meaning = { batch: batchAxis(spec, about.batch), kind: manifest.kinds.get(port.of) ?? "plain" };
    const [w, g, n] = [want, answer[port.name], noise[port.name]].map(
      (tensor) => tensor && permuted(tensor, inverse(port.axes)),
    );
    const bound = manifest.bounds[port.of] ?? EXACT;
    const { relativeL2, reason } = compared(w ?? want, g, n, bound, meaning);
    return [{ case: one.call, output: port.of, passed: reason === "", reason, relativeL2, seconds }];
  });
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
  return {
    bounds: manifest.bounds[recipe]?.[LINE] ?? {},
    kinds: new Map(outputs.map(({ name, kind }) => [name, kind])),
    golden: FILE in manifest.files,
  };
}

/**
 * @param {URL} base
 * @param {AbortSignal} [signal]
 */
async function casesOf(base, signal) {
  const golden = await Golden.open(new URL(FILE, base), signal);
  const list = golden.cases.filter((one) => one.golden === LINE);
  if (list.length === 0) throw new Error(`${FILE} holds no case of tensors; build the bundle again`);
  return { golden, list };
}

/**
 * What this browser remembers of a model on a step of the ladder, where it may remember at all.
 *
 * @param {Place} place
 */
function memory({ about, rung }) {
  const digests = Object.values(about.files).map((file) => file.sha256.slice(0, 12));
  const key = ["deploy-target", about.code, ...digests.sort(), rung.name, navigator.userAgent].join(" ");
  return {
    read: () => attempt(() => localStorage.getItem(key)),
    /** @param {string} said */
    write: (said) => attempt(() => localStorage.setItem(key, said)),
  };
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
