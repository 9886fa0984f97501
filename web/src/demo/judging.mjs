/**
 * The original's answers, as they lie in the bundle, asked once more of the model in this browser.
 *
 * In: deploy-target.json with the bounds, golden.safetensors with the cases. Out: for each output of
 * a case how far it is from the original's, and whether that is within the bound.
 *
 * @typedef {import("../golden.mjs").Case} Case
 * @typedef {import("../golden.mjs").Answered} Answered
 * @typedef {import("../model.mjs").Model} Model
 * @typedef {import("../records.js").Tensors} Tensors
 * @typedef {{name: string, of: string, axes: number[] | null, batch: number | null, kind: string, bound: import("../compare.mjs").Bound | undefined}} Judged
 * @typedef {{output: string, relative: number, bound: number, reason: string}} Line
 * @typedef {{manifest: any, golden: Golden | null, cases: Case[]}} Kept
 */

import { batchAxis, inverse } from "../binding.mjs";
import { compared } from "../compare.mjs";
import { json } from "../fetching.mjs";
import { Golden } from "../golden.mjs";
import { permuted } from "../layout.mjs";
import { HOME } from "./about.mjs";

const GOLDEN = "golden.safetensors";

/**
 * What the bundle has to be judged by; no cases where it was built without them.
 *
 * @param {AbortSignal} [signal]
 * @returns {Promise<Kept>}
 */
export async function judgeable(signal) {
  const manifest = await json(new URL("deploy-target.json", HOME), signal);
  if (!(GOLDEN in manifest.files)) return { manifest, golden: null, cases: [] };
  const golden = await Golden.open(new URL(GOLDEN, HOME), signal);
  // A case of an entry that is not in the bundle is none of it.
  const cases = golden.cases.filter((one) => entry(manifest, one) !== undefined);
  return { manifest, golden, cases };
}

/**
 * One case, asked and compared. Throws what the model throws.
 *
 * @param {Kept} bundle
 * @param {Model} model
 * @param {Case} one
 * @param {AbortSignal} signal
 * @returns {Promise<Line[]>}
 */
export async function judged({ manifest, golden }, model, one, signal) {
  if (golden === null) return [];
  const told = await golden.read(one);
  const came = await answer(model, one, told.in, signal);
  return outputs(manifest, one).map(({ name, of, axes, batch, kind, bound }) => {
    // Bounds are about the model's own layout.
    const [want, got, noise] = [told.out[name], came[name], told.noise[name]].map(
      (tensor) => tensor && permuted(tensor, inverse(axes)),
    );
    if (want === undefined || bound === undefined) {
      return { output: of, relative: NaN, bound: NaN, reason: "the bundle does not say what is allowed" };
    }
    const { relativeL2, reason } = compared(want, got, noise, bound, { batch, kind });
    return { output: of, relative: relativeL2, bound: Number(bound.relative_l2), reason };
  });
}

/**
 * @param {Model} model
 * @param {Case} one
 * @param {Tensors} given
 * @param {AbortSignal} signal
 * @returns {Promise<Tensors>}
 */
function answer(model, one, given, signal) {
  if (one.golden !== "bytes") return model.run(given, { entry: one.entry, signal });
  return model.predictTensors(raw(model, given), { signal });
}

/**
 * Raw bytes travel as vectors of uint8; an input without steps is a tensor still.
 *
 * @param {Model} model
 * @param {Tensors} given
 */
function raw(model, given) {
  const staged = model.about.steps?.inputs ?? {};
  return Object.fromEntries(
    Object.entries(given).map(([name, tensor]) => [name, name in staged ? tensor.data : tensor]),
  );
}

/**
 * The outputs of a case's entry, with what is allowed of each.
 *
 * @param {any} manifest
 * @param {Case} one
 * @returns {Judged[]}
 */
function outputs(manifest, one) {
  const signature = manifest.signatures[one.golden];
  const bounds = manifest.bounds[manifest.lanes[0].recipe][one.golden];
  return entry(manifest, one).outputs.map((/** @type {any} */ { spec, of, axes }) => {
    const own = signature.outputs.find((/** @type {any} */ output) => output.name === of);
    const batch = own === undefined ? null : batchAxis(own, signature.batch);
    return { name: spec.name, of, axes, batch, kind: own?.kind ?? "plain", bound: bounds[of] };
  });
}

/**
 * @param {any} manifest
 * @param {Case} one
 */
function entry(manifest, one) {
  return manifest.entries.find((/** @type {any} */ known) => known.name === one.entry && known.golden === one.golden);
}
