/**
 * Loads graphs with the wasm that a bundle will have, in Node.js: what cannot run is known at build.
 *
 * In: the folder of the runtime, and files in ONNX. Out, as JSON: for each of them null, or what the
 * runtime said.
 */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [runtime = "", ...graphs] = process.argv.slice(2);
const home = pathToFileURL(join(runtime, "/"));
const ort = /** @type {typeof import("onnxruntime-web")} */ (
  await import(new URL("ort.wasm.min.mjs", home).href)
);
ort.env.logLevel = "error";
ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmPaths = home.href;
ort.env.wasm.wasmBinary = await bytes(join(runtime, "ort-wasm-simd-threaded.wasm"));

/** @type {(string | null)[]} */
const said = [];
for (const graph of graphs) said.push(await refusal(graph));
console.log(JSON.stringify(said));

/** @param {string} graph */
async function refusal(graph) {
  try {
    const options = { graphOptimizationLevel: /** @type {const} */ ("all") };
    const session = await ort.InferenceSession.create(new Uint8Array(await bytes(graph)), options);
    await session.release();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : `the runtime gave up: ${error}`;
  }
}

/** @param {string} path */
async function bytes(path) {
  const { buffer, byteOffset, byteLength } = await readFile(path);
  return /** @type {ArrayBuffer} */ (buffer).slice(byteOffset, byteOffset + byteLength);
}
