/**
 * A PNG's chunks: what stands before and after its pixels.
 *
 * In: bytes. Out: its size, EXIF and XMP; and the chunks themselves, for png_pixels.mjs. A chunk
 * before the pixels whose check sum is wrong makes the file damaged.
 *
 * @typedef {{name: string, body: Uint8Array<ArrayBuffer>}} Chunk
 */

import { damaged } from "./damaged.mjs";

const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte;
  for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  return sum;
});

/**
 * @param {Uint8Array<ArrayBuffer>} data
 * @returns {Promise<import("./photo_file.mjs").Said>}
 */
export async function pngSaid(data) {
  const chunks = chunksOf(data);
  const header = chunks[0];
  if (header?.name !== "IHDR" || header.body.length < 13) throw damaged("its header cannot be read");
  const view = new DataView(header.body.buffer, header.body.byteOffset);
  const exif = chunks.find(({ name }) => name === "eXIf")?.body ?? null;
  const texts = new Map();
  for (const chunk of chunks) {
    const [key, text] = await worded(chunk);
    if (key) texts.set(key, text);
  }
  const raw = texts.get("Raw profile type exif");
  return {
    width: view.getUint32(0),
    height: view.getUint32(4),
    exif: exif ?? (raw === undefined ? null : fromHex(raw)),
    xmp: texts.get("XML:com.adobe.xmp") ?? "",
    bytes: data,
  };
}

/**
 * The chunks in their order, up to the end or to where the file is cut off.
 *
 * @param {Uint8Array<ArrayBuffer>} data
 * @returns {Chunk[]}
 */
export function chunksOf(data) {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const chunks = [];
  let pixels = false;
  for (let at = 8; at + 8 <= data.length; ) {
    const length = view.getUint32(at);
    const end = at + 8 + length;
    const name = String.fromCharCode(...data.subarray(at + 4, at + 8));
    pixels ||= name === "IDAT";
    // What is cut off after the pixels began may still have all that is needed of them.
    if (end + 4 > data.length && !pixels) throw damaged("its header is cut off");
    if (!pixels && view.getInt32(end) !== ~sumOf(data.subarray(at + 4, end))) {
      throw damaged(`the check sum of its ${name} is wrong`);
    }
    chunks.push({ name, body: data.subarray(at + 8, Math.min(end, data.length)) });
    if (name === "IEND") break;
    at = end + 4;
  }
  return chunks;
}

/** @param {Uint8Array} bytes */
function sumOf(bytes) {
  let sum = -1;
  for (const byte of bytes) sum = /** @type {number} */ (TABLE[(sum ^ byte) & 255]) ^ (sum >>> 8);
  return sum;
}

/**
 * A text's keyword and the text; nothing for other chunks, and for a text that cannot be read.
 *
 * @param {Chunk} chunk
 * @returns {Promise<[string, string] | []>}
 */
async function worded({ name, body }) {
  if (!["tEXt", "zTXt", "iTXt"].includes(name)) return [];
  const key = new TextDecoder("latin1").decode(body.subarray(0, Math.max(0, body.indexOf(0))));
  if (key !== "Raw profile type exif" && key !== "XML:com.adobe.xmp") return [];
  let rest = body.subarray(key.length + 1);
  const packed = name === "zTXt" || (name === "iTXt" && rest[0] === 1);
  if (name === "zTXt") rest = rest.subarray(1);
  if (name === "iTXt") {
    rest = rest.subarray(2);
    for (let skipped = 0; skipped < 2; skipped += 1) rest = rest.subarray(rest.indexOf(0) + 1);
  }
  const text = packed ? await inflated([rest], MOST_TEXT) : rest;
  return [key, new TextDecoder("latin1").decode(text)];
}

/** Bytes: more than a text that says which way up a photo is can need. */
const MOST_TEXT = 1 << 20;

/**
 * As ImageMagick writes EXIF: a blank line, a name, a length, and digits in lines.
 *
 * @param {string} text
 */
function fromHex(text) {
  const digits = text.split("\n").slice(3).join("");
  return Uint8Array.from(digits.match(/[0-9a-fA-F]{2}/g) ?? [], (pair) => parseInt(pair, 16));
}

/**
 * As many bytes as could be unpacked, at most so many: what comes after them is not looked at.
 *
 * @param {Uint8Array<ArrayBuffer>[]} pieces
 * @param {number} most
 * @returns {Promise<Uint8Array>}
 */
export async function inflated(pieces, most) {
  const reader = new Blob(pieces).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  const made = new Uint8Array(most);
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const fits = value.subarray(0, most - length);
      made.set(fits, length);
      length += fits.length;
      if (length === most) break;
    }
  } catch {
    // A stream that is cut off or damaged ends here; whoever asked sees how far it came.
  }
  await reader.cancel().catch(() => {});
  return made.subarray(0, length);
}
