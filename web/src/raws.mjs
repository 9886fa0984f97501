/**
 * What a page gives to predict(): files by input, and tensors for inputs without steps.
 *
 * In: Blobs, ArrayBuffers, typed arrays. Out: what can be sent to the worker: copies, but of Blobs,
 * which cannot change. A TypeError says what was expected.
 *
 * @typedef {import("./records.js").About} About
 * @typedef {import("./records.js").RawInput} RawInput
 * @typedef {import("./records.js").Steps} Steps
 * @typedef {import("./records.js").Tensor} Tensor
 * @typedef {Record<string, Blob | Uint8Array | Tensor>} Sent
 */

import { accepted, record } from "./tensors.mjs";

/**
 * @param {About} about
 * @param {unknown} raw
 * @returns {{given: Sent, moved: ArrayBuffer[]}}
 */
export function raws(about, raw) {
  const { steps, signature, axes } = about;
  if (steps === null) {
    throw new TypeError("this model was built without steps around it, and takes tensors alone: use run()");
  }
  const named = isFile(raw) ? alone(about, raw) : record(raw);
  const known = signature.inputs.map((spec) => spec.name);
  const odd = Object.keys(named).find((name) => !known.includes(name));
  if (odd !== undefined) throw new TypeError(`no input is named "${odd}"; this model takes ${known.join(", ")}`);
  const files = Object.entries(steps.inputs).map(([name, input]) => [name, file(name, input, named[name])]);
  const rest = signature.inputs.filter((spec) => !(spec.name in steps.inputs));
  const given = rest.map(({ name }) => [name, named[name]]);
  const tensors = rest.length ? accepted(rest, axes, Object.fromEntries(given)) : {};
  /** @type {Sent} */
  const sent = { ...Object.fromEntries(files), ...tensors };
  return { given: sent, moved: buffers(sent) };
}

/**
 * @param {About} about
 * @param {unknown} bytes
 */
function alone({ signature }, bytes) {
  const [first, ...more] = signature.inputs;
  if (first && more.length === 0) return { [first.name]: bytes };
  const names = signature.inputs.map((spec) => spec.name).join(", ");
  throw new TypeError(`this model has several inputs, and takes them by name: {${names}}`);
}

/**
 * @param {string} name
 * @param {RawInput} input
 * @param {unknown} given
 * @returns {Blob | Uint8Array}
 */
function file(name, { media }, given) {
  if (given instanceof Blob) return given;
  if (!isFile(given)) {
    const came = given === undefined ? "nothing" : Object.prototype.toString.call(given).slice(8, -1);
    throw new TypeError(
      `input "${name}": expected the bytes of a file (${media.join(", ")}) as a Blob, an ArrayBuffer or a ` +
        `Uint8Array, got ${came}`,
    );
  }
  const view = /** @type {ArrayBuffer | ArrayBufferView} */ (given);
  try {
    const bytes = ArrayBuffer.isView(view)
      ? new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
      : new Uint8Array(view);
    return bytes.slice();
  } catch {
    throw new TypeError(`input "${name}": its buffer was transferred elsewhere and is empty now`);
  }
}

/** @param {unknown} given */
function isFile(given) {
  return given instanceof Blob || given instanceof ArrayBuffer || ArrayBuffer.isView(given);
}

/** @param {Sent} sent */
function buffers(sent) {
  const views = Object.values(sent).map((one) => (one instanceof Blob ? null : "data" in one ? one.data : one));
  return views.flatMap((view) => (view ? [/** @type {ArrayBuffer} */ (view.buffer)] : []));
}
