/**
 * The pixels of a PNG, in any browser the same: every depth, palette, transparency, interlaced.
 *
 * Browsers decode PNG too, but none hands over the colours under transparency without WebGL, and
 * they make 8 bits of 16 in different ways. In: a Photo. Out: RGBA of 8 bits, the upper byte of 16,
 * colours not multiplied by alpha. Throws Refused where the file is damaged.
 */

import { damaged } from "./damaged.mjs";
import { chunksOf, inflated } from "./png_file.mjs";

/** Colour type -> samples of a pixel, and the depths that it may have. */
const KINDS = /** @type {Record<number, [number, number[]]>} */ ({
  0: [1, [1, 2, 4, 8, 16]],
  2: [3, [8, 16]],
  3: [1, [1, 2, 4, 8]],
  4: [2, [8, 16]],
  6: [4, [8, 16]],
});

/** Interlaced: seven images within one, each [left, top, every so many columns, rows]. */
const ADAM7 = /** @type {[number, number, number, number][]} */ ([
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
]);

/**
 * @typedef {object} Form
 * @property {number} depth bits of a sample
 * @property {number} type
 * @property {number} samples of a pixel
 * @property {Uint8Array} palette RGB of each index
 * @property {Uint8Array | null} clear what says which colours are transparent
 */

/**
 * @param {import("./photo_file.mjs").Photo} photo
 * @returns {Promise<Uint8Array>}
 */
export async function pngPixels({ width, height, bytes }) {
  const chunks = chunksOf(bytes);
  const header = /** @type {Uint8Array} */ (chunks[0]?.body);
  const form = formOf(header, chunks);
  const passes = passesOf(width, height, header[12] ? ADAM7 : [[0, 0, 1, 1]], form);
  const needed = passes.reduce((sum, { tall, line }) => sum + tall * (1 + line), 0);
  const pieces = chunks.filter(({ name }) => name === "IDAT").map(({ body }) => body);
  const raw = await inflated(pieces, needed);
  if (raw.length < needed) throw damaged("its pixels are cut off");
  const rgba = new Uint8Array(width * height * 4);
  let at = 0;
  for (const { left, top, across, down, wide, tall, line } of passes) {
    const rows = raw.subarray(at, at + tall * (1 + line));
    at += rows.length;
    unfilter(rows, line, Math.max(1, (form.samples * form.depth) >> 3));
    for (let y = 0; y < tall; y += 1) {
      const row = rows.subarray(y * (1 + line) + 1, (y + 1) * (1 + line));
      const first = (top + y * down) * width + left;
      expand(row, wide, form, rgba, first * 4, across * 4);
    }
  }
  return rgba;
}

/**
 * The images within the image that have any pixels; `line` is the bytes of a row.
 *
 * @param {number} width
 * @param {number} height
 * @param {[number, number, number, number][]} passes
 * @param {Form} form
 */
function passesOf(width, height, passes, { samples, depth }) {
  const sized = passes.map(([left, top, across, down]) => {
    const wide = Math.ceil((width - left) / across);
    const tall = Math.ceil((height - top) / down);
    return { left, top, across, down, wide, tall, line: Math.ceil((wide * samples * depth) / 8) };
  });
  return sized.filter(({ wide, tall }) => wide > 0 && tall > 0);
}

/**
 * @param {Uint8Array} header
 * @param {import("./png_file.mjs").Chunk[]} chunks
 * @returns {Form}
 */
function formOf(header, chunks) {
  const [depth, type] = [Number(header[8]), Number(header[9])];
  const kind = KINDS[type];
  if (kind === undefined || !kind[1].includes(depth) || header[11]) {
    throw damaged("its header cannot be read");
  }
  const before = chunks.slice(0, chunks.findIndex(({ name }) => name === "IDAT"));
  const found = (/** @type {string} */ wanted) => before.find(({ name }) => name === wanted)?.body;
  const palette = new Uint8Array(768);
  const colours = found("PLTE");
  if (type === 3 && colours === undefined) throw damaged("it has no palette");
  palette.set((colours ?? palette).subarray(0, 768));
  return { depth, type, samples: kind[0], palette, clear: found("tRNS") ?? null };
}

/**
 * Each byte was written as its difference from what was guessed; in place.
 *
 * @param {Uint8Array} rows each with the number of its filter in front
 * @param {number} line bytes of a row
 * @param {number} pixel bytes of a pixel, at least 1
 */
function unfilter(rows, line, pixel) {
  /** @type {Uint8Array} */
  let above = new Uint8Array(line);
  for (let at = 0; at < rows.length; at += 1 + line) {
    const row = rows.subarray(at + 1, at + 1 + line);
    const filter = rows[at];
    if (filter === 1) sub(row, pixel);
    else if (filter === 2) up(row, above);
    else if (filter === 3) average(row, above, pixel);
    else if (filter === 4) paeth(row, above, pixel);
    else if (filter !== 0) throw damaged(`a row has the filter ${filter}`);
    above = row;
  }
}

/** @param {Uint8Array} row @param {number} pixel */
function sub(row, pixel) {
  for (let x = pixel; x < row.length; x += 1) row[x] = num(row[x]) + num(row[x - pixel]);
}

/** @param {Uint8Array} row @param {Uint8Array} above */
function up(row, above) {
  for (let x = 0; x < row.length; x += 1) row[x] = num(row[x]) + num(above[x]);
}

/** @param {Uint8Array} row @param {Uint8Array} above @param {number} pixel */
function average(row, above, pixel) {
  for (let x = 0; x < row.length; x += 1) {
    const left = x < pixel ? 0 : num(row[x - pixel]);
    row[x] = num(row[x]) + ((left + num(above[x])) >> 1);
  }
}

/** @param {Uint8Array} row @param {Uint8Array} above @param {number} pixel */
function paeth(row, above, pixel) {
  for (let x = 0; x < pixel; x += 1) row[x] = num(row[x]) + num(above[x]);
  for (let x = pixel; x < row.length; x += 1) {
    const left = num(row[x - pixel]);
    const over = num(above[x]);
    const corner = num(above[x - pixel]);
    const a = Math.abs(over - corner);
    const b = Math.abs(left - corner);
    const c = Math.abs(left + over - 2 * corner);
    row[x] = num(row[x]) + (a <= b && a <= c ? left : b <= c ? over : corner);
  }
}

/** @param {number | undefined} value of an element that is there */
function num(value) {
  return /** @type {number} */ (value);
}

/**
 * One row as RGBA, written from `to` on, `step` bytes apart.
 *
 * @param {Uint8Array} row
 * @param {number} wide
 * @param {Form} form
 * @param {Uint8Array} rgba
 * @param {number} to
 * @param {number} step
 */
function expand(row, wide, form, rgba, to, step) {
  const { depth, type, samples, palette, clear } = form;
  if (depth === 8 && samples > 2 && clear === null) return copied(row, samples, rgba, to, step);
  const bytes = depth === 16 ? 2 : 1;
  for (let x = 0; x < wide; x += 1, to += step) {
    if (type === 3) {
      const index = depth === 8 ? num(row[x]) : packed(row, x, depth);
      rgba.set(palette.subarray(3 * index, 3 * index + 3), to);
      rgba[to + 3] = clear?.[index] ?? 255;
      continue;
    }
    const at = x * samples * bytes;
    const grey = depth < 8 ? (packed(row, x, depth) * 255) / (2 ** depth - 1) : num(row[at]);
    const colour = samples > 2;
    rgba[to] = grey;
    rgba[to + 1] = colour ? num(row[at + bytes]) : grey;
    rgba[to + 2] = colour ? num(row[at + 2 * bytes]) : grey;
    rgba[to + 3] = samples % 2 ? 255 : num(row[at + (samples - 1) * bytes]);
    if (clear !== null && isClear(row, at, bytes, form, rgba, to)) rgba[to + 3] = 0;
  }
}

/**
 * The same for what nearly all PNGs are: colours of 8 bits.
 *
 * @param {Uint8Array} row
 * @param {number} samples
 * @param {Uint8Array} rgba
 * @param {number} to
 * @param {number} step
 */
function copied(row, samples, rgba, to, step) {
  for (let at = 0; at < row.length; at += samples, to += step) {
    rgba[to] = num(row[at]);
    rgba[to + 1] = num(row[at + 1]);
    rgba[to + 2] = num(row[at + 2]);
    rgba[to + 3] = samples === 4 ? num(row[at + 3]) : 255;
  }
}

/** @param {Uint8Array} row @param {number} x @param {number} depth */
function packed(row, x, depth) {
  const bit = x * depth;
  return (num(row[bit >> 3]) >> (8 - depth - (bit & 7))) & (2 ** depth - 1);
}

/**
 * Whether a pixel has the one colour that is transparent.
 *
 * @param {Uint8Array} row
 * @param {number} at
 * @param {number} bytes
 * @param {Form} form
 * @param {Uint8Array} rgba
 * @param {number} to
 */
function isClear(row, at, bytes, { depth, samples, clear }, rgba, to) {
  if (clear === null || samples % 2 === 0) return false;
  if (clear.length < 2 * samples) throw damaged("its transparency is cut off");
  for (let s = 0; s < samples; s += 1) {
    const wanted = num(clear[2 * s]) * 256 + num(clear[2 * s + 1]);
    const level = bytes === 2 ? num(row[at + 2 * s]) * 256 + num(row[at + 2 * s + 1]) : num(rgba[to + s]);
    if (level !== (depth === 1 ? (wanted ? 255 : 0) : wanted)) return false;
  }
  return true;
}
