/**
 * The first frame of a GIF, in any browser the same: browsers disagree about what is around a frame
 * that is smaller than the image, about files that are cut off, and have no colour for what is clear.
 *
 * In: bytes. Out: the image's size; and RGBA, where what is transparent has the colour that the
 * palette gives it. Throws Refused where the file is damaged, and RangeError where its header is.
 */

import { damaged } from "./damaged.mjs";

/** Interlaced: the rows of four passes, each [first, every]. */
const PASSES = [
  [0, 8],
  [4, 8],
  [2, 4],
  [1, 2],
];

/**
 * @typedef {object} Opened
 * @property {number} width of the image: the screen, or its first frame where that reaches further
 * @property {number} height
 * @property {number[]} frame left, top, width, height
 * @property {boolean} interlaced
 * @property {Uint8Array} palette RGB of each index
 * @property {number} clear the index that is transparent, or -1
 * @property {number} at where the frame's data begin
 */

/**
 * @param {Uint8Array<ArrayBuffer>} data
 * @returns {import("./photo_file.mjs").Said}
 */
export function gifSaid(data) {
  const { width, height } = opened(data);
  return { width, height, exif: null, xmp: "", bytes: data };
}

/**
 * @param {import("./photo_file.mjs").Photo} photo
 * @returns {Uint8Array}
 */
export function gifPixels({ bytes }) {
  const { width, height, frame, interlaced, palette, clear, at } = opened(bytes);
  const [left, top, wide, tall] = /** @type {[number, number, number, number]} */ (frame);
  const indices = unpacked(bytes, at, wide * tall);
  const image = new Uint8Array(width * height).fill(Math.max(clear, 0));
  rowsOf(tall, interlaced).forEach((row, y) => {
    image.set(indices.subarray(y * wide, (y + 1) * wide), (top + row) * width + left);
  });
  const rgba = new Uint8Array(image.length * 4);
  image.forEach((index, pixel) => {
    for (let c = 0; c < 3; c += 1) rgba[4 * pixel + c] = palette[3 * index + c] ?? 0;
    rgba[4 * pixel + 3] = index === clear ? 0 : 255;
  });
  return rgba;
}

/**
 * @param {Uint8Array} data
 * @returns {Opened}
 */
function opened(data) {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  let clear = -1;
  let at = 13 + coloursIn(view.getUint8(10));
  for (; view.getUint8(at) === 0x21; at = afterBlocks(view, at + 2)) {
    const control = view.getUint8(at + 1) === 0xf9 && view.getUint8(at + 3) & 1;
    if (control) clear = view.getUint8(at + 6);
  }
  if (view.getUint8(at) !== 0x2c) throw damaged("it has no frame");
  const frame = [1, 3, 5, 7].map((by) => view.getUint16(at + by, true));
  const [left, top, wide, tall] = /** @type {[number, number, number, number]} */ (frame);
  const flags = view.getUint8(at + 9);
  const own = coloursIn(flags);
  const colours = own ? data.subarray(at + 10, at + 10 + own) : data.subarray(13, 13 + coloursIn(view.getUint8(10)));
  const greys = Uint8Array.from({ length: 768 }, (_, level) => Math.floor(level / 3));
  return {
    width: Math.max(view.getUint16(6, true), left + wide),
    height: Math.max(view.getUint16(8, true), top + tall),
    frame,
    interlaced: (flags & 0x40) !== 0,
    palette: colours.length ? colours : greys,
    clear,
    at: at + 10 + own,
  };
}

/** @param {number} flags @returns {number} bytes of the palette that they announce */
function coloursIn(flags) {
  return flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0;
}

/** @param {DataView} view @param {number} at where the first of some blocks begins */
function afterBlocks(view, at) {
  while (view.getUint8(at) !== 0) at += view.getUint8(at) + 1;
  return at + 1;
}

/** @param {number} tall @param {boolean} interlaced @returns {number[]} */
function rowsOf(tall, interlaced) {
  const rows = Array.from({ length: tall }, (_, row) => row);
  if (!interlaced) return rows;
  return PASSES.flatMap(([first = 0, every = 1]) => rows.filter((row) => row % every === first));
}

/**
 * The indices of so many pixels: LZW, whose codes are 3 to 12 bits long, in blocks.
 *
 * @param {Uint8Array} data
 * @param {number} start
 * @param {number} many
 */
function unpacked(data, start, many) {
  const least = Number(data[start]);
  if (!(least >= 1 && least <= 11)) throw damaged("its pixels cannot be read");
  const clear = 1 << least;
  const next = codes(data, start + 1);
  const [prefix, last] = [new Int16Array(4096), new Uint8Array(4096)];
  const made = new Uint8Array(many);
  const word = new Uint8Array(4097);
  let [at, bits, known, before, first] = [0, least + 1, clear + 2, -1, 0];
  while (at < many) {
    const code = next(bits);
    if (code === clear) {
      [bits, known, before] = [least + 1, clear + 2, -1];
      continue;
    }
    if (code < 0 || code === clear + 1) throw damaged("its pixels are cut off");
    if (code > known || (code === known && before < 0)) throw damaged("its pixels cannot be read");
    // A code that is not known yet is the last word and its own beginning.
    let length = 0;
    let from = code;
    if (code === known) {
      word[length++] = first;
      from = before;
    }
    for (; from >= clear; from = Number(prefix[from])) word[length++] = Number(last[from]);
    first = from;
    word[length++] = from;
    while (length > 0 && at < many) made[at++] = Number(word[--length]);
    if (before >= 0 && known < 4096) {
      prefix[known] = before;
      last[known] = first;
      known += 1;
      if (known === 1 << bits && bits < 12) bits += 1;
    }
    before = code;
  }
  return made;
}

/**
 * Reads codes from blocks, the lowest bits first; -1 where they end.
 *
 * @param {Uint8Array} data
 * @param {number} start
 */
function codes(data, start) {
  let [at, left, held, have] = [start, 0, 0, 0];
  return (/** @type {number} */ bits) => {
    while (have < bits) {
      if (left === 0) left = data[at++] ?? 0;
      const byte = left === 0 ? undefined : data[at++];
      if (byte === undefined) return -1;
      left -= 1;
      held |= byte << have;
      have += 8;
    }
    const code = held & ((1 << bits) - 1);
    held >>>= bits;
    have -= bits;
    return code;
  };
}
