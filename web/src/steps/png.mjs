/**
 * A PNG with a palette, written here: a worker's canvas writes colours, and never classes.
 */

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
const WITH_PALETTE = 3;
/** The longest block of deflate that is not compressed. */
const BLOCK = 65_535;

/**
 * The file; the values of its pixels are the classes.
 *
 * @param {Uint8Array} pixels [height, width]
 * @param {number} height
 * @param {number} width
 * @param {readonly (readonly number[])[]} colours [red, green, blue] of each class
 * @returns {Promise<Uint8Array>}
 */
export async function pngOf(pixels, height, width, colours) {
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  header.setUint8(8, 8);
  header.setUint8(9, WITH_PALETTE);
  return joined([
    Uint8Array.from(SIGNATURE),
    chunk("IHDR", new Uint8Array(header.buffer)),
    chunk("PLTE", Uint8Array.from(colours.flat())),
    chunk("IDAT", await packed(filtered(pixels, height, width))),
    chunk("IEND", new Uint8Array(0)),
  ]);
}

/**
 * Each row behind a 0: as it is, not as its difference to another.
 *
 * @param {Uint8Array} pixels
 * @param {number} height
 * @param {number} width
 */
function filtered(pixels, height, width) {
  const rows = new Uint8Array(height * (width + 1));
  for (let row = 0; row < height; row++) {
    rows.set(pixels.subarray(row * width, (row + 1) * width), row * (width + 1) + 1);
  }
  return rows;
}

/**
 * In the form of zlib; compressed where the browser can.
 *
 * @param {Uint8Array} data
 * @returns {Promise<Uint8Array>}
 */
async function packed(data) {
  if (typeof CompressionStream === "undefined") return stored(data);
  const plain = new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (data)]).stream();
  const small = plain.pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(small).arrayBuffer());
}

/**
 * In the form of zlib, in blocks that are not compressed.
 *
 * @param {Uint8Array} data
 */
export function stored(data) {
  /** @type {Uint8Array[]} */
  const parts = [Uint8Array.of(0x78, 0x01)];
  for (let at = 0; at < data.length || at === 0; at += BLOCK) {
    const block = data.subarray(at, at + BLOCK);
    const head = new DataView(new ArrayBuffer(5));
    head.setUint8(0, at + BLOCK >= data.length ? 1 : 0);
    head.setUint16(1, block.length, true);
    head.setUint16(3, ~block.length & 0xffff, true);
    parts.push(new Uint8Array(head.buffer), block);
  }
  return joined([...parts, bigEndian(adler(data))]);
}

/** @param {Uint8Array} data */
function adler(data) {
  let [low, high] = [1, 0];
  for (const byte of data) {
    low = (low + byte) % 65_521;
    high = (high + low) % 65_521;
  }
  return high * 65_536 + low;
}

/**
 * @param {string} name
 * @param {Uint8Array} data
 */
function chunk(name, data) {
  const named = joined([Uint8Array.from(name, (letter) => letter.charCodeAt(0)), data]);
  return joined([bigEndian(data.length), named, bigEndian(crc(named))]);
}

/** Of each byte, for the checksum of a chunk. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** @param {Uint8Array} data */
function crc(data) {
  let value = 0xffffffff;
  for (const byte of data) value = (value >>> 8) ^ (TABLE[(value ^ byte) & 255] ?? 0);
  return (value ^ 0xffffffff) >>> 0;
}

/** @param {number} value */
function bigEndian(value) {
  const bytes = new DataView(new ArrayBuffer(4));
  bytes.setUint32(0, value);
  return new Uint8Array(bytes.buffer);
}

/** @param {readonly Uint8Array[]} parts */
function joined(parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
