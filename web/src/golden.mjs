/**
 * The answers that the original model gave, as they travel with a bundle.
 *
 * In: golden.safetensors by its URL. Out: its cases, and of one case the tensors. Only what is asked
 * for is fetched, where the host knows ranges.
 *
 * @typedef {import("./records.js").Tensors} Tensors
 * @typedef {import("./safetensors.mjs").Place} Place
 * @typedef {{golden: string, call: string, entry: string, bytes: number, places: Record<"in" | "out" | "noise",
 *   Record<string, Place>>}} Case
 * @typedef {Record<"in" | "out" | "noise", Tensors>} Answered
 */

import { range } from "./fetching.mjs";
import { headerSize, index, tensor } from "./safetensors.mjs";

const HEAD = 1 << 16;
/** Enough for the header of most files, and often for the smallest case. */

/** A file of golden cases, its header read. */
export class Golden {
  #url;
  #signal;
  #start;
  /** What is here of the file: @type {{from: number, bytes: ArrayBuffer}} */ #here;
  /** Sorted by name. @type {Case[]} */ cases;

  /**
   * Use `open`.
   *
   * @param {URL} url
   * @param {AbortSignal | undefined} signal
   * @param {{from: number, bytes: ArrayBuffer}} here
   * @param {{start: number, cases: Case[]}} header
   */
  constructor(url, signal, here, { start, cases }) {
    this.#url = url;
    this.#signal = signal;
    this.#here = here;
    this.#start = start;
    this.cases = cases;
  }

  /**
   * @param {URL} url
   * @param {AbortSignal} [signal]
   */
  static async open(url, signal) {
    let here = await range(url, 0, HEAD - 1, signal);
    const long = headerSize(here.bytes, url.href);
    if (long > here.bytes.byteLength && !here.whole) here = await range(url, 0, long - 1, signal);
    return new Golden(url, signal, here, header(here.bytes, url.href));
  }

  /**
   * The tensors of a case. Throws a TypeError for a dtype that JavaScript has no numbers for, and a
   * FileError where fewer bytes come than it has.
   *
   * @param {Case} one
   * @returns {Promise<Answered>}
   */
  async read(one) {
    const sides = Object.entries(one.places).map(async ([side, places]) => {
      const named = Object.entries(places).map(async ([name, place]) => [name, await this.#tensor(place)]);
      return [side, Object.fromEntries(await Promise.all(named))];
    });
    return Object.fromEntries(await Promise.all(sides));
  }

  /** @param {Place} place */
  async #tensor(place) {
    const bytes = place.from === place.to ? new ArrayBuffer(0) : await this.#bytes(place);
    return tensor(place, bytes, this.#url.href);
  }

  /** @param {Place} place */
  async #bytes({ from, to }) {
    const [first, end] = [this.#start + from, this.#start + to];
    if (!within(this.#here, end)) {
      const came = await range(this.#url, first, end - 1, this.#signal);
      if (came.whole) this.#here = came;
      return came.bytes.slice(first - came.from, end - came.from);
    }
    return this.#here.bytes.slice(first - this.#here.from, end - this.#here.from);
  }
}

/**
 * @param {{from: number, bytes: ArrayBuffer}} here
 * @param {number} end
 */
function within(here, end) {
  return end <= here.from + here.bytes.byteLength;
}

/**
 * The cases in a safetensors file; keys are <golden>/<call>/<entry>/in|out|noise/<tensor>.
 *
 * @param {ArrayBuffer} bytes its beginning
 * @param {string} [file] what it is called, where it is not right
 * @returns {{start: number, cases: Case[]}} `start`: where the tensors begin
 */
export function header(bytes, file) {
  const { start, places } = index(bytes, file);
  /** @type {Map<string, Case>} */
  const found = new Map();
  for (const [key, place] of places) {
    const [golden = "", call = "", entry = "", side, ...name] = key.split("/");
    const one = found.get(`${golden}/${call}/${entry}`) ?? begun(golden, call.replaceAll("|", "/"), entry);
    one.places[/** @type {"in"} */ (side)][name.join("/")] = place;
    one.bytes += place.to - place.from;
    found.set(`${golden}/${call}/${entry}`, one);
  }
  const cases = [...found.values()].sort((a, b) => (a.call < b.call ? -1 : a.call > b.call ? 1 : 0));
  return { start, cases };
}

/**
 * @param {string} golden
 * @param {string} call
 * @param {string} entry
 * @returns {Case}
 */
function begun(golden, call, entry) {
  return { golden, call, entry, bytes: 0, places: { in: {}, out: {}, noise: {} } };
}
