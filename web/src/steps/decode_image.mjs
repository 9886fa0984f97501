/**
 * From the bytes of a photo to its pixels.
 *
 * In: bytes of a JPEG, PNG, WebP, GIF or BMP, from anybody. Out: uint8 [height, width, 3 or 1].
 * Whatever the bytes are, the answer is pixels or Refused: 413 too large, 415 no such image, 422
 * damaged. `frame` learns the photo's size, upright, and "to_model": [sx, sy, ox, oy], by which a
 * place in it is x * sx + ox, y * sy + oy in the tensor.
 *
 * The levels are those of the file: no colour profile is applied, no alpha is multiplied in, and
 * EXIF's orientation is read here and hidden from the browser, which would always follow it.
 */

import { tensor } from "./arrays.mjs";
import { browserPixels } from "./browser_pixels.mjs";
import { orientation } from "./exif.mjs";
import { gifPixels } from "./gif_pixels.mjs";
import { looked } from "./photo_file.mjs";
import { pngPixels } from "./png_pixels.mjs";
import { Refused } from "./refused.mjs";

/** A JPEG as large as may be has at most so many scans, a smaller one up to 100: each takes as long
 * as the image is large, and one of a thousand is an attack. */
const SCANS = 30;

/** Kinds that are decoded here, because browsers do not agree on them; the browser does the others.
 * @type {Record<string, (photo: import("./photo_file.mjs").Photo) => Uint8Array | Promise<Uint8Array>>} */
const DECODERS = { PNG: pngPixels, GIF: gifPixels };

/** Red, green and blue as grey, in 65536ths: ITU-R 601-2. */
const LUMA = [19595, 38470, 7471];

/**
 * @param {Uint8Array} data
 * @param {import("./arrays.mjs").Frame} frame
 * @param {{mode: string, orientation: string, alpha: string, max_pixels: number,
 *   max_ratio: number | null}} options
 * @returns {Promise<import("./arrays.mjs").Tensor>}
 */
export async function decode_image(data, frame, options) {
  const photo = await looked(data);
  within(photo, data, options.max_pixels, options.max_ratio);
  const turn = options.orientation === "exif" ? orientation(photo.exif, photo.xmp) : 1;
  const rgba = await (DECODERS[photo.kind] ?? browserPixels)(photo);
  const channels = options.mode === "rgb" ? 3 : 1;
  flatten(rgba, options.alpha);
  const pixels = channels === 3 ? colours(rgba) : greys(rgba);
  const { width, height } = photo;
  const upright = turned(pixels, height, width, channels, turn);
  const shape = turn > 4 ? [width, height] : [height, width];
  frame.size = [...shape];
  frame.to_model = [1, 1, 0, 0];
  return tensor("uint8", [...shape, channels], upright);
}

/**
 * Before a single pixel is decoded: the header says how many there would be.
 *
 * @param {import("./photo_file.mjs").Photo} photo
 * @param {Uint8Array} data
 * @param {number} most
 * @param {number | null} ratio
 */
function within({ kind, width, height }, data, most, ratio) {
  const pixels = width * height;
  const is = `the image is ${width} x ${height}`;
  if (pixels > most) {
    throw new Refused(`${is}; at most ${most.toLocaleString("en")} pixels are taken`, 413);
  }
  if (ratio !== null && Math.max(width, height) > ratio * Math.min(width, height)) {
    throw new Refused(`${is}; one side may be ${ratio} times the other`, 413);
  }
  const scans = kind === "JPEG" ? scansOf(data) : 1;
  if (scans > 100 || scans * pixels > SCANS * most) {
    throw new Refused(`the image is a JPEG of ${scans} scans; save it anew, not progressive`, 413);
  }
}

/** @param {Uint8Array} data */
function scansOf(data) {
  let scans = 0;
  for (let at = data.indexOf(0xff); at >= 0; at = data.indexOf(0xff, at + 1)) {
    if (data[at + 1] === 0xda) scans += 1;
  }
  return scans;
}

/**
 * Without transparency, by the rule, in place: what is clear shows the ground, or is as it is.
 *
 * @param {Uint8Array} rgba
 * @param {string} alpha "drop", "white" or "black"
 */
function flatten(rgba, alpha) {
  if (alpha === "drop") return;
  const ground = alpha === "white" ? 255 : 0;
  for (let at = 0; at < rgba.length; at += 4) {
    const share = /** @type {number} */ (rgba[at + 3]);
    if (share === 255) continue;
    for (let c = at; c < at + 3; c += 1) {
      // A division by 255 in whole numbers, rounded to the nearest.
      const sum = ground * (255 - share) + /** @type {number} */ (rgba[c]) * share + 128;
      rgba[c] = ((sum >> 8) + sum) >> 8;
    }
  }
}

/** @param {Uint8Array} rgba */
function colours(rgba) {
  const made = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    made[to] = /** @type {number} */ (rgba[from]);
    made[to + 1] = /** @type {number} */ (rgba[from + 1]);
    made[to + 2] = /** @type {number} */ (rgba[from + 2]);
  }
  return made;
}

/** @param {Uint8Array} rgba */
function greys(rgba) {
  const [red, green, blue] = /** @type {[number, number, number]} */ (LUMA);
  const made = new Uint8Array(rgba.length / 4);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 1) {
    const r = /** @type {number} */ (rgba[from]);
    const g = /** @type {number} */ (rgba[from + 1]);
    const b = /** @type {number} */ (rgba[from + 2]);
    made[to] = (r * red + g * green + b * blue + 0x8000) >> 16;
  }
  return made;
}

/**
 * The photo upright, by EXIF's orientation: 1 as it is, 5 to 8 with its sides exchanged.
 *
 * @param {Uint8Array} pixels
 * @param {number} height of the photo as it lies in the file
 * @param {number} width
 * @param {number} channels
 * @param {number} turn
 */
function turned(pixels, height, width, channels, turn) {
  if (turn === 1) return pixels;
  const [start, right, down] = walk(height, width, turn);
  const [tall, wide] = turn > 4 ? [width, height] : [height, width];
  const made = new Uint8Array(pixels.length);
  let to = 0;
  for (let y = 0; y < tall; y += 1) {
    for (let x = 0; x < wide; x += 1) {
      const from = (start + y * down + x * right) * channels;
      for (let c = 0; c < channels; c += 1) made[to++] = /** @type {number} */ (pixels[from + c]);
    }
  }
  return made;
}

/**
 * Where the upright photo's first pixel lies in the file, and how far it is to the next one to the
 * right and to the next one down.
 *
 * @param {number} height
 * @param {number} width
 * @param {number} turn
 * @returns {[number, number, number]}
 */
function walk(height, width, turn) {
  const bottom = (height - 1) * width;
  const right = width - 1;
  if (turn === 2) return [right, -1, width];
  if (turn === 3) return [bottom + right, -1, -width];
  if (turn === 4) return [bottom, 1, -width];
  if (turn === 5) return [0, width, 1];
  if (turn === 6) return [bottom, -width, 1];
  if (turn === 7) return [bottom + right, -width, -1];
  return [right, width, -1];
}
