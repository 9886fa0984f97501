/**
 * A user's own step: their file lies in own_steps/ beside this one, where the build has put it.
 *
 * What it is given and must give is the same tensor as in Python: {dtype, shape, data}, a copy that
 * it may write to, and a tensor of the same dtype and rank, whose sizes are those that later steps
 * count on. It may be asynchronous.
 *
 * @typedef {import("./arrays.mjs").Tensor} Tensor
 * @typedef {{name: string, counterpart: string, dtype: string, shape: (number | string)[],
 *   keeps: boolean}} Options
 */

import { ARRAYS, count } from "./arrays.mjs";

const FOLDER = "own_steps";

/**
 * The value as the counterpart makes it. Throws a TypeError where it is none of that kind.
 *
 * @param {Tensor} value
 * @param {unknown} _frame
 * @param {Options} options
 * @returns {Promise<Tensor>}
 */
export async function own(value, _frame, options) {
  const call = await counterpart(options.counterpart);
  const said = await call({ ...value, shape: [...value.shape], data: value.data.slice() });
  const wrong = unsound(said) || complaint(value, said, options);
  if (wrong) throw new TypeError(`own step ${options.name}: ${wrong}`);
  return said;
}

/** @param {string} named "folder/file.mjs:function" */
async function counterpart(named) {
  const cut = named.lastIndexOf(":");
  const file = named.slice(0, cut).split("/").pop();
  const home = await import(new URL(`./${FOLDER}/${file}`, import.meta.url).href);
  const call = home[named.slice(cut + 1)];
  if (typeof call !== "function") throw new TypeError(`${named} is no function that is exported`);
  return call;
}

/**
 * Why something is no tensor at all; empty where it is one.
 *
 * @param {any} said
 */
function unsound(said) {
  const kind = ARRAYS[/** @type {keyof typeof ARRAYS} */ (said?.dtype)];
  if (kind === undefined || !Array.isArray(said.shape)) {
    return "gave no tensor; expected {dtype, shape, data}";
  }
  if (!(said.data instanceof kind) || said.data.length !== count(said.shape)) {
    return `gave ${tell(said)} whose data are not a ${kind.name} of ${count(said.shape)}`;
  }
  return "";
}

/**
 * Why a tensor is not what this step may give; empty where it is.
 *
 * @param {Tensor} value
 * @param {Tensor} said
 * @param {Options} options
 */
export function complaint(value, said, { dtype, shape, keeps }) {
  const got = `gave ${tell(said)}`;
  if (said.dtype !== dtype || said.shape.length !== shape.length) {
    return `${got}, was given ${tell(value)}; expected its dtype and rank`;
  }
  if (shape.some((size, axis) => typeof size === "number" && size !== said.shape[axis])) {
    return `${got}; expected ${dtype}[${shape.join(", ")}]`;
  }
  if (keeps && said.shape.some((size, axis) => size !== value.shape[axis])) {
    return `${got}, was given [${value.shape.join(", ")}]; expected the same, for later steps count on it`;
  }
  return "";
}

/** @param {Tensor} tensor */
function tell({ dtype, shape }) {
  return `${dtype}[${shape.join(", ")}]`;
}
