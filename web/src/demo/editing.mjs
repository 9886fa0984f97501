/**
 * Asking a model that takes tensors: a field for each input, and the outputs as numbers.
 *
 * @typedef {import("./about.mjs").About} About
 * @typedef {import("../records.js").Tensor} Tensor
 * @typedef {import("./sizes.mjs").Sizes} Sizes
 */

import { ranking, vector } from "./bars.mjs";
import { fill, make } from "./dom.mjs";
import { Field } from "./field.mjs";
import { plain } from "./figures.mjs";
import { judgeable } from "./judging.mjs";
import { inWords } from "./problems.mjs";
import { first, learnt, names } from "./sizes.mjs";
import { value, written } from "./values.mjs";

/** So many numbers of an output are written out. */
const FIRST = 48;
/** A row of so many numbers may be that of a classifier. */
const [FEW, MANY] = [6, 30000];

/** The fields of one entry, and how it is asked. */
export class Editor {
  /**
   * @param {About} about
   * @param {import("./desk.mjs").Desk} desk
   */
  constructor(about, desk) {
    this.about = about;
    this.desk = desk;
    this.entry = /** @type {import("./about.mjs").Entry} */ (about.entries[0]);
    this.fields = /** @type {Field[]} */ ([]);
    /** @type {(changed: Sizes) => void} where an axis is of another size */
    this.resized = () => {};
    this.body = make("div", {});
    this.element = make("div", {}, this.#choice(), this.body);
    this.#lay();
  }

  /** @param {Record<string, Tensor>} tensors one question, whose sizes the fields take */
  hold(tensors) {
    const known = this.fields.flatMap((field) => {
      const tensor = tensors[field.spec.name];
      return tensor === undefined ? [] : [{ field, tensor }];
    });
    this.resized(Object.assign({}, ...known.map(({ field, tensor }) => learnt(field.spec, tensor.shape))));
    for (const { field, tensor } of known) field.hold(tensor);
  }

  #choice() {
    if (this.about.entries.length < 2) return null;
    const options = this.about.entries.map((entry) => make("option", { value: entry.name }, entry.name));
    const choose = (/** @type {Event} */ event) => {
      const chosen = /** @type {HTMLSelectElement} */ (event.target).value;
      this.entry = this.about.entries.find((entry) => entry.name === chosen) ?? this.entry;
      this.#lay();
    };
    return make("label", { class: "axis-size" }, "entry", make("select", { change: choose }, ...options));
  }

  #lay() {
    const { inputs } = this.entry;
    const sizes = first(inputs, this.about.axes, this.about.batch);
    const bounds = names(inputs).map((name) => this.#size(name, sizes));
    this.resized = (changed) => {
      Object.assign(sizes, changed);
      for (const { name, input } of bounds) input.value = String(sizes[name]);
      for (const field of this.fields) field.resize(sizes);
    };
    for (const { name, input } of bounds) {
      input.addEventListener("change", () => {
        if (input.reportValidity()) this.resized({ [name]: Number(input.value) });
      });
    }
    this.fields = inputs.map((spec) => new Field(spec, sizes, this.resized));
    const row = make("div", { class: "row before-fields" }, ...bounds.map((one) => one.label), this.#cases());
    const ask = make("button", { type: "button", class: "main", click: () => this.#ask() }, "Ask");
    fill(this.body, row, ...this.fields.map((field) => field.element), ask);
  }

  /**
   * @param {string} name
   * @param {Record<string, number>} sizes
   */
  #size(name, sizes) {
    const [least, most] = this.about.axes[name] ?? [1, 1024];
    const input = make("input", { type: "number", min: least, max: most, step: 1, value: sizes[name], required: true });
    return { name, input, label: make("label", { class: "axis-size" }, `${name}, ${least} to ${most}`, input) };
  }

  /** A button that becomes the list of the bundle's cases for this entry. */
  #cases() {
    const button = make("button", { type: "button", click: async () => {
      button.disabled = true;
      try {
        const { golden, cases } = await judgeable();
        const own = cases.filter((one) => one.golden !== "bytes" && one.entry === this.entry.name);
        const take = async (/** @type {number} */ at) => {
          const one = own[at];
          if (one && golden) this.hold((await golden.read(one)).in);
        };
        const options = own.map((one, at) => make("option", { value: at }, one.call));
        const choose = make("select", { change: () => void take(Number(choose.value)) }, ...options);
        const none = make("span", { class: "quiet" }, "No golden case lies in this bundle.");
        button.replaceWith(own.length > 0 ? make("label", { class: "axis-size" }, "golden case", choose) : none);
        await take(0);
      } catch (error) {
        button.replaceWith(make("span", { class: "problem", role: "alert" }, inWords(error)));
      }
    } }, "Take a golden case");
    return button;
  }

  #ask() {
    const tensors = this.fields.map((field) => /** @type {const} */ ([field.spec.name, field.read()]));
    if (tensors.some(([, tensor]) => tensor === null)) return;
    const inputs = /** @type {Record<string, Tensor>} */ (Object.fromEntries(tensors));
    const entry = this.entry.name;
    const sizes = tensors.map(([name, tensor]) => `${name} [${tensor?.shape.join(", ")}]`).join(", ");
    this.desk.ask({
      named: this.about.entries.length > 1 ? `${entry}: ${sizes}` : sizes,
      ask: (model, signal) => model.run(inputs, { entry, signal }),
      show: (outputs) => shown(outputs),
    });
  }
}

/**
 * Outputs as numbers: the shape, the first few, a chart of a vector, the best of a classifier.
 *
 * @param {Record<string, Tensor>} outputs
 */
export function shown(outputs) {
  const sections = Object.entries(outputs).map(([name, tensor]) => {
    const shape = make("span", { class: "quiet" }, ` ${tensor.dtype} [${tensor.shape.join(", ")}]`);
    const more = tensor.data.length > FIRST ? ", …" : "";
    const values = make("pre", { class: "values", tabindex: "0" }, written(tensor, FIRST) + more);
    return make("section", { class: "output" }, make("h4", {}, name, shape), looked(name, tensor), values);
  });
  const short = Object.entries(outputs).map(([name, { shape }]) => `${name} [${shape.join(", ")}]`);
  return { element: make("div", { class: "answer" }, ...sections), short: short.join(", ") };
}

/**
 * @param {string} name
 * @param {Tensor} tensor
 */
function looked(name, tensor) {
  const across = tensor.shape[tensor.shape.length - 1] ?? 1;
  if (tensor.data.length !== across || tensor.dtype === "bool") return null;
  const row = Array.from({ length: across }, (_, at) => Number(value(tensor, at)));
  const chart = vector(row, `${name}: ${row.length} values as a chart`);
  if (!tensor.dtype.startsWith("float") || across < FEW || across > MANY) return chart;
  const found = row.map((score, index) => ({ index, score }));
  const best = make("details", { open: across > 96 }, make("summary", {}, `largest: ${highest(row)}`), ranking(found, false));
  return make("div", {}, chart, best);
}

/** @param {number[]} row */
function highest(row) {
  const most = row.reduce((best, one, at) => (one > (row[best] ?? -Infinity) ? at : best), 0);
  return `${plain(row[most] ?? NaN)} at ${most}`;
}
