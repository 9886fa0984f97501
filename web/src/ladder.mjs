/**
 * The ways to run a model in this browser, the best first. In: what is asked for and what is there.
 * Out: the steps to try, each with its reason.
 *
 * @typedef {import("./records.js").Rung} Rung
 * @typedef {{prefer?: "webgpu" | "wasm", threads?: number}} Wishes
 * @typedef {{isolated: boolean, cores: number, gpu: string}} Machine `gpu`: why there is none, or ""
 */

/** More threads than this gain little in a browser, and each takes memory; a page may ask for more. */
const MOST = 4;

/**
 * What this browser has. The adapter is only asked for where it may be used.
 *
 * @param {Wishes} wishes
 * @returns {Promise<Machine>}
 */
export async function machine({ prefer }) {
  return {
    isolated: globalThis.crossOriginIsolated === true,
    cores: globalThis.navigator?.hardwareConcurrency || 1,
    gpu: prefer === "webgpu" ? await missingGpu() : "",
  };
}

/**
 * The steps to try, one after the other. Throws a TypeError for a wish that cannot be meant.
 *
 * @param {readonly string[]} ladder what the bundle can do
 * @param {Wishes} wishes
 * @param {Machine} here
 * @returns {Rung[]}
 */
export function rungs(ladder, { prefer, threads }, here) {
  checkWishes(prefer, threads);
  const wasm = ladder.includes("wasm") ? threaded(threads, here) : [one("its runtime has no threads")];
  if (prefer !== "webgpu") return wasm;
  const missing = ladder.includes("webgpu") ? here.gpu : "this bundle was built without WebGPU";
  if (missing) return wasm.map((rung) => ({ ...rung, why: `${missing}; ${rung.why}` }));
  const first = wasm[0]?.threads ?? 1;
  return [{ provider: "webgpu", threads: first, name: "webgpu", why: "it was asked for" }, ...wasm];
}

/**
 * @param {number | undefined} asked
 * @param {Machine} here
 * @returns {Rung[]}
 */
function threaded(asked, { isolated, cores }) {
  const wanted = Math.min(asked ?? MOST, cores);
  if (wanted === 1) {
    return [one(asked === 1 ? "one thread was asked for" : "this machine has one core")];
  }
  if (!isolated) {
    return [one("the page is not cross-origin isolated (COOP and COEP), so there are no threads")];
  }
  const why = wanted === asked ? "so many threads were asked for" : `of ${cores} cores`;
  const many = { provider: /** @type {const} */ ("wasm"), threads: wanted, name: `wasm, ${wanted} threads` };
  return [{ ...many, why: `the page is cross-origin isolated, ${why}` }, one("without threads")];
}

/**
 * @param {string} why
 * @returns {Rung}
 */
function one(why) {
  return { provider: "wasm", threads: 1, name: "wasm, 1 thread", why };
}

/**
 * @param {unknown} prefer
 * @param {unknown} threads
 */
function checkWishes(prefer, threads) {
  if (prefer !== undefined && prefer !== "webgpu" && prefer !== "wasm") {
    throw new TypeError(`prefer is "webgpu" or "wasm", not ${JSON.stringify(prefer)}`);
  }
  if (threads !== undefined && !(Number.isInteger(threads) && Number(threads) >= 1)) {
    throw new TypeError(`threads is a whole number from 1, not ${String(threads)}`);
  }
}

async function missingGpu() {
  const gpu = /** @type {any} */ (globalThis.navigator)?.gpu;
  if (!gpu) {
    return globalThis.isSecureContext === false
      ? "WebGPU needs https"
      : "this browser has no WebGPU";
  }
  try {
    return (await gpu.requestAdapter()) ? "" : "WebGPU found no adapter on this machine";
  } catch (error) {
    return `WebGPU found no adapter: ${/** @type {Error} */ (error).message}`;
  }
}
