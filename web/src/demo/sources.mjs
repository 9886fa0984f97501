/**
 * Where raw input comes from: for each kind of input a panel that gives files, and something that
 * nobody has to bring along. To add a kind: a function here and its line in SOURCES.
 *
 * @typedef {import("./drops.mjs").Given} Given
 * @typedef {import("./about.mjs").Raw} Raw
 * @typedef {(files: Given[]) => void} Give
 */

import { kind } from "./about.mjs";
import { fill, make } from "./dom.mjs";
import { examples } from "./examples.mjs";
import { zone } from "./drops.mjs";
import * as photos from "./photos.mjs";
import * as sounds from "./sounds.mjs";

/**
 * @param {string} name of the input
 * @param {Raw} raw
 * @param {Give} give
 * @returns {HTMLElement}
 */
export function source(name, raw, give) {
  return (SOURCES[kind(raw)] ?? file)(name, raw, give);
}

/** @type {Record<string, (name: string, raw: Raw, give: Give) => HTMLElement>} */
const SOURCES = { image, audio, table };

/**
 * @param {string} name
 * @param {Raw} raw
 * @param {Give} give
 */
function image(name, raw, give) {
  const accept = "image/jpeg,image/png,image/webp,image/gif,image/bmp";
  const drop = zone({ id: `raw-${name}`, accept, said: "Choose photos", more: "or drop or paste them here", give });
  const made = photos.madeUp().map(([label, canvas]) =>
    make(
      "button",
      { type: "button", class: "sample", "aria-label": `try the picture “${label}”`, click: () =>
        canvas.toBlob((blob) => blob && give([{ name: label, blob }])) },
      canvas,
    ),
  );
  const face = async (/** @type {Given} */ { name: called, blob }) => {
    const photo = await photos.opened(blob, true).catch(() => null);
    return photo?.kept ?? called;
  };
  return make(
    "div",
    {},
    drop,
    make("p", { class: "quiet" }, "Or try one that was painted for it:"),
    make("div", { class: "samples" }, ...made),
    examples(name, face, give),
  );
}

/**
 * @param {string} name
 * @param {Raw} raw
 * @param {Give} give
 */
function audio(name, raw, give) {
  const kinds = [...new Set(raw.suffixes.map((suffix) => suffix.slice(1).replace("oga", "ogg").toUpperCase()))].join(", ");
  const accept = [...raw.suffixes, ...raw.media].join(",");
  const drop = zone({ id: `raw-${name}`, accept, said: "Choose sound files", more: `or drop them here: ${kinds}`, give });
  const made = sounds.madeUp().map(([label, wav]) =>
    make("button", { type: "button", click: () => give([{ name: label, blob: new Blob([wav], { type: "audio/wav" }) }]) }, label),
  );
  return make("div", {}, drop, make("p", { class: "quiet" }, "Or try a sound that was made for it:"), make("div", { class: "row" }, ...made), examples(name, called, give));
}

/**
 * @param {string} name
 * @param {Raw} raw
 * @param {Give} give
 */
function table(name, raw, give) {
  const options = raw.host.find((step) => step.op === "decode_table")?.options ?? {};
  const area = make("textarea", { id: `text-${name}`, rows: 6, spellcheck: "false", autocapitalize: "off" }, begun(options));
  const take = async (/** @type {Given[]} */ [first]) => {
    if (first) area.value = await first.blob.text();
  };
  const send = () => give([{ name: "the table", blob: new Blob([area.value], { type: "text/csv" }) }]);
  const drop = zone({ id: `raw-${name}`, accept: ".csv,.json,text/csv,application/json", said: "Choose CSV or JSON files", more: "or drop them here", give });
  return make(
    "div",
    {},
    make("label", { for: `text-${name}` }, "Rows, as CSV or JSON"),
    area,
    make("div", { class: "row" }, make("button", { type: "button", class: "main", click: send }, "Ask")),
    drop,
    examples(name, called, take),
  );
}

/**
 * A first table: its header, and a row of something that each column takes.
 *
 * @param {Record<string, any>} options
 */
function begun({ columns = [], categories = {}, header = true, delimiter = "," }) {
  const quoted = (/** @type {unknown} */ cell) => {
    const text = String(cell);
    return text.includes(delimiter) || /["\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const line = (/** @type {unknown[]} */ cells) => cells.map(quoted).join(delimiter);
  const row = columns.map((/** @type {string} */ column, /** @type {number} */ at) => categories[column]?.[0] ?? at + 1);
  return [...(header ? [line(columns)] : []), line(row)].join("\n");
}

/**
 * @param {string} name
 * @param {Raw} raw
 * @param {Give} give
 */
function file(name, raw, give) {
  return zone({ id: `raw-${name}`, accept: raw.suffixes.join(","), said: "Choose files", more: "or drop them here", give });
}

/** @param {Given} given */
async function called({ name }) {
  return name;
}

/**
 * The wave of a sound, as a picture; nothing where the browser cannot read it.
 *
 * @param {Blob} blob
 * @returns {Promise<HTMLElement | null>}
 */
export async function wave(blob) {
  try {
    const heard = await new OfflineAudioContext(1, 1, 16000).decodeAudioData(await blob.arrayBuffer());
    const samples = heard.getChannelData(0);
    const canvas = make("canvas", { class: "wave", width: 640, height: 96, role: "img", "aria-label": `the sound, ${heard.duration.toFixed(1)} seconds` });
    const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    const step = samples.length / canvas.width;
    pen.fillStyle = "#4a78b5";
    for (let x = 0; x < canvas.width; x += 1) {
      let most = 0;
      for (let at = Math.floor(x * step); at < (x + 1) * step; at += 1) most = Math.max(most, Math.abs(samples[at] ?? 0));
      const high = Math.max(1, most * canvas.height);
      pen.fillRect(x, (canvas.height - high) / 2, 1, high);
    }
    const play = make("button", { type: "button", click: () => void heardAgain(heard) }, "Play");
    const figure = make("div", { class: "sound" });
    fill(figure, canvas, play);
    return figure;
  } catch {
    return null;
  }
}

/** @param {AudioBuffer} heard */
async function heardAgain(heard) {
  const context = new AudioContext();
  const node = context.createBufferSource();
  node.buffer = heard;
  node.connect(context.destination);
  node.onended = () => void context.close();
  node.start();
}
