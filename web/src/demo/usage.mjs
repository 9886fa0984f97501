/**
 * The lines that put the model into another page.
 *
 * @typedef {import("./about.mjs").About} About
 */

import { HOME, kind } from "./about.mjs";
import { fill, make } from "./dom.mjs";
import { first, fixed } from "./sizes.mjs";

const ASKED = /** @type {Record<string, string>} */ ({
  image: "file",
  audio: "wavFile",
  table: "csvFile",
  file: "file",
});

/**
 * The section with the code.
 *
 * @param {About} about
 */
export function usage(about) {
  const code = lines(about, new URL("model.mjs", HOME).pathname);
  const said = make("span", { role: "status", class: "quiet" });
  const copy = make("button", { type: "button", click: async () => {
    await navigator.clipboard.writeText(code).then(
      () => fill(said, "copied"),
      () => fill(said, "the browser does not allow it"),
    );
  } }, "Copy");
  return make(
    "div",
    {},
    make("pre", { class: "code", tabindex: "0" }, make("code", {}, code)),
    make("div", { class: "row" }, "clipboard" in navigator && copy, said),
    make("p", { class: "quiet" }, "Copy the folder into any static site; README.md in it says the rest."),
  );
}

/**
 * Three lines of code.
 *
 * @param {About} about
 * @param {string} url of model.mjs
 */
export function lines(about, url) {
  return [
    `import { load } from ${JSON.stringify(url)};`,
    "const model = await load();",
    about.steps === null ? run(about) : predict(about),
  ].join("\n");
}

/** @param {About} about */
function predict(about) {
  const raws = Object.entries(about.steps?.inputs ?? {});
  const all = about.signature.inputs.map((spec) => {
    const raw = about.steps?.inputs[spec.name];
    return `${key(spec.name)}: ${raw === undefined ? "tensor" : ASKED[kind(raw)]}`;
  });
  const alone = raws[0] !== undefined && all.length === 1 ? ASKED[kind(raws[0][1])] : `{ ${all.join(", ")} }`;
  return `const answer = await model.predict(${alone});`;
}

/** @param {About} about */
function run(about) {
  const inputs = about.entries[0]?.inputs ?? [];
  const all = inputs.map((spec) => {
    // One name for the numbers of several inputs would say that they are the same.
    const data = inputs.length > 1 ? `data: ${spec.name.replace(/\W/g, "_")}` : "data";
    const shape = fixed(spec.shape, first(inputs, about.axes, about.batch)).join(", ");
    const told = [`dtype: "${spec.dtype}"`, `shape: [${shape}]`, data].map((one) => `    ${one},\n`);
    return `  ${key(spec.name)}: {\n${told.join("")}  },\n`;
  });
  return `const outputs = await model.run({\n${all.join("")}});`;
}

/** @param {string} name */
function key(name) {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}
