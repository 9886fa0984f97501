/**
 * What stands around a graph, in JavaScript: from raw bytes to a tensor, and from tensors to words.
 *
 * Every operation gives what its namesake in Python gives, and is held to it by shared questions.
 * To add one: a function in the file of its medium, and a line in BEFORE or AFTER.
 *
 * A step is {op, options}, and for an output also `of`. A `frame` is what a later step must know of
 * an earlier one: the size of a photo, the rate of a recording. All of it runs in a module worker;
 * what decodes photos asks the browser, everything else runs in Node.js as well.
 *
 * @typedef {import("./arrays.mjs").Tensor} Tensor
 * @typedef {import("./arrays.mjs").Tensors} Tensors
 * @typedef {import("./arrays.mjs").Frame} Frame
 * @typedef {{op: string, of?: string, options: Record<string, any>}} Step
 * @typedef {Uint8Array | Tensor} Value bytes as they were sent, or what an earlier step made of them
 */

import { Refused } from "./refused.mjs";

/** Operation -> the file that has it, fetched when it is first needed. */
export const BEFORE = {
  decode_image: "decode_image",
  resize: "resize",
  crop: "image",
  pad: "image",
  channels: "image",
  scale: "image",
  layout: "image",
  decode_audio: "audio",
  resample: "audio",
  length: "audio",
  frames: "audio",
  normalise: "audio",
  arrange: "audio",
  log_mel: "audio",
  decode_table: "table",
  impute: "table",
  standardise: "table",
  one_hot: "table",
  cast: "table",
  own: "own",
};

export const AFTER = {
  softmax: "scores",
  sigmoid: "scores",
  top_k: "scores",
  threshold: "scores",
  detections: "boxes",
  unframe: "boxes",
  argmax: "masks",
  above: "masks",
  resize_mask: "masks",
  ctc: "text",
};

/** What says how an answer is put in words (words.mjs), and changes no tensor. */
export const WORDS = ["label", "palette"];

/**
 * Runs the steps of one input, from bytes or from where another left off. Throws Refused.
 *
 * @param {readonly Step[]} steps
 * @param {Value} value
 * @param {Frame} frame
 * @returns {Promise<Tensor>}
 */
export async function before(steps, value, frame) {
  let made = value;
  for (const step of steps) {
    const run = await operation(BEFORE, step.op);
    made = await run(made, frame, step.options);
  }
  if (made instanceof Uint8Array) throw new TypeError("no step makes a tensor of these bytes");
  return made;
}

/**
 * Runs the steps of all outputs; each takes tensors by name and puts others in their place.
 *
 * @param {readonly Step[]} steps
 * @param {Tensors} given
 * @param {Frame} frame
 * @returns {Promise<Tensors>}
 */
export async function after(steps, given, frame) {
  const tensors = { ...given };
  for (const step of steps) {
    if (WORDS.includes(step.op)) continue;
    const run = await operation(AFTER, step.op);
    await run(tensors, step.of, frame, step.options);
  }
  return tensors;
}

/**
 * @param {Record<string, string>} known
 * @param {string} op
 * @returns {Promise<Function>}
 */
async function operation(known, op) {
  const file = known[op];
  if (file === undefined) throw new TypeError(`no step is named "${op}"`);
  const home = await import(`./${file}.mjs`);
  return home[op];
}

export { Refused };
