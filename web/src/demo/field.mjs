/**
 * One input tensor to be edited: its numbers as text, zeros, chance, or a .npy file.
 *
 * @typedef {import("../records.js").Spec} Spec
 * @typedef {import("../records.js").Tensor} Tensor
 * @typedef {import("./sizes.mjs").Sizes} Sizes
 */

import { fill, make } from "./dom.mjs";
import { zone } from "./drops.mjs";
import { read } from "./npy.mjs";
import { inWords } from "./problems.mjs";
import { fixed, learnt } from "./sizes.mjs";
import { chance, parsed, written, zeros } from "./values.mjs";

/** More numbers than this are not edited as text. */
const EDITED = 2048;
/** So many are shown of what is not edited. */
const GLIMPSE = 24;

export class Field {
  /** @type {Tensor} */ #held;
  /** Whether the text was changed by hand. */ #touched = false;
  #shape = make("span", { class: "quiet" });
  #area;
  #problem = make("p", { class: "problem", role: "alert", hidden: true });
  /** @type {HTMLElement} */ element;

  /**
   * @param {Spec} spec
   * @param {Sizes} sizes
   * @param {(sizes: Sizes) => void} [resized] where a file brings other sizes
   */
  constructor(spec, sizes, resized = () => {}) {
    this.spec = spec;
    this.sizes = { ...sizes };
    this.resized = resized;
    this.#held = chance(spec.dtype, fixed(spec.shape, this.sizes));
    this.#area = make("textarea", { id: `values-${spec.name}`, rows: 3, spellcheck: "false", autocapitalize: "off", input: () => {
      this.#touched = true;
    } });
    this.element = this.#made();
    this.hold(this.#held);
  }

  /** @param {Tensor} tensor what the input is from now on */
  hold(tensor) {
    const whole = tensor.data.length <= EDITED;
    this.#held = tensor;
    this.#touched = false;
    this.#area.readOnly = !whole;
    this.#area.value = whole
      ? written(tensor)
      : `${written({ ...tensor, shape: [GLIMPSE] }, GLIMPSE)}, …\n(${tensor.data.length} values; a .npy file brings others)`;
    this.#area.rows = Math.max(1, Math.min(6, whole ? this.#area.value.split("\n").length : 3));
    fill(this.#shape, ` ${tensor.dtype} [${tensor.shape.join(", ")}]`);
    this.#said(null);
  }

  /** @param {Sizes} sizes of the axes; numbers are drawn anew where the shape is another */
  resize(sizes) {
    this.sizes = { ...sizes };
    const shape = fixed(this.spec.shape, this.sizes);
    if (shape.join() !== this.#held.shape.join()) this.hold(chance(this.spec.dtype, shape));
  }

  /** @returns {Tensor | null} null where the text is none; the field says why */
  read() {
    try {
      if (this.#touched) this.#held = parsed(this.#area.value, this.spec.dtype, this.#held.shape);
      this.#touched = false;
      this.#said(null);
      return this.#held;
    } catch (error) {
      this.#said(error);
      return null;
    }
  }

  #made() {
    const { name, dtype } = this.spec;
    const shape = () => fixed(this.spec.shape, this.sizes);
    const file = zone({ id: `file-${name}`, accept: ".npy", said: "A .npy file", more: "", give: (files) => void this.#load(files[0]) });
    file.classList.add("small");
    return make(
      "fieldset",
      { class: "field" },
      make("legend", {}, name, this.#shape),
      make("label", { for: this.#area.id, class: "unseen" }, `values of ${name}`),
      this.#area,
      make(
        "div",
        { class: "row" },
        make("button", { type: "button", click: () => this.hold(zeros(dtype, shape())) }, "Zeros"),
        make("button", { type: "button", click: () => this.hold(chance(dtype, shape())) }, "Random"),
        file,
      ),
      this.#problem,
    );
  }

  /** @param {import("./drops.mjs").Given | undefined} given */
  async #load(given) {
    if (given === undefined) return;
    try {
      const tensor = read(await given.blob.arrayBuffer());
      const sizes = learnt(this.spec, tensor.shape);
      if (tensor.dtype !== this.spec.dtype) {
        throw new TypeError(`the file is ${tensor.dtype}, expected ${this.spec.dtype}`);
      }
      this.sizes = { ...this.sizes, ...sizes };
      this.hold(tensor);
      this.resized(sizes);
    } catch (error) {
      this.#said(error);
    }
  }

  /** @param {unknown} error */
  #said(error) {
    this.#problem.hidden = error === null;
    this.#area.setAttribute("aria-invalid", String(error !== null));
    fill(this.#problem, error === null ? "" : inWords(error));
  }
}
