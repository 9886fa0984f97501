/**
 * From raw bytes to the answer: the steps before the model, the model, the steps behind it.
 *
 * In: the bytes of photos, recordings, tables; out: the tensors of the answer, or its words. The
 * code of the steps is only fetched where a model has any.
 *
 * @typedef {import("./records.js").About} About
 * @typedef {import("./records.js").Opened} Opened
 * @typedef {import("./records.js").Step} Step
 * @typedef {import("./records.js").Steps} Steps
 * @typedef {import("./records.js").Tensor} Tensor
 * @typedef {import("./records.js").Tensors} Tensors
 * @typedef {Record<string, import("./steps/arrays.mjs").Frame>} Frames
 * @typedef {Record<string, Blob | Uint8Array | Tensor>} Raw
 * @typedef {Record<string, Opened>} Graphs by role
 */

import { answer, calls } from "./binding.mjs";

/** A graph's input is called so: it takes a tensor whose name its output may have, too. */
const GIVEN = ".given";

/**
 * The answer to raw inputs. Rejects with Refused where one of them cannot be taken.
 *
 * @param {About} about
 * @param {Graphs} graphs
 * @param {Raw} raw
 * @param {boolean} words
 * @returns {Promise<any>}
 */
export async function predicted(about, graphs, raw, words) {
  const steps = /** @type {Steps} */ (about.steps);
  /** @type {Frames} */
  const frames = {};
  const tensors = await before(steps, graphs, raw, frames);
  const outputs = await asked(about, graphs, tensors);
  const made = await after(steps, graphs, outputs, frames);
  if (!words) return made;
  const { say } = await import("./steps/words.mjs");
  return say(steps.host, made, Object.values(frames)[0] ?? {}, steps.single);
}

/**
 * @param {Steps} steps
 * @param {Graphs} graphs
 * @param {Raw} raw
 * @param {Frames} frames
 */
async function before(steps, graphs, raw, frames) {
  const { before, Refused } = await import("./steps/index.mjs");
  /** @type {Tensors} */
  const tensors = {};
  for (const [name, given] of Object.entries(raw)) {
    const input = steps.inputs[name];
    if (input === undefined) {
      tensors[name] = /** @type {Tensor} */ (given);
      continue;
    }
    try {
      const frame = (frames[name] = {});
      const made = await before(input.host, await bytes(given), frame);
      tensors[name] = input.graph ? await only(graphs[input.graph], made) : made;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      throw new Refused(`input "${name}": ${error.message}`, error.status);
    }
  }
  return tensors;
}

/**
 * @param {About} about
 * @param {Graphs} graphs
 * @param {Tensors} tensors
 */
async function asked(about, graphs, tensors) {
  const model = /** @type {Opened} */ (graphs["model"]);
  const asked = calls(about, tensors);
  const answers = [];
  for (const { feeds, entry } of asked) answers.push(await model.run(feeds, entry.name));
  return answer(about, asked, answers);
}

/**
 * @param {Steps} steps
 * @param {Graphs} graphs
 * @param {Tensors} outputs
 * @param {Frames} frames
 */
async function after(steps, graphs, outputs, frames) {
  const { after } = await import("./steps/index.mjs");
  const through = steps.graph ? await behind(/** @type {Opened} */ (graphs[steps.graph]), outputs) : {};
  let tensors = { ...outputs, ...through };
  for (const step of steps.host) tensors = await after([step], tensors, frameOf(step, frames));
  return Object.fromEntries(steps.gives.map(({ name }) => [name, /** @type {Tensor} */ (tensors[name])]));
}

/**
 * @param {Opened} graph
 * @param {Tensors} outputs
 */
function behind(graph, outputs) {
  const named = (graph.inputs ?? []).map((name) => {
    const of = name.endsWith(GIVEN) ? name.slice(0, -GIVEN.length) : name;
    return [name, outputs[of]];
  });
  return graph.run(Object.fromEntries(named));
}

/**
 * @param {Opened | undefined} graph
 * @param {Tensor} value
 */
async function only(graph, value) {
  const name = graph?.inputs?.[0] ?? "";
  const outputs = await /** @type {Opened} */ (graph).run({ [name]: value });
  return /** @type {Tensor} */ (Object.values(outputs)[0]);
}

/**
 * The frame of the input that a step names, else of the only one.
 *
 * @param {Step} step
 * @param {Frames} frames
 */
function frameOf(step, frames) {
  return frames[step.options["input"]] ?? Object.values(frames)[0] ?? {};
}

/**
 * @param {Blob | Uint8Array | Tensor} given
 * @returns {Promise<Uint8Array>}
 */
async function bytes(given) {
  return given instanceof Blob ? new Uint8Array(await given.arrayBuffer()) : /** @type {Uint8Array} */ (given);
}
