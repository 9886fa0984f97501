/**
 * ONNX Runtime Web: graphs in ONNX, on wasm or on WebGPU.
 *
 * In: the runtime's files and a graph, fetched and checked. Out: the graph, ready to be asked. The
 * runtime is started by the first graph of a worker; those after it bring a graph alone.
 *
 * On WebGPU, operators that it lacks run on wasm, in the same session: shapes and integers always
 * do. What comes of it is held to a golden case before it answers anyone.
 *
 * @typedef {import("../records.js").Data} Data
 * @typedef {import("../records.js").Files} Files
 * @typedef {import("../records.js").OpenOptions} OpenOptions
 * @typedef {import("../records.js").Opened} Opened
 * @typedef {import("../records.js").RuntimeFile} RuntimeFile
 * @typedef {import("../records.js").Tensor} Tensor
 * @typedef {import("../records.js").Tensors} Tensors
 * @typedef {typeof import("onnxruntime-web")} Ort
 */

/** @type {Promise<Ort> | undefined} */
let started;

/**
 * Opens one graph. Rejects with what the runtime says of it.
 *
 * @param {Files} files roles "runtime", "module" and "wasm", or "gpu-…" of each; and the graph's
 * @param {OpenOptions} options
 * @returns {Promise<Opened>}
 */
export async function open(files, { threads, provider, graph }) {
  started ??= start(files, provider === "webgpu" ? "gpu-" : "", threads);
  const ort = await started;
  const session = await ort.InferenceSession.create(new Uint8Array(file(files, graph).bytes), {
    // The graphs around a model are small, and many of their operators are not WebGPU's.
    executionProviders: provider === "webgpu" && graph === "model" ? ["webgpu", "wasm"] : ["wasm"],
    graphOptimizationLevel: "all",
    logSeverityLevel: ERROR,
  });
  // Compiled by now, and of no more use: 14 megabytes.
  ort.env.wasm.wasmBinary = undefined;
  return {
    version: ort.env.versions.web ?? "",
    inputs: session.inputNames,
    outputs: session.outputNames,
    run: (feeds) => run(ort, session, feeds),
    close: () => session.release(),
  };
}

const ERROR = 3;
/** Warnings are about how fast a graph runs: nodes left to wasm, say. They are no one's to mend. */

/**
 * @param {Files} files
 * @param {string} kind
 * @param {number} threads
 * @returns {Promise<Ort>}
 */
async function start(files, kind, threads) {
  const ort = /** @type {Ort} */ (await import(file(files, `${kind}runtime`).url));
  const [module, wasm] = [file(files, `${kind}module`), file(files, `${kind}wasm`)];
  ort.env.logLevel = "error";
  ort.env.wasm.proxy = false;
  ort.env.wasm.numThreads = threads;
  ort.env.wasm.wasmPaths = { mjs: module.url, wasm: wasm.url };
  ort.env.wasm.wasmBinary = wasm.bytes;
  return ort;
}

/**
 * @param {Ort} ort
 * @param {import("onnxruntime-web").InferenceSession} session
 * @param {Tensors} feeds
 * @returns {Promise<Tensors>}
 */
async function run(ort, session, feeds) {
  const given = Object.entries(feeds).map(([name, { dtype, shape, data }]) => [
    name,
    new ort.Tensor(/** @type {any} */ (dtype), /** @type {any} */ (data), shape),
  ]);
  const answered = await session.run(Object.fromEntries(given));
  return Object.fromEntries(Object.entries(answered).map(([name, tensor]) => [name, plain(tensor)]));
}

/**
 * @param {import("onnxruntime-web").OnnxValue} value
 * @returns {Tensor}
 */
function plain(value) {
  const tensor = /** @type {import("onnxruntime-web").Tensor} */ (value);
  const data = /** @type {Data} */ (tensor.data);
  // Newer browsers have an array for float16; elsewhere, and here, it is its bits.
  const bits = tensor.type === "float16" && !(data instanceof Uint16Array);
  return {
    dtype: tensor.type,
    shape: [...tensor.dims],
    data: bits ? new Uint16Array(data.buffer, data.byteOffset, data.length) : data,
  };
}

/**
 * @param {Files} files
 * @param {string} role
 * @returns {RuntimeFile}
 */
function file(files, role) {
  const found = files[role];
  if (found === undefined) throw new Error(`the bundle has no file for "${role}"; build it again`);
  return found;
}
