/**
 * What the bundle says of itself in model.json, as the demo reads it.
 *
 * @typedef {import("../records.js").Spec} Spec
 * @typedef {import("../records.js").RawInput} Raw
 * @typedef {import("../records.js").Entry} Entry
 * @typedef {import("../records.js").About} About
 */

/** The folder of the bundle: this file lies in code.<hex>/demo/. */
export const HOME = new URL("../../", import.meta.url);

/**
 * @returns {Promise<About>}
 */
export async function read() {
  const answer = await fetch(new URL("model.json", HOME));
  if (!answer.ok) throw new Error(`model.json: the host answers ${answer.status}`);
  return answer.json();
}

/**
 * Whether the model sees a photo as it is, so that what it finds lies on the photo.
 *
 * @param {About} about
 */
export function seesPhotosAsTheyAre(about) {
  const steps = Object.values(about.steps?.inputs ?? {}).flatMap((raw) => raw.host);
  return !steps.some((step) => ["resize", "crop", "pad"].includes(step.op));
}

/** What a kind of input, and of answer, is called. */
const TAKEN = /** @type {Record<string, string>} */ ({ image: "a photo", audio: "a sound", table: "rows of a table", file: "a file" });
const GIVEN = /** @type {Record<string, string>} */ ({ classes: "classes", boxes: "boxes", mask: "a mask", text: "text" });

/**
 * What the model is for, as far as the bundle knows: "It takes a photo and answers with classes."
 *
 * @param {About} about
 */
export function purpose({ signature, steps }) {
  const raws = Object.values(steps?.inputs ?? {}).map((raw) => TAKEN[kind(raw)] ?? "a file");
  const plain = signature.inputs.filter(({ name }) => !steps?.inputs[name]);
  const labels = steps?.host.filter((step) => step.op === "label") ?? [];
  const given = labels.map((step) => GIVEN[step.options.says] ?? `numbers (${step.of})`);
  const taken = listed([...raws, ...numbers(plain)]);
  return `It takes ${taken} and answers with ${listed(given) || numbers(signature.outputs).join("")}.`;
}

/** @param {readonly {name: string}[]} tensors */
function numbers(tensors) {
  return tensors.length === 0 ? [] : [`numbers (${tensors.map(({ name }) => name).join(", ")})`];
}

/** @param {string[]} things */
function listed(things) {
  const all = [...new Set(things)];
  return all.length < 2 ? all.join("") : `${all.slice(0, -1).join(", ")} and ${all.at(-1)}`;
}

/**
 * What an input is made of: "image", "audio", "table", or "file" where its media say nothing.
 *
 * @param {Raw} raw
 */
export function kind(raw) {
  const said = raw.media.join(" ");
  if (said.includes("image/")) return "image";
  if (said.includes("audio/")) return "audio";
  return said.includes("csv") ? "table" : "file";
}
