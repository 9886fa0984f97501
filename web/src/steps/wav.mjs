/**
 * WAV: whole numbers of 8 to 32 bits, floats of 32 and 64, A-law and u-law, also as RF64 and in the
 * extensible form. Another coding is refused with those that are taken.
 *
 * @typedef {import("./decode_audio.mjs").Opened} Opened
 * @typedef {{format: number, channels: number, rate: number, bits: number, width: number}} Form
 *   `width` in bytes
 * @typedef {(view: DataView, at: number) => number} Sample
 */

import { Refused } from "./refused.mjs";

const [WHOLE, FLOAT, A_LAW, U_LAW, EXTENSIBLE] = [1, 3, 6, 7, 0xfffe];
/** A size that is no size: what was written to a pipe did not know it. */
const UNKNOWN = 2 ** 32 - 256;

/**
 * What the file declares, and how to read it. Throws Refused or a SyntaxError.
 *
 * @param {Uint8Array} bytes
 * @returns {Opened}
 */
export function open(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { form, start, size } = chunks(view);
  const sample = sampleOf(form);
  const whole = form.width * form.channels;
  const told = Math.floor(size / whole);
  const read = (/** @type {number} */ most) => {
    const n = Math.min(told, most);
    return Array.from({ length: form.channels }, (_, channel) => {
      const out = new Float32Array(n);
      const first = start + channel * form.width;
      for (let i = 0; i < n; i++) out[i] = sample(view, first + i * whole);
      return out;
    });
  };
  return { rate: form.rate, channels: form.channels, told, read };
}

/**
 * The form of the samples, and where they are.
 *
 * @param {DataView} view
 */
function chunks(view) {
  const rf64 = name(view, 0) === "RF64";
  if (view.byteLength < 12 || name(view, 8) !== "WAVE") throw new SyntaxError("it is no WAVE");
  /** @type {Form | null} */
  let form = null;
  let long = NaN;
  for (let at = 12; at + 8 <= view.byteLength;) {
    const kind = name(view, at);
    const size = view.getUint32(at + 4, true);
    if (kind === "ds64" && rf64 && at + 24 <= view.byteLength) {
      long = Number(view.getBigUint64(at + 16, true));
    } else if (kind === "fmt ") {
      form = formOf(view, at + 8, size);
    } else if (kind === "data") {
      if (form === null) throw new SyntaxError("its samples come before what they are");
      const told = rf64 && size === 2 ** 32 - 1 ? long : size;
      return { form, start: at + 8, size: held(told, view.byteLength - at - 8) };
    }
    at += 8 + size + (size % 2);
  }
  throw new Refused("the WAV file is cut off: it ends before its samples");
}

/**
 * How many bytes of samples there are: as many as declared, or all until the end.
 *
 * @param {number} told
 * @param {number} there
 */
function held(told, there) {
  if (!(told < UNKNOWN) && !(told > 2 ** 32)) return there;
  if (told > there) throw new Refused("the WAV file is cut off: its header promises more");
  return told;
}

/**
 * @param {DataView} view
 * @param {number} at
 * @param {number} size
 * @returns {Form}
 */
function formOf(view, at, size) {
  if (size < 16 || at + size > view.byteLength) throw new SyntaxError("its format is cut off");
  let format = view.getUint16(at, true);
  if (format === EXTENSIBLE && size >= 40) format = view.getUint16(at + 24, true);
  const channels = view.getUint16(at + 2, true);
  const bits = view.getUint16(at + 14, true);
  if (channels === 0) throw new SyntaxError("it has no channels");
  return { format, channels, rate: view.getUint32(at + 4, true), bits, width: Math.ceil(bits / 8) };
}

/**
 * What reads one sample, in -1..1.
 *
 * @param {Form} form
 * @returns {Sample}
 */
function sampleOf({ format, bits, width }) {
  const form = `${format}/${width}`;
  /** @type {Record<string, Sample>} */
  const known = {
    [`${WHOLE}/1`]: (view, at) => (view.getUint8(at) - 128) / 128,
    [`${WHOLE}/2`]: (view, at) => view.getInt16(at, true) / 32_768,
    [`${WHOLE}/3`]: (view, at) =>
      ((view.getInt8(at + 2) << 16) | view.getUint16(at, true)) / 8_388_608,
    [`${WHOLE}/4`]: (view, at) => view.getInt32(at, true) / 2_147_483_648,
    [`${FLOAT}/4`]: (view, at) => view.getFloat32(at, true),
    [`${FLOAT}/8`]: (view, at) => view.getFloat64(at, true),
    [`${A_LAW}/1`]: (view, at) => aLaw(view.getUint8(at)) / 32_768,
    [`${U_LAW}/1`]: (view, at) => uLaw(view.getUint8(at)) / 32_768,
  };
  const sample = known[form];
  if (sample !== undefined) return sample;
  throw new Refused(
    `a WAV file of coding ${format} with ${bits} bits is not taken; send whole numbers of 8 ` +
      "to 32 bits, floats of 32 or 64, A-law or u-law",
    415,
  );
}

/**
 * G.711: a sign, three bits of exponent, four of mantissa, every second bit turned round.
 *
 * @param {number} byte
 */
function aLaw(byte) {
  const bits = byte ^ 0x55;
  const exponent = (bits >> 4) & 7;
  const mantissa = ((bits & 15) << 4) + (exponent ? 0x108 : 8);
  const size = exponent > 1 ? mantissa << (exponent - 1) : mantissa;
  return bits & 0x80 ? size : -size;
}

/**
 * G.711: a sign, three bits of exponent, four of mantissa, all turned round.
 *
 * @param {number} byte
 */
function uLaw(byte) {
  const bits = ~byte & 0xff;
  const size = ((((bits & 15) << 3) + 0x84) << ((bits >> 4) & 7)) - 0x84;
  return bits & 0x80 ? -size : size;
}

/**
 * @param {DataView} view
 * @param {number} at
 */
function name(view, at) {
  if (at + 4 > view.byteLength) return "";
  return String.fromCharCode(...[0, 1, 2, 3].map((i) => view.getUint8(at + i)));
}
