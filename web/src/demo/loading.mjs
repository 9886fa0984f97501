/**
 * The model comes: how much of it is there, and then how it runs.
 *
 * @typedef {import("../model.mjs").Model} Model
 * @typedef {import("./about.mjs").About} About
 */

import { load } from "../model.mjs";
import { HOME } from "./about.mjs";
import { fill, make } from "./dom.mjs";
import { bytes, time } from "./figures.mjs";
import { inWords } from "./problems.mjs";

/**
 * Starts loading. Throws what `load` throws, once it is said in the page.
 *
 * @param {About} about
 * @param {HTMLElement} place
 * @returns {Promise<Model>}
 */
export async function loaded(about, place) {
  const bar = make("progress", { max: 1, "aria-label": "download" });
  const said = make("p", { class: "quiet", role: "status" }, "Loading …");
  fill(place, bar, said);
  try {
    const model = await load({
      base: HOME,
      onProgress: ({ loaded: come, total }) => {
        bar.value = total > 0 ? come / total : 1;
        fill(said, come < total ? `Loading: ${bytes(come)} of ${bytes(total)}` : "Starting …");
      },
    });
    fill(place, facts(model));
    return model;
  } catch (error) {
    fill(place, make("p", { class: "problem", role: "alert" }, "The model could not be loaded: ", inWords(error)));
    throw error;
  }
}

/** @param {Model} model */
function facts(model) {
  const info = model.info();
  const lines = [
    ["runs on", `${info.step}, since ${info.why}`],
    ["runtime", info.runtime],
    ["ready after", time(info.seconds)],
    ["self-check", info.checked],
  ];
  return make(
    "dl",
    { class: "facts" },
    ...lines.flatMap(([name, value]) => (value ? [make("dt", {}, name), make("dd", {}, value)] : [])),
  );
}

/**
 * What is downloaded at most; with WebGPU as well, one of the two runtimes.
 *
 * @param {About} about
 */
export function sizes(about) {
  const all = Object.entries(about.files).filter(([role]) => !role.startsWith("gpu-"));
  const total = all.reduce((sum, [, file]) => sum + file.size, 0);
  const model = about.files.model?.size;
  const of = model === undefined ? "" : `, of which the model is ${bytes(model)}`;
  return `${bytes(total)} unpacked${of}`;
}
