/**
 * Asking a model that takes photos, sounds or tables: what comes in goes to `predict` as it is.
 *
 * @typedef {import("./about.mjs").About} About
 * @typedef {import("./drops.mjs").Given} Given
 */

import { kind } from "./about.mjs";
import { shown } from "./answers.mjs";
import { fill, make } from "./dom.mjs";
import { pasted } from "./drops.mjs";
import { Field } from "./field.mjs";
import { first } from "./sizes.mjs";
import { source, wave } from "./sources.mjs";
import * as photos from "./photos.mjs";

/**
 * The panel with a source for each input.
 *
 * @param {About} about
 * @param {import("./desk.mjs").Desk} desk
 */
export function panel(about, desk) {
  const raws = Object.entries(about.steps?.inputs ?? {});
  const plain = about.signature.inputs.filter((spec) => !about.steps?.inputs[spec.name]);
  const alone = raws.length === 1 && plain.length === 0;
  /** @type {Record<string, Given>} */
  const chosen = {};
  const fields = plain.map((spec) => new Field(spec, first(plain, about.axes, about.batch)));
  const give = (/** @type {string} */ name, /** @type {HTMLElement} */ note) => (/** @type {Given[]} */ files) => {
    if (alone) return files.forEach((file) => ask(about, desk, { [name]: file }, {}));
    const last = files[files.length - 1];
    if (last !== undefined) chosen[name] = last;
    fill(note, `chosen: ${last?.name}`);
  };
  const sources = raws.map(([name, raw]) => {
    const note = make("p", { class: "quiet", role: "status" });
    const given = give(name, note);
    if (raws.length === 1 && kind(raw) === "image") pasted(given);
    return make("div", { class: "input" }, !alone && make("h4", {}, name), source(name, raw, given), note);
  });
  const all = make("button", { type: "button", class: "main", click: () => together(about, desk, chosen, fields, complaint) }, "Ask");
  const complaint = make("p", { class: "problem", role: "alert", hidden: true });
  return make("div", {}, ...sources, ...fields.map((field) => field.element), !alone && all, complaint);
}

/**
 * @param {About} about
 * @param {import("./desk.mjs").Desk} desk
 * @param {Record<string, Given>} chosen
 * @param {Field[]} fields
 * @param {HTMLElement} complaint
 */
function together(about, desk, chosen, fields, complaint) {
  const missing = Object.keys(about.steps?.inputs ?? {}).filter((name) => !chosen[name]);
  complaint.hidden = missing.length === 0;
  fill(complaint, `Nothing is chosen for ${missing.join(", ")}.`);
  if (missing.length > 0) return;
  const tensors = fields.map((field) => /** @type {const} */ ([field.spec.name, field.read()]));
  if (tensors.some(([, tensor]) => tensor === null)) return;
  ask(about, desk, { ...chosen }, Object.fromEntries(tensors));
}

/**
 * @param {About} about
 * @param {import("./desk.mjs").Desk} desk
 * @param {Record<string, Given>} files
 * @param {Record<string, any>} tensors
 */
function ask(about, desk, files, tensors) {
  const blobs = Object.fromEntries(Object.entries(files).map(([name, { blob }]) => [name, blob]));
  const named = Object.values(files).map((file) => file.name).join(", ");
  desk.ask({
    named,
    ask: (model, signal) => model.predict({ ...blobs, ...tensors }, { signal }),
    show: async (words) => {
      const [photo, sound] = await seen(about, files);
      const answer = await shown(words, about, photo, named);
      if (sound) answer.element.prepend(sound);
      return answer;
    },
  });
}

/**
 * The photo, or the wave of the sound, that an answer is about.
 *
 * @param {About} about
 * @param {Record<string, Given>} files
 * @returns {Promise<[photos.Photo | null, HTMLElement | null]>}
 */
async function seen(about, files) {
  for (const [name, { blob }] of Object.entries(files)) {
    const raw = about.steps?.inputs[name];
    if (raw === undefined) continue;
    if (kind(raw) === "audio") return [null, await wave(blob)];
    if (kind(raw) !== "image") continue;
    const upright = raw.host.find((step) => step.op === "decode_image")?.options.orientation !== "ignore";
    // What the model could read and this browser's own view cannot is an answer without a picture.
    return [await photos.opened(blob, upright).catch(() => null), null];
  }
  return [null, null];
}
