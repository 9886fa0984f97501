/**
 * LiteRT: a .tflite on wasm, one signature in it for each entry.
 *
 * In: the runtime's files and a model, fetched and checked. Out: the model, ready to be asked. The
 * package's own wrapper is not used: it is made for bundlers and classic scripts, opens a GPU
 * device unasked, and knows three datatypes. What it wraps is asked here directly.
 *
 * @typedef {import("../records.d.ts").Data} Data
 * @typedef {import("../records.d.ts").Files} Files
 * @typedef {import("../records.d.ts").OpenOptions} OpenOptions
 * @typedef {import("../records.d.ts").Opened} Opened
 * @typedef {import("../records.d.ts").RuntimeFile} RuntimeFile
 * @typedef {import("../records.d.ts").Tensor} Tensor
 * @typedef {import("../records.d.ts").Tensors} Tensors
 *
 * What is C++ behind the scenes lives until delete() is called.
 * @typedef {{delete(): void}} Native
 * @typedef {Native & {size(): number, get(index: number): any}} Vector
 * @typedef {Native & {dimensions(): Vector}} Layout
 * @typedef {Native & {elementType(): {value: number}, layout(): Layout, bytes(): number}} Type
 * @typedef {Native & {key(): string, inputNames(): Vector, outputNames(): Vector}} Names
 * @typedef {Native & {lock(mode: unknown): number, unlock(): void, tensorType(): Type}} Buffer
 * @typedef {Native & {getNumSignatures(): number, getSignature(index: number): Names,
 *   getInputTensorType(signature: number, input: number): Type}} Model
 * @typedef {Buffer[] | Promise<Buffer[]>} Answered
 * @typedef {Native & {run(signature: number, inputs: Buffer[]): Answered}} Compiled
 * @typedef {{
 *   HEAPU8: Uint8Array,
 *   _malloc(size: number): number,
 *   _free(address: number): void,
 *   setupLogging(): void,
 *   LiteRtEnvironment: {create(device: null): Native},
 *   LiteRtTensorBuffer: {
 *     createManaged(home: Native, kind: unknown, type: Type, size: number): Buffer,
 *   },
 *   LiteRtTensorBufferType: {HOST_MEMORY: unknown},
 *   LiteRtTensorBufferLockMode: {READ: unknown, WRITE: unknown},
 *   loadModel(home: Native, address: number, size: number): Model,
 *   compileModel(home: Native, model: Model, options: object): Compiled | Promise<Compiled>,
 * }} Wasm
 * @typedef {{wasm: Wasm, home: Native, memory: () => Uint8Array}} LiteRt
 * @typedef {{index: number, inputs: string[], outputs: string[]}} Signature
 */

/** LiteRT's number of a datatype -> its name, and the array that holds it. */
const TYPES = /** @type {Record<number, [string, {new (buffer: ArrayBuffer): Data}]>} */ ({
  1: ["float32", Float32Array],
  2: ["int32", Int32Array],
  3: ["uint8", Uint8Array],
  4: ["int64", BigInt64Array],
  6: ["bool", Uint8Array],
  7: ["int16", Int16Array],
  9: ["int8", Int8Array],
  10: ["float16", Uint16Array],
  11: ["float64", Float64Array],
  13: ["uint64", BigUint64Array],
  16: ["uint32", Uint32Array],
  17: ["uint16", Uint16Array],
});

/** The memory that the threaded build would make for itself: 16 MiB, growing to 2 GiB. */
const MEMORY = { initial: 256, maximum: 32768, shared: true };

/** @type {Promise<LiteRt> | undefined} */
let started;

/** A function with one relaxed instruction: valid where the faster builds run. */
const RELAXED = Uint8Array.of(
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...[1, 4, 1, 0x60, 0, 0],
  ...[3, 2, 1, 0],
  ...[10, 16, 1, 14, 0, 0x41, 0, 0xfd, 0x0f, 0x41, 0, 0xfd, 0x0f, 0xfd, 0x80, 2, 0x1a, 0x0b],
);

/**
 * Opens the model. Rejects with what the runtime says of it.
 *
 * @param {Files} files roles "module" and "wasm"; with threads "many-" of each, where there is no
 *   relaxed SIMD "basic-" of each; and the model's
 * @param {OpenOptions} options
 * @returns {Promise<Opened>}
 */
export async function open(files, { threads, graph }) {
  started ??= start(files, threads);
  const litert = await started;
  const { wasm, home } = litert;
  const bytes = new Uint8Array(file(files, graph).bytes);
  // The model is used where it lies: its weights are never copied, and freed last.
  const address = wasm._malloc(bytes.length);
  if (address === 0) throw new Error(`out of memory: the model has ${bytes.length} bytes`);
  litert.memory().set(bytes, address);
  const model = wasm.loadModel(home, address, bytes.length);
  const compiled = await wasm.compileModel(home, model, {
    accelerator: "wasm",
    cpuOptions: { numThreads: threads },
    gpuOptions: {},
    webNNOptions: {},
  });
  const signatures = signaturesOf(model);
  return {
    version: "",
    run: (feeds, entry) => run(litert, model, compiled, chosen(signatures, entry), feeds),
    close: () => {
      compiled.delete();
      model.delete();
      wasm._free(address);
    },
  };
}

/**
 * @param {Files} files
 * @param {number} threads
 * @returns {Promise<LiteRt>}
 */
async function start(files, threads) {
  const plain = WebAssembly.validate(RELAXED) ? "" : "basic-";
  const kind = threads > 1 ? "many-" : plain;
  const [module, binary] = [file(files, `${kind}module`), file(files, `${kind}wasm`)];
  const create = await factory(module.url);
  const memory = threads > 1 ? new WebAssembly.Memory(MEMORY) : undefined;
  const wasm = await withCores(threads, () =>
    create({
      wasmBinary: binary.bytes,
      mainScriptUrlOrBlob: module.url,
      // What it prints is which delegate it made; what goes wrong, it throws.
      print: () => undefined,
      printErr: () => undefined,
      ...(memory && { wasmMemory: memory }),
    }),
  );
  wasm.setupLogging();
  return {
    wasm,
    home: wasm.LiteRtEnvironment.create(null),
    // Another thread may have made shared memory larger, which HEAPU8 does not show.
    memory: memory ? () => new Uint8Array(memory.buffer) : () => wasm.HEAPU8,
  };
}

/**
 * What makes the wasm module. Its file is a classic script, which a module worker cannot load: but
 * as a module it runs too, and hands over its factory where it finds the `define` of loaders.
 *
 * @param {string} url
 * @returns {Promise<(options: object) => Promise<Wasm>>}
 */
async function factory(url) {
  const scope = /** @type {{define?: unknown}} */ (globalThis);
  /** @type {((options: object) => Promise<Wasm>) | undefined} */
  let found;
  /** @param {unknown} _needs @param {() => any} make */
  const define = (_needs, make) => {
    found = make();
  };
  scope.define = Object.assign(define, { amd: true });
  try {
    await import(url);
  } finally {
    delete scope.define;
  }
  if (found === undefined) throw new Error(`${url} is not LiteRT's script; build the bundle again`);
  return found;
}

/**
 * Does something while this machine seems to have so many cores: the threaded build starts a worker
 * for every core that it sees, used or not.
 *
 * @template T
 * @param {number} cores
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
async function withCores(cores, work) {
  Object.defineProperty(navigator, "hardwareConcurrency", { value: cores, configurable: true });
  try {
    return await work();
  } finally {
    Reflect.deleteProperty(navigator, "hardwareConcurrency");
  }
}

/**
 * @param {Model} model
 * @returns {Map<string, Signature>}
 */
function signaturesOf(model) {
  const found = new Map();
  for (let index = 0; index < model.getNumSignatures(); index += 1) {
    const signature = model.getSignature(index);
    const [inputs, outputs] = [listed(signature.inputNames()), listed(signature.outputNames())];
    found.set(signature.key(), { index, inputs, outputs });
    signature.delete();
  }
  return found;
}

/**
 * @param {Map<string, Signature>} signatures
 * @param {string | undefined} entry
 * @returns {Signature}
 */
function chosen(signatures, entry) {
  const found = entry === undefined ? [...signatures.values()][0] : signatures.get(entry);
  if (found !== undefined) return found;
  throw new Error(`the model has no entry "${entry}"; it has ${[...signatures.keys()].join(", ")}`);
}

/**
 * @param {LiteRt} litert
 * @param {Model} model
 * @param {Compiled} compiled
 * @param {Signature} signature
 * @param {Tensors} feeds
 * @returns {Promise<Tensors>}
 */
async function run(litert, model, compiled, { index, inputs, outputs }, feeds) {
  /** @type {Native[]} */
  const held = [];
  try {
    const given = inputs.map((name, at) => {
      const type = model.getInputTensorType(index, at);
      const buffer = filled(litert, type, name, feeds[name]);
      held.push(type, buffer);
      return buffer;
    });
    const answered = await compiled.run(index, given);
    held.push(...answered);
    return Object.fromEntries(answered.map((buffer, at) => [outputs[at], plain(litert, buffer)]));
  } finally {
    for (const native of held) native.delete();
  }
}

/**
 * @param {LiteRt} litert
 * @param {Type} type
 * @param {string} name
 * @param {Tensor | undefined} tensor
 * @returns {Buffer}
 */
function filled({ wasm, home, memory }, type, name, tensor) {
  if (tensor === undefined) throw new TypeError(`input "${name}" is missing`);
  const { data } = tensor;
  if (data.byteLength !== type.bytes()) {
    throw new TypeError(`input "${name}" has ${data.byteLength} bytes, expected ${type.bytes()}`);
  }
  const kind = wasm.LiteRtTensorBufferType.HOST_MEMORY;
  const buffer = wasm.LiteRtTensorBuffer.createManaged(home, kind, type, data.byteLength);
  const address = buffer.lock(wasm.LiteRtTensorBufferLockMode.WRITE);
  memory().set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), address);
  buffer.unlock();
  return buffer;
}

/**
 * @param {LiteRt} litert
 * @param {Buffer} buffer
 * @returns {Tensor}
 */
function plain({ wasm, memory }, buffer) {
  const type = buffer.tensorType();
  const layout = type.layout();
  try {
    const { value } = type.elementType();
    const [dtype, Holds] = TYPES[value] ?? [];
    if (dtype === undefined || Holds === undefined) {
      throw new Error(`LiteRT answers in its datatype ${value}, which no array holds`);
    }
    const address = buffer.lock(wasm.LiteRtTensorBufferLockMode.READ);
    const bytes = memory().slice(address, address + type.bytes());
    buffer.unlock();
    return { dtype, shape: listed(layout.dimensions()), data: new Holds(bytes.buffer) };
  } finally {
    layout.delete();
    type.delete();
  }
}

/**
 * @param {Vector} vector
 * @returns {any[]}
 */
function listed(vector) {
  const found = Array.from({ length: vector.size() }, (_, index) => vector.get(index));
  vector.delete();
  return found;
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
