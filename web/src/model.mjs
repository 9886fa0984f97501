/**
 * One model in a page: `load()` starts it, `run()` and `predict()` ask it, `info()` says how it runs.
 *
 * It lives in a worker, so that a page never waits for it. In: typed tensors by name, or the bytes
 * of files. Out: tensors, or the answer in words. What is asked is checked here, before it travels.
 *
 * @typedef {import("./loading.mjs").Loaded} Loaded
 * @typedef {import("./loading.mjs").Ways} Ways
 * @typedef {import("./records.js").About} About
 * @typedef {import("./records.js").Bytes} Bytes
 * @typedef {import("./records.js").Given} Given
 * @typedef {import("./records.js").Info} Info
 * @typedef {import("./records.js").OnProgress} OnProgress
 * @typedef {import("./records.js").Question} Question
 * @typedef {import("./records.js").Raw} Raw
 * @typedef {import("./records.js").Tensors} Tensors
 * @typedef {import("./check.mjs").Row} Row
 * @typedef {Ways & {base?: string | URL, signal?: AbortSignal, onProgress?: OnProgress}} LoadOptions
 * @typedef {{signal?: AbortSignal}} AskOptions
 */

import { verified } from "./check.mjs";
import { raws } from "./raws.mjs";
import { shared } from "./sharing.mjs";
import { chosen } from "./tensors.mjs";

/** A loaded model. */
export class Model {
  /** @type {Loaded} */ #loaded;
  /** @type {() => void} */ #leave;
  #closing = new AbortController();

  /**
   * Use `load()`.
   *
   * @param {Loaded} loaded
   * @param {() => void} leave
   */
  constructor(loaded, leave) {
    this.#loaded = loaded;
    this.#leave = leave;
  }

  /** What the bundle says of the model: names, dtypes and shapes, steps, files. Not to be changed. */
  get about() {
    return this.#loaded.about;
  }

  /**
   * Which step of the ladder was taken, and why.
   *
   * @returns {Info}
   */
  info() {
    return { ...this.#loaded.info };
  }

  /**
   * Asks the artifact, tensors in and tensors out. The arrays given stay the caller's, as they are.
   *
   * @param {Record<string, Given>} inputs typed arrays, or {data, shape}
   * @param {AskOptions & {entry?: string}} [options] `entry`: where the sizes alone do not say which
   * @returns {Promise<Tensors>}
   */
  async run(inputs, { entry: name, signal } = {}) {
    this.#refuseClosed();
    signal?.throwIfAborted();
    const { entries, axes } = this.about;
    const { entry, feeds } = chosen(entries, axes, inputs, name);
    const moved = Object.values(feeds).map((tensor) => /** @type {ArrayBuffer} */ (tensor.data.buffer));
    return this.#ask({ run: { model: this.#loaded.guest.key, entry: entry.name, feeds } }, moved, signal);
  }

  /**
   * The answer to raw inputs in words: labels and scores, boxes, a mask, a text.
   *
   * @param {Raw | Bytes} raw files by input, or the only input's file
   * @param {AskOptions} [options]
   * @returns {Promise<Record<string, any>>}
   */
  predict(raw, options = {}) {
    return this.#predicted(raw, true, options);
  }

  /**
   * The answer to raw inputs as tensors.
   *
   * @param {Raw | Bytes} raw
   * @param {AskOptions} [options]
   * @returns {Promise<Tensors>}
   */
  predictTensors(raw, options = {}) {
    return this.#predicted(raw, false, options);
  }

  /**
   * Asks the golden cases that lie in the bundle: a row for each output of each.
   *
   * @param {AskOptions & {onRow?: (row: Row) => void}} [options]
   * @returns {Promise<Row[]>}
   */
  async verify({ signal, onRow } = {}) {
    this.#refuseClosed();
    /** @type {Row[]} */
    const rows = [];
    for await (const row of verified(this.#loaded, this.#until(signal))) {
      rows.push(row);
      onRow?.(row);
    }
    return rows;
  }

  /** It cannot be asked any more; what is still asked is rejected. Closing twice is closing once. */
  close() {
    if (this.#closing.signal.aborted) return;
    this.#leave();
    this.#closing.abort(new Error("the model was closed"));
  }

  /**
   * @param {Raw | Bytes} raw
   * @param {boolean} words
   * @param {AskOptions} options
   */
  async #predicted(raw, words, { signal }) {
    this.#refuseClosed();
    signal?.throwIfAborted();
    const { given, moved } = raws(this.about, raw);
    return this.#ask({ predict: { model: this.#loaded.guest.key, raw: given, words } }, moved, signal);
  }

  /**
   * @param {Question} message
   * @param {Transferable[]} moved
   * @param {AbortSignal | undefined} signal
   */
  #ask(message, moved, signal) {
    const { engine, guest } = this.#loaded;
    return engine.ask(guest, { message, moved }, { signal: this.#until(signal) });
  }

  /** @param {AbortSignal | undefined} signal */
  #until(signal) {
    return signal ? AbortSignal.any([signal, this.#closing.signal]) : this.#closing.signal;
  }

  #refuseClosed() {
    if (this.#closing.signal.aborted) throw new Error("the model was closed; load() gives another");
  }
}

/**
 * Loads a bundle: the one that this file came with, or the one at `base`.
 *
 * @param {LoadOptions} [options] `threads`: so many, where the page is cross-origin isolated;
 *   `prefer`: "webgpu", where it is there and proves itself; `check: false`: no golden case is asked;
 *   `onProgress`: what of all files has come so far
 * @returns {Promise<Model>}
 */
export async function load(options = {}) {
  const { base, prefer, threads, check, signal, onProgress } = options;
  signal?.throwIfAborted();
  const ways = { ...(prefer && { prefer }), ...(threads !== undefined && { threads }), check: check ?? true };
  const { loaded, leave } = await shared(folder(base), ways, signal, onProgress);
  return new Model(loaded, leave);
}

/** @param {string | URL | undefined} base */
function folder(base) {
  // Not in one expression: bundlers would take model.json for a picture, and move it.
  const here = import.meta.url;
  const page = globalThis.document?.baseURI ?? here;
  const url = base === undefined ? new URL("../", here) : new URL(base, page);
  return url.pathname.endsWith("/") ? url : new URL(`${url.origin}${url.pathname}/`);
}
