/**
 * FLAC, to the very samples: the stream's header, then frame after frame until all are read.
 *
 * Both checksums of a frame are held to; one that is wrong is an error, and so is whatever the format
 * reserves. What a frame's channels are made of is in flac_subframe.mjs.
 *
 * @typedef {import("./decode_audio.mjs").Opened} Opened
 * @typedef {{rate: number, channels: number, bits: number, told: number, start: number}} Stream
 * @typedef {{size: number, assignment: number, bits: number}} Header
 */

import { Bits, CutOff } from "./bits.mjs";
import { subframe } from "./flac_subframe.mjs";

/** Of the codes for block sizes and sample sizes in a frame's header; 0 where they say otherwise. */
const SIZES = [0, 192, 576, 1152, 2304, 4608, 0, 0, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768];
const DEPTHS = [0, 8, 12, 0, 16, 20, 24, 32];
const [LEFT_SIDE, SIDE_RIGHT, MID_SIDE] = [8, 9, 10];

/**
 * What the file declares, and how to read it. Throws a SyntaxError.
 *
 * @param {Uint8Array} bytes
 * @returns {Opened}
 */
export function open(bytes) {
  const stream = streamOf(bytes);
  const { rate, channels, told } = stream;
  return { rate, channels, told, read: (most) => decoded(bytes, stream, most) };
}

/**
 * The header: the first block says what the stream is, the others are skipped.
 *
 * @param {Uint8Array} bytes
 * @returns {Stream}
 */
function streamOf(bytes) {
  const bits = new Bits(bytes, 4);
  let last = 0;
  /** @type {Stream | null} */
  let stream = null;
  try {
    while (!last) {
      last = bits.read(1);
      const kind = bits.read(7);
      const start = bits.bytesRead + 3 + bits.read(24);
      if (kind === 0 && stream === null) {
        bits.skip(80);
        const [rate, channels, depth] = [bits.read(20), bits.read(3) + 1, bits.read(5) + 1];
        stream = { rate, channels, bits: depth, told: bits.read(36), start };
      }
      bits.skip(8 * (start - bits.bytesRead));
      if (stream) stream.start = start;
    }
  } catch (error) {
    if (!(error instanceof CutOff)) throw error;
    throw new SyntaxError("it ends within its header");
  }
  if (stream === null) throw new SyntaxError("it does not say what its samples are");
  return stream;
}

/**
 * Each channel's samples: as many as the stream promises, or until `most` are there, or the end.
 *
 * @param {Uint8Array} bytes
 * @param {Stream} stream
 * @param {number} most
 */
function decoded(bytes, stream, most) {
  const wanted = stream.told === 0 ? most : Math.min(stream.told, most);
  /** @type {Float32Array[][]} */
  const blocks = [];
  let n = 0;
  let at = stream.start;
  try {
    while (n < wanted && at < bytes.length) {
      const frame = frameOf(bytes, at, stream);
      blocks.push(frame.samples);
      n += frame.size;
      at = frame.end;
    }
  } catch (error) {
    // What is there by then is less than was promised, which is said of the whole file.
    if (!(error instanceof CutOff)) throw error;
  }
  const kept = Math.min(n, wanted);
  return Array.from({ length: stream.channels }, (_, channel) => joined(blocks, channel, kept));
}

/**
 * @param {Float32Array[][]} blocks
 * @param {number} channel
 * @param {number} n
 */
function joined(blocks, channel, n) {
  const all = new Float32Array(n);
  let at = 0;
  for (const block of blocks) {
    const samples = block[channel] ?? new Float32Array(0);
    all.set(samples.subarray(0, n - at), at);
    at += samples.length;
  }
  return all;
}

/**
 * The frame that begins there.
 *
 * @param {Uint8Array} bytes
 * @param {number} at
 * @param {Stream} stream
 */
function frameOf(bytes, at, stream) {
  const bits = new Bits(bytes, at);
  const { size, assignment, bits: depth } = headerOf(bits, at, stream);
  const parts = Array.from({ length: stream.channels }, (_, channel) => {
    const side = assignment >= LEFT_SIDE && channel === (assignment === SIDE_RIGHT ? 0 : 1);
    return subframe(bits, size, depth + (side ? 1 : 0));
  });
  bits.align();
  const sum = checksum(bytes, at, bits.bytesRead, 0x8005, 16);
  if (bits.read(16) !== sum) throw new SyntaxError("the checksum of a frame is wrong");
  unmixed(parts, assignment);
  const scale = 2 ** (depth - 1);
  return {
    size,
    samples: parts.map((part) => Float32Array.from(part, (x) => x / scale)),
    end: bits.bytesRead,
  };
}

/**
 * @param {Bits} bits
 * @param {number} at
 * @param {Stream} stream
 * @returns {Header}
 */
function headerOf(bits, at, stream) {
  if (bits.read(15) !== 0x7ffc) throw new SyntaxError("a frame does not begin where it should");
  bits.read(1);
  const [size, rate, assignment, depth] = [bits.read(4), bits.read(4), bits.read(4), bits.read(3)];
  const reserved = bits.read(1);
  // The number of the frame, written as UTF-8 writes a letter.
  const ones = Math.clz32(~bits.read(8) << 24);
  if (ones > 1) bits.skip(8 * (ones - 1));
  const samples = size === 6 ? bits.read(8) + 1 : size === 7 ? bits.read(16) + 1 : SIZES[size];
  if (rate >= 12) bits.read(rate === 12 ? 8 : 16);
  const sum = checksum(bits.bytes, at, bits.bytesRead, 0x07, 8);
  if (bits.read(8) !== sum) throw new SyntaxError("the checksum of a frame's header is wrong");
  const channels = assignment >= LEFT_SIDE ? 2 : assignment + 1;
  const own = depth === 0 ? stream.bits : DEPTHS[depth];
  if (reserved || !samples || !own || assignment > MID_SIDE || rate === 15) {
    throw new SyntaxError("a frame's header says what means nothing");
  }
  if (channels !== stream.channels || own !== stream.bits) {
    throw new SyntaxError("a frame is of another form than the stream");
  }
  return { size: samples, assignment, bits: own };
}

/**
 * Two channels that were kept as a difference, in place.
 *
 * @param {Float64Array[]} parts
 * @param {number} assignment
 */
function unmixed(parts, assignment) {
  const [one, other] = parts;
  if (assignment < LEFT_SIDE || !one || !other) return;
  for (let i = 0; i < one.length; i++) {
    const [a, b] = [one[i] ?? 0, other[i] ?? 0];
    if (assignment === LEFT_SIDE) {
      other[i] = a - b;
    } else if (assignment === SIDE_RIGHT) {
      one[i] = a + b;
    } else {
      // Of the sum the last bit is left out, which the difference has, too.
      const sum = 2 * a + Math.abs(b % 2);
      one[i] = (sum + b) / 2;
      other[i] = (sum - b) / 2;
    }
  }
}

/** @type {Map<number, Uint32Array>} */
const TABLES = new Map();

/**
 * CRC from the top bit down, beginning with zero.
 *
 * @param {Uint8Array} bytes
 * @param {number} from
 * @param {number} to
 * @param {number} polynomial
 * @param {8 | 16} width
 */
function checksum(bytes, from, to, polynomial, width) {
  const table = TABLES.get(width) ?? tableOf(polynomial, width);
  TABLES.set(width, table);
  let value = 0;
  for (let at = from; at < to; at++) {
    const top = (value >>> (width - 8)) ^ (bytes[at] ?? 0);
    value = ((width === 8 ? 0 : value << 8) ^ (table[top & 255] ?? 0)) & (2 ** width - 1);
  }
  return value;
}

/**
 * @param {number} polynomial
 * @param {8 | 16} width
 */
function tableOf(polynomial, width) {
  const top = 1 << (width - 1);
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte << (width - 8);
    for (let bit = 0; bit < 8; bit++) value = value & top ? (value << 1) ^ polynomial : value << 1;
    return value & (2 ** width - 1);
  });
}
