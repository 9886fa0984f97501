/**
 * TF.js with its WebAssembly backend. In: the files of a graph model and of the runtime, fetched
 * and checked. Out: a model that answers tensors with tensors.
 *
 * Three files of TF.js are scripts that make a global `tf`; imported as modules they do the same.
 * One thread: the WebAssembly that this release has for threads computes in one, too.
 *
 * @typedef {import("../records.d.ts").Files} Files
 * @typedef {import("../records.d.ts").Opened} Opened
 * @typedef {import("../records.d.ts").RuntimeFile} RuntimeFile
 * @typedef {import("../records.d.ts").Tensor} Tensor
 * @typedef {import("../records.d.ts").Tensors} Tensors
 * @typedef {{name: string, dtype: string, shape: number[]}} Weight
 */

/** dtype here -> dtype there, and the array that its numbers lie in. */
const KINDS = /** @type {const} */ ({
  float32: ["float32", Float32Array],
  int32: ["int32", Int32Array],
  bool: ["bool", Uint8Array],
});

const BINARIES = ["", "-simd", "-threaded-simd"].map((kind) => `tfjs-backend-wasm${kind}.wasm`);
/** It wants to know of all three, and asks for the second. */

/** @type {Promise<any> | undefined} */
let library;

/**
 * Opens the model. Rejects with what TF.js says of it.
 *
 * @param {Files} files roles "core", "converter", "backend", "wasm" and "model"
 * @returns {Promise<Opened>}
 */
export async function open(files) {
  library ??= started(files);
  const tf = await library;
  const { about, weights } = read(held(files, "model").bytes);
  const groups = /** @type {{weights: Weight[]}[]} */ (about.weightsManifest);
  const model = await tf.loadGraphModel(tf.io.fromMemory({
    modelTopology: about.modelTopology,
    weightSpecs: groups.flatMap((group) => group.weights),
    weightData: weights,
  }));
  const sides = { inputs: nodes(about.signature.inputs), outputs: nodes(about.signature.outputs) };
  return {
    version: tf.version_core,
    inputs: sides.inputs.map(([name]) => name),
    outputs: sides.outputs.map(([name]) => name),
    run: (feeds) => asked(tf, model, sides, feeds),
    close: () => model.dispose(),
  };
}

/**
 * One file: how long the JSON is (8 bytes, little end first), the JSON, the weights.
 *
 * @param {ArrayBuffer} bytes
 */
function read(bytes) {
  const end = 8 + Number(new DataView(bytes).getBigUint64(0, true));
  const about = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 8, end - 8)));
  return { about, weights: bytes.slice(end) };
}

/**
 * @param {Files} files
 * @param {string} role
 */
function held(files, role) {
  const file = files[role];
  if (file === undefined) throw new Error(`the bundle has no file for "${role}"; build it again`);
  return file;
}

/**
 * The library with its backend ready: one per worker.
 *
 * @param {Files} files
 */
async function started(files) {
  for (const role of ["core", "converter", "backend"]) await import(held(files, role).url);
  const tf = /** @type {any} */ (globalThis).tf;
  const wasm = held(files, "wasm");
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  tf.wasm.setWasmPaths(Object.fromEntries(BINARIES.map((name) => [name, wasm.url])), true);
  tf.env().platform = answering(tf.env().platform, wasm);
  if (!(await tf.setBackend("wasm"))) throw new Error("TF.js could not start its WebAssembly");
  await tf.ready();
  return tf;
}

/**
 * TF.js's platform, whose fetch answers with the bytes that were checked.
 *
 * @param {object} platform
 * @param {RuntimeFile} wasm
 */
function answering(platform, { bytes }) {
  const fetched = async () => new Response(bytes, { headers: { "Content-Type": "application/wasm" } });
  return Object.create(platform, { fetch: { value: fetched } });
}

/**
 * Name -> node, in the order of the signature.
 *
 * @param {Record<string, {name: string}>} side
 */
function nodes(side) {
  return Object.entries(side).map(([name, { name: node }]) => /** @type {const} */ ([name, node]));
}

/**
 * @param {any} tf
 * @param {any} model
 * @param {{inputs: (readonly [string, string])[], outputs: (readonly [string, string])[]}} sides
 * @param {Tensors} feeds
 */
async function asked(tf, model, sides, feeds) {
  /** @type {Record<string, any>} */
  const given = {};
  /** @type {any[]} */
  let found = [];
  try {
    for (const [name, node] of sides.inputs) given[node] = theirs(tf, name, feeds[name]);
    const wanted = sides.outputs.map(([, node]) => node);
    // One output comes without a list around it.
    found = [model.execute(given, wanted)].flat();
    const ours = await Promise.all(found.map(async (tensor) => ({
      dtype: /** @type {string} */ (tensor.dtype),
      shape: /** @type {number[]} */ ([...tensor.shape]),
      // A copy: what TF.js hands out may lie in its own memory.
      data: (await tensor.data()).slice(),
    })));
    return Object.fromEntries(sides.outputs.map(([name], index) => [name, /** @type {Tensor} */ (ours[index])]));
  } finally {
    // An output may be a constant of the graph, which the model goes on to need.
    const needed = new Set(Object.values(model.weights).flat());
    tf.dispose([...Object.values(given), ...found.filter((tensor) => !needed.has(tensor))]);
  }
}

/**
 * @param {any} tf
 * @param {string} name
 * @param {Tensor | undefined} tensor
 */
function theirs(tf, name, tensor) {
  const kind = KINDS[/** @type {keyof typeof KINDS} */ (tensor?.dtype)];
  if (tensor === undefined || kind === undefined) {
    throw new TypeError(`input "${name}" is ${tensor?.dtype}, expected one of ${Object.keys(KINDS).join(", ")}`);
  }
  return tf.tensor(tensor.data, tensor.shape, kind[0]);
}
