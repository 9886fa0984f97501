/**
 * Ogg: the packets of the first stream in a file, and how many samples its last page tells.
 *
 * Pages of another stream, and what follows the first one, are skipped. A page whose checksum is
 * wrong is an error; a file that ends within a page is cut off.
 *
 * @typedef {{packets: Uint8Array[], samples: number}} Stream
 * @typedef {{flags: number, position: bigint, stream: number, sizes: Uint8Array, body: number,
 *   end: number}} Page
 */

import { Refused } from "./refused.mjs";

const [CONTINUED, LAST] = [1, 4];
/** Of a page's samples, where no packet ends in it. */
const NONE = -1n;

/**
 * The packets. Throws Refused or a SyntaxError.
 *
 * @param {Uint8Array} bytes
 * @returns {Stream}
 */
export function packetsOf(bytes) {
  /** @type {Stream} */
  const stream = { packets: [], samples: 0 };
  /** @type {Uint8Array[]} */
  let begun = [];
  /** @type {number | null} */
  let ours = null;
  for (let at = 0; name(bytes, at) === "OggS";) {
    const page = pageOf(bytes, at);
    at = page.end;
    ours ??= page.stream;
    if (page.stream !== ours) continue;
    if (!(page.flags & CONTINUED)) begun = [];
    let from = page.body;
    for (const [i, size] of page.sizes.entries()) {
      begun.push(bytes.subarray(from, from + size));
      from += size;
      if (size === 255) continue;
      stream.packets.push(joined(begun));
      begun = [];
    }
    if (page.position !== NONE) stream.samples = Number(page.position);
    if (page.flags & LAST) break;
  }
  return stream;
}

/**
 * @param {Uint8Array} bytes
 * @param {number} at
 * @returns {Page}
 */
function pageOf(bytes, at) {
  const cut = () => new Refused("the OGG file is cut off: its header promises more");
  if (at + 27 > bytes.length) throw cut();
  const view = new DataView(bytes.buffer, bytes.byteOffset + at);
  const body = at + 27 + view.getUint8(26);
  const sizes = bytes.subarray(at + 27, body);
  const end = body + sizes.reduce((sum, size) => sum + size, 0);
  if (end > bytes.length) throw cut();
  if (checksum(bytes.subarray(at, end)) !== view.getUint32(22, true)) {
    throw new SyntaxError("the checksum of a page is wrong");
  }
  const [flags, position] = [view.getUint8(5), view.getBigInt64(6, true)];
  return { flags, position, stream: view.getUint32(14, true), sizes, body, end };
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 24;
  for (let bit = 0; bit < 8; bit++) value = value < 0 ? (value << 1) ^ 0x04c11db7 : value << 1;
  return value;
});

/**
 * CRC-32 as Ogg has it: from the top bit down, beginning with zero, its own four bytes left out.
 *
 * @param {Uint8Array} page
 */
function checksum(page) {
  let value = 0;
  for (let i = 0; i < page.length; i++) {
    const byte = i >= 22 && i < 26 ? 0 : (page[i] ?? 0);
    value = (value << 8) ^ (TABLE[((value >>> 24) ^ byte) & 255] ?? 0);
  }
  return value >>> 0;
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

/**
 * @param {Uint8Array} bytes
 * @param {number} at
 */
function name(bytes, at) {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}
