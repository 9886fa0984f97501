/**
 * The steps' answers to a file of test vectors. Whether they are right is not decided here.
 *
 * In: the bytes of `<operation>.safetensors`. Out: a safetensors file with `<case>/<name>` for each
 * output, and in its metadata's `answers` what else there is of each case: {frame}, {refused:
 * {status, message}}, or {failed: "why"}. It runs in Node.js and in a browser's worker.
 *
 * @typedef {import("../../src/steps/index.mjs").Step} Step
 * @typedef {import("../../src/steps/arrays.mjs").Tensors} Tensors
 * @typedef {import("../../src/steps/arrays.mjs").Frame} Frame
 * @typedef {{side: string, steps: Step[], frame: Frame, single: boolean}} Case
 */

import { after, before, Refused } from "../../src/steps/index.mjs";
import { read, write } from "./safetensors.mjs";

/**
 * @param {Uint8Array} file
 * @returns {Promise<Uint8Array>}
 */
export async function answers(file) {
  const { tensors, metadata } = read(file);
  /** @type {Record<string, Case>} */
  const cases = JSON.parse(metadata["vectors"] ?? "{}");
  /** @type {Record<string, unknown>} */
  const said = {};
  /** @type {Tensors} */
  const made = {};
  for (const [name, one] of Object.entries(cases)) {
    try {
      const { outputs, frame } = await answer(one, givenTo(name, tensors));
      for (const [of, tensor] of Object.entries(outputs)) made[`${name}/${of}`] = tensor;
      said[name] = { frame };
    } catch (error) {
      said[name] = unanswered(error);
    }
  }
  return write({ tensors: made, metadata: { answers: JSON.stringify(said) } });
}

/** @param {any} error */
function unanswered(error) {
  if (error instanceof Refused) return { refused: { status: error.status, message: error.message } };
  return { failed: String(error?.stack ?? error) };
}

/**
 * @param {string} name
 * @param {Tensors} tensors
 * @returns {Tensors}
 */
function givenTo(name, tensors) {
  const start = `${name}/in/`;
  const own = Object.entries(tensors).filter(([key]) => key.startsWith(start));
  return Object.fromEntries(own.map(([key, tensor]) => [key.slice(start.length), tensor]));
}

/**
 * @param {Case} one
 * @param {Tensors} given
 * @returns {Promise<{outputs: Tensors, frame: Frame}>}
 */
async function answer({ side, steps, frame: started, single }, given) {
  const frame = structuredClone(started);
  if (side === "before") {
    const raw = given["bytes"]?.data ?? given["value"];
    const value = await before(steps, /** @type {any} */ (raw), frame);
    return { outputs: { value }, frame };
  }
  const tensors = await after(steps, given, frame);
  return { outputs: side === "after" ? tensors : await inWords(steps, tensors, frame, single), frame };
}

/**
 * @param {Step[]} steps
 * @param {Tensors} tensors
 * @param {Frame} frame
 * @param {boolean} single
 * @returns {Promise<Tensors>}
 */
async function inWords(steps, tensors, frame, single) {
  const words = await import("../../src/steps/words.mjs");
  /** @type {Tensors} */
  const outputs = {};
  if (words.media(steps).includes("image/png")) {
    outputs["picture"] = bytesOf(await words.picture(steps, tensors));
  }
  const spoken = await words.say(steps, tensors, frame, single);
  outputs["json"] = bytesOf(new TextEncoder().encode(JSON.stringify(spoken)));
  return outputs;
}

/**
 * @param {Uint8Array} data
 * @returns {import("../../src/steps/arrays.mjs").Tensor}
 */
function bytesOf(data) {
  return { dtype: "uint8", shape: [data.length], data };
}
