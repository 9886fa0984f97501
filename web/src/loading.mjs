/**
 * From a bundle's URL to a model that can be asked: down the ladder until a step is right.
 *
 * In: where the bundle lies and what is wished for. Out: the engine, the model's place in it, and
 * how it runs. Whoever loads the same bundle again in the same way shares all of it.
 *
 * @typedef {import("./engine.mjs").Guest} Guest
 * @typedef {import("./engine.mjs").Made} Made
 * @typedef {import("./records.js").About} About
 * @typedef {import("./records.js").FileRecord} FileRecord
 * @typedef {import("./records.js").Files} Files
 * @typedef {import("./records.js").Info} Info
 * @typedef {import("./records.js").OnProgress} OnProgress
 * @typedef {import("./records.js").Rung} Rung
 * @typedef {import("./ladder.mjs").Wishes} Wishes
 * @typedef {{base: URL, about: About, rung: Rung, engine: Engine, guest: Guest}} Place
 * @typedef {Place & {info: Info}} Loaded
 * @typedef {Wishes & {check?: boolean}} Ways
 */

import { selfChecked } from "./check.mjs";
import { Engine, engines } from "./engine.mjs";
import { FileError, checked, json } from "./fetching.mjs";
import { machine, rungs } from "./ladder.mjs";

/**
 * Loads a bundle, with one user more. Rejects where no step of the ladder is right.
 *
 * @param {URL} base
 * @param {Ways} ways
 * @param {AbortSignal} signal
 * @param {OnProgress} onProgress
 * @returns {Promise<Loaded>}
 */
export async function loaded(base, ways, signal, onProgress) {
  const began = performance.now();
  const about = /** @type {About} */ (await json(new URL("model.json", base), signal));
  if (!about.entries || !about.files) throw new FileError(`${base.href}model.json is not a bundle's; build it again`);
  if (HERE && about.code !== HERE) throw new OtherCode(new URL(`code.${about.code}/model.mjs`, base));
  const ladder = rungs(about.ladder, ways, await machine(ways));
  /** @type {string[]} */
  const refused = [];
  for (const rung of ladder) {
    try {
      const place = await opened(base, about, rung, signal, onProgress);
      const said = await proven(place, ways, signal);
      const why = [...refused, rung.why].join("; ");
      const seconds = (performance.now() - began) / 1000;
      return { ...place, info: info(place, why, seconds, said) };
    } catch (error) {
      if (!(error instanceof StepFailed)) throw error;
      refused.push(`${rung.name}: ${error.message}`);
      if (rung === ladder.at(-1)) throw new Error(last(refused), { cause: error.cause ?? error });
    }
  }
  throw new Error("the ladder has no step");
}

/** The hash in the name of the folder that this module lies in; undefined outside of a bundle. */
const HERE = /\/code\.([0-9a-f]+)\/[^/]*$/.exec(new URL(import.meta.url).pathname)?.[1];

/** The bundle has modules of another version, which alone go with its files. */
export class OtherCode extends Error {
  /** @param {URL} url of that version's model.mjs */
  constructor(url) {
    super(`${url.href} is of another version than this page's modules; reload the page`);
    this.url = url;
  }
}

/** This step of the ladder cannot be taken; another may do better. */
class StepFailed extends Error {}

/**
 * What all steps failed of: once, where it is the same.
 *
 * @param {readonly string[]} refused
 */
function last(refused) {
  const reasons = new Set(refused.map((one) => one.slice(one.indexOf(": ") + 2)));
  return `the model cannot be run here: ${[...(reasons.size === 1 ? reasons : refused)].join("; ")}`;
}

/** @param {unknown} error */
function isOfFile(error) {
  // By its name: another bundle's engine may have fetched it with a class of its own.
  return error instanceof Error && error.name === "FileError";
}

/** @param {unknown} error */
function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}

/**
 * @param {Place} place
 * @param {Ways} ways
 * @param {AbortSignal} signal
 */
async function proven(place, { check = true }, signal) {
  if (!check) return "not asked for";
  try {
    const { said, wrong } = await selfChecked(place, signal);
    if (wrong) throw new Error(wrong);
    return said;
  } catch (error) {
    place.engine.leave(place.guest);
    if (signal.aborted || isOfFile(error)) throw error;
    throw new StepFailed(`the self-check failed: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * @param {URL} base
 * @param {About} about
 * @param {Rung} rung
 * @param {AbortSignal} signal
 * @param {OnProgress} onProgress
 * @returns {Promise<Place>}
 */
async function opened(base, about, rung, signal, onProgress) {
  const own = Object.fromEntries(Object.entries(about.files).filter(([role]) => MODEL.test(role)));
  const runtime = runtimeOf(about, rung);
  const digests = Object.values(runtime).map((file) => file.sha256.slice(0, 12));
  const key = [about.code, about.runtime.name, ...digests, rung.provider, rung.threads].join(" ");
  const known = engines().get(key);
  const grown = progress(known ? own : { ...runtime, ...own }, onProgress);
  const engine = known ?? started(key, base, about, rung, grown);
  const made = async () => {
    const files = await fetched(base, own, signal.aborted ? undefined : signal, grown);
    return question({ open: { model: guestKey(base, about), about, files } }, files);
  };
  const guest = engine.welcome(guestKey(base, about), made);
  try {
    const opening = guest.users > 1 ? undefined : await made();
    await engine.ask(guest, null, { signal, ...(opening && { opening }) });
  } catch (error) {
    engine.leave(guest);
    throw signal.aborted || isOfFile(error) ? error : new StepFailed(messageOf(error), { cause: error });
  }
  return { base, about, rung, engine, guest };
}

/**
 * A folder's model as it is now: another may lie there when it is next loaded.
 *
 * @param {URL} base
 * @param {About} about
 */
function guestKey(base, { files }) {
  const digests = Object.values(files).map((file) => file.sha256.slice(0, 12));
  return [base.href, ...digests.sort()].join(" ");
}

/** A module with one instruction of relaxed SIMD, which not every browser has. */
const RELAXED = Uint8Array.of(
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...[1, 4, 1, 0x60, 0, 0],
  ...[3, 2, 1, 0],
  ...[10, 16, 1, 14, 0, 0x41, 0, 0xfd, 0x0f, 0x41, 0, 0xfd, 0x0f, 0xfd, 0x80, 2, 0x1a, 0x0b],
);

/** Roles of what is a model's own; of all others one copy serves all models. */
const MODEL = /^(model|before-\d+|after)$/;

/**
 * A new engine, which fetches its runtime right away, beside the model.
 *
 * @param {string} key
 * @param {URL} base
 * @param {About} about
 * @param {Rung} rung
 * @param {Grown} grown
 */
function started(key, base, about, rung, grown) {
  const { provider, threads } = rung;
  const files = runtimeOf(about, rung);
  const worker = files["worker"];
  if (worker === undefined) throw new FileError(`${base.href}model.json names no worker; build the bundle again`);
  const ending = new AbortController();
  /** @type {Promise<Files> | undefined} */
  let first = fetched(base, files, ending.signal, grown);
  first.catch(() => undefined);
  const start = async () => {
    const now = first ?? fetched(base, files, ending.signal);
    first = undefined;
    const { worker: _, ...runtime } = await now;
    return question({ start: { runtime: about.runtime.name, provider, threads, files: runtime } }, runtime);
  };
  const engine = new Engine(new URL(worker.path, base), start, () => {
    engines().delete(key);
    ending.abort();
  });
  engines().set(key, engine);
  return engine;
}

/**
 * The worker's file and those of the runtime, as a step needs them: "gpu-wasm" stands in for "wasm"
 * on WebGPU, "many-wasm" with threads, "basic-wasm" without relaxed SIMD, where a bundle has them.
 *
 * @param {About} about
 * @param {Rung} rung
 * @returns {Record<string, FileRecord>}
 */
function runtimeOf({ files }, { provider, threads }) {
  const plain = "basic-wasm" in files && !WebAssembly.validate(RELAXED) ? "basic-" : "";
  const kind = provider === "webgpu" ? "gpu-" : threads > 1 && "many-wasm" in files ? "many-" : plain;
  const own = Object.entries(files).filter(([role]) => {
    const special = /^(gpu|many|basic)-/.exec(role)?.[0];
    return MODEL.test(role) || role === "labels" ? false : special ? special === kind : !(`${kind}${role}` in files && kind);
  });
  return Object.fromEntries(own);
}

/**
 * @param {URL} base
 * @param {Record<string, FileRecord>} files
 * @param {AbortSignal} [signal]
 * @param {Grown} [grown]
 * @returns {Promise<Files>}
 */
async function fetched(base, files, signal, grown) {
  const all = Object.entries(files).map(async ([role, file]) => {
    const bytes = await checked(base, file, { ...(signal && { signal }), grown: (more) => grown?.(file.path, more) });
    return [role, { url: new URL(file.path, base).href, bytes }];
  });
  return Object.fromEntries(await Promise.all(all));
}

/**
 * @param {import("./records.js").Question} message
 * @param {Files} files
 * @returns {Made}
 */
function question(message, files) {
  return { message, moved: Object.values(files).map((file) => file.bytes) };
}

/** @typedef {(path: string, more: number) => void} Grown */

/**
 * @param {Record<string, FileRecord>} files
 * @param {OnProgress} onProgress
 * @returns {Grown}
 */
function progress(files, onProgress) {
  const total = Object.values(files).reduce((sum, file) => sum + file.size, 0);
  let loaded = 0;
  return (file, more) => onProgress({ file, loaded: Math.min(total, (loaded += more)), total });
}

/**
 * @param {Place} place
 * @param {string} why
 * @param {number} seconds
 * @param {string} checked
 * @returns {Info}
 */
function info({ about, rung }, why, seconds, checked) {
  const { name: runtime, version } = about.runtime;
  const { name: step, threads, provider } = rung;
  return { step, why, threads, provider, runtime: `${runtime} ${version}`, seconds, checked };
}
