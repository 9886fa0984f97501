/**
 * What a photo's file says before a pixel is decoded: its kind, its size, which way up it is.
 *
 * In: bytes from anybody. Out: a Photo, whose `bytes` are the file without what says which way up
 * it is: a browser would turn the photo, whatever it is asked. Refused: 415 where the bytes are no
 * image of these kinds, 422 where the header cannot be read. To add a kind: a line in KINDS.
 *
 * @typedef {object} Photo
 * @property {string} kind
 * @property {string} type its MIME type
 * @property {number} width as it lies in the file
 * @property {number} height
 * @property {Uint8Array | null} exif
 * @property {string} xmp
 * @property {Uint8Array<ArrayBuffer>} bytes
 * @typedef {Omit<Photo, "kind" | "type">} Said
 */

import { damaged } from "./damaged.mjs";
import { gifSaid } from "./gif_pixels.mjs";
import { pngSaid } from "./png_file.mjs";
import { Refused } from "./refused.mjs";

/** Far beyond what a browser holds in memory, whatever is allowed. */
const MOST = 178_956_970;

/** @type {[string, string, RegExp, (data: Uint8Array<ArrayBuffer>) => Said | Promise<Said>][]} */
const KINDS = [
  ["JPEG", "image/jpeg", /^\xff\xd8/, jpegSaid],
  ["PNG", "image/png", /^\x89PNG/, pngSaid],
  ["WEBP", "image/webp", /^RIFF[^]{4}WEBP/, webpSaid],
  ["GIF", "image/gif", /^GIF8/, gifSaid],
  ["BMP", "image/bmp", /^BM/, bmpSaid],
];

/**
 * @param {Uint8Array} given
 * @returns {Promise<Photo>}
 */
export async function looked(given) {
  const data = /** @type {Uint8Array<ArrayBuffer>} */ (given);
  const beginning = latin(data.subarray(0, 12));
  const found = KINDS.find(([, , pattern]) => pattern.test(beginning));
  if (found === undefined) {
    const known = KINDS.map(([kind]) => kind).join(", ");
    throw new Refused(`these bytes are no image that is known here: ${known}`, 415);
  }
  const [kind, type, , read] = found;
  const said = await readable(() => read(data));
  if (!(said.width > 0 && said.height > 0)) throw damaged("its header cannot be read");
  if (said.width * said.height > MOST) {
    throw new Refused("the image has far too many pixels", 413);
  }
  return { kind, type, ...said };
}

/**
 * Reading past the end is a header that is cut off.
 *
 * @template T
 * @param {() => T} read
 */
async function readable(read) {
  try {
    return await read();
  } catch (error) {
    if (error instanceof RangeError) throw damaged("its header cannot be read");
    throw error;
  }
}

/** @param {Uint8Array} bytes */
function latin(bytes) {
  return String.fromCharCode(...bytes);
}

/** @param {Uint8Array} data */
function viewed(data) {
  return new DataView(data.buffer, data.byteOffset, data.byteLength);
}

/**
 * Segments up to the first scan. What EXIF and XMP are in stays out of `bytes`.
 *
 * @param {Uint8Array<ArrayBuffer>} data
 * @returns {Said}
 */
function jpegSaid(data) {
  const view = viewed(data);
  const said = { width: 0, height: 0, exif: /** @type {Uint8Array | null} */ (null), xmp: "" };
  const bytes = [data.subarray(0, 2)];
  for (let at = 2; ; ) {
    while (view.getUint8(at) !== 0xff) at += 1;
    while (view.getUint8(at) === 0xff) at += 1;
    const marker = view.getUint8(at);
    if (marker === 0xda || marker === 0xd9) {
      if (!ends(data, at)) throw damaged("its pixels are cut off");
      bytes.push(data.subarray(at - 1));
      return { ...said, bytes: joined(bytes) };
    }
    if (marker === 0 || marker === 1 || (marker >= 0xd0 && marker <= 0xd8)) continue;
    const end = at + 1 + view.getUint16(at + 1);
    const segment = data.subarray(at + 3, end);
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      [said.height, said.width] = [view.getUint16(at + 4), view.getUint16(at + 6)];
    }
    if (marker === 0xe1) tell(said, segment);
    else bytes.push(data.subarray(at - 1, end));
    at = end;
  }
}

/**
 * Whether an end is marked from there on: not every browser minds a file that is cut off.
 *
 * @param {Uint8Array} data
 * @param {number} from
 */
function ends(data, from) {
  for (let at = data.indexOf(0xff, from - 1); at >= 0; at = data.indexOf(0xff, at + 1)) {
    if (data[at + 1] === 0xd9) return true;
  }
  return false;
}

/**
 * In one piece: Firefox looks at the first piece alone to see what it is.
 *
 * @param {Uint8Array[]} pieces
 */
function joined(pieces) {
  const made = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    made.set(piece, at);
    at += piece.length;
  }
  return made;
}

/**
 * EXIF that is too long for one segment goes on in the next.
 *
 * @param {{exif: Uint8Array | null, xmp: string}} said
 * @param {Uint8Array} segment
 */
function tell(said, segment) {
  const xmp = "http://ns.adobe.com/xap/1.0/\0";
  if (latin(segment.subarray(0, 6)) === "Exif\0\0") {
    said.exif = Uint8Array.from([...(said.exif ?? []), ...segment.subarray(6)]);
  } else if (latin(segment.subarray(0, xmp.length)) === xmp) {
    said.xmp = new TextDecoder("latin1").decode(segment.subarray(xmp.length));
  }
}

/**
 * @param {Uint8Array<ArrayBuffer>} data
 * @returns {Said}
 */
function webpSaid(data) {
  const view = viewed(data);
  const clean = data.slice();
  const size = [0, 0];
  const said = { exif: /** @type {Uint8Array | null} */ (null), xmp: "" };
  const end = Math.min(data.length, 8 + view.getUint32(4, true));
  for (let at = 12; at + 8 <= end; ) {
    const name = latin(data.subarray(at, at + 4));
    const next = at + 8 + view.getUint32(at + 4, true);
    const chunk = data.subarray(at + 8, next);
    if (size[0] === 0) [size[0], size[1]] = webpSize(name, viewed(chunk));
    if (name === "EXIF") said.exif ??= chunk;
    if (name === "XMP ") said.xmp ||= new TextDecoder("latin1").decode(chunk);
    // A chunk of a name that nobody knows is passed over.
    if (name === "EXIF" || name === "XMP ") clean.set([0x6a, 0x75, 0x6e, 0x6b], at);
    at = next + (next % 2);
  }
  const [width, height] = /** @type {[number, number]} */ (size);
  return { width, height, ...said, bytes: clean };
}

/**
 * @param {string} name
 * @param {DataView} chunk
 * @returns {[number, number]}
 */
function webpSize(name, chunk) {
  if (name === "VP8X") {
    const low = chunk.getUint32(4, true);
    const high = chunk.getUint32(6, true);
    return [(low & 0xffffff) + 1, (high >>> 8) + 1];
  }
  if (name === "VP8L") {
    const bits = chunk.getUint32(1, true);
    return [(bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1];
  }
  if (name === "VP8 ") return [chunk.getUint16(6, true) & 0x3fff, chunk.getUint16(8, true) & 0x3fff];
  return [0, 0];
}

/**
 * Not every browser minds a file that is cut off.
 *
 * @param {Uint8Array<ArrayBuffer>} data
 * @returns {Said}
 */
function bmpSaid(data) {
  const view = viewed(data);
  const old = view.getUint32(14, true) === 12;
  const width = old ? view.getUint16(18, true) : view.getInt32(18, true);
  const height = old ? view.getUint16(20, true) : Math.abs(view.getInt32(22, true));
  const bits = view.getUint16(old ? 24 : 28, true);
  const packed = !old && [1, 2].includes(view.getUint32(30, true));
  const needed = view.getUint32(10, true) + Math.ceil((width * bits) / 32) * 4 * height;
  if (!packed && needed > data.length) throw damaged("its pixels are cut off");
  return { width, height, exif: null, xmp: "", bytes: data };
}
