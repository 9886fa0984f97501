/**
 * What a verifier drives: the model as a page loads it, asked through `run()` and `predict()`.
 *
 * It is what a site uses; nothing here is faster or laxer. Questions and answers travel by URL, as
 * safetensors, or as JSON where the answer is words. The page's only line of text is "ready" once it
 * can be driven.
 *
 * @typedef {import("./records.js").Raw} Raw
 * @typedef {import("./records.js").Tensors} Tensors
 * @typedef {{entry: string, golden: string, question: string, answer: string}} Question where the
 *   question is had from, and where the answer is posted to
 */

import { load } from "./model.mjs";
import { read, written } from "./safetensors.mjs";

/** @type {import("./model.mjs").Model | undefined} */
let model;

const harness = {
  /**
   * Loads the bundle, in place of what was loaded before.
   *
   * @param {import("./model.mjs").LoadOptions & {provider?: "webgpu" | "wasm"}} options
   */
  async start({ provider, ...options }) {
    model?.close();
    model = undefined;
    model = await load({ check: false, ...(provider && { prefer: provider }), ...options });
    return model.info();
  },

  /**
   * Asks one golden call; `seconds` are the model's own, without the way there and back.
   *
   * @param {Question} question
   */
  async ask({ entry, golden, question, answer }) {
    const asked = loaded();
    const came = await reached(question, { cache: "no-store" });
    const given = read(await came.arrayBuffer());
    const began = performance.now();
    const value = golden === "bytes" ? await asked.predict(files(given)) : await asked.run(given, { entry });
    const seconds = (performance.now() - began) / 1000;
    const body = golden === "bytes" ? JSON.stringify(value) : written(/** @type {Tensors} */ (value));
    // A remote control copies plain bodies, slowly; a Blob it leaves alone.
    await reached(answer, { method: "POST", body: new Blob([body]) });
    return { seconds };
  },
};

/**
 * Of inputs with steps the bytes alone; a file travels as a tensor of bytes.
 *
 * @param {Tensors} given
 * @returns {Raw}
 */
function files(given) {
  const steps = loaded().about.steps?.inputs ?? {};
  return Object.fromEntries(Object.entries(given).map(([name, one]) => [name, name in steps ? one.data : one]));
}

function loaded() {
  if (!model) throw new Error("harness.start() comes first");
  return model;
}

/**
 * @param {string} url
 * @param {RequestInit} init
 */
async function reached(url, init) {
  const response = await fetch(url, init);
  if (!response.ok) throw new Error(`${url}: HTTP ${response.status}`);
  return response;
}

Object.assign(window, { harness });
/** @type {HTMLElement} */ (document.getElementById("state")).textContent = "ready";
