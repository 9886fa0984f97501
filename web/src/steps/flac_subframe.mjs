/**
 * One channel of a FLAC frame: a prediction from the samples before, and what it is off.
 *
 * Numbers are doubles, which hold every sum of 32-bit samples and 15-bit coefficients exactly.
 *
 * @typedef {import("./bits.mjs").Bits} Bits
 */

/** Of the fixed predictors, by how many samples they look back. */
const FIXED = [[], [1], [2, -1], [3, -3, 1], [4, -6, 4, -1]];

/**
 * The samples, whole numbers.
 *
 * @param {Bits} bits
 * @param {number} size
 * @param {number} depth bits of a sample
 */
export function subframe(bits, size, depth) {
  if (bits.read(1)) throw new SyntaxError("a channel does not begin where it should");
  const kind = bits.read(6);
  // Low bits that are always zero are not written.
  const wasted = bits.read(1) ? bits.zeros() + 1 : 0;
  if (wasted >= depth) throw new SyntaxError("a channel has no bits");
  const samples = samplesOf(bits, kind, size, depth - wasted);
  return wasted ? samples.map((sample) => sample * 2 ** wasted) : samples;
}

/**
 * @param {Bits} bits
 * @param {number} kind
 * @param {number} size
 * @param {number} depth
 */
function samplesOf(bits, kind, size, depth) {
  const samples = new Float64Array(size);
  if (kind === 0) return samples.fill(bits.signed(depth));
  if (kind === 1) return samples.map(() => bits.signed(depth));
  const fixed = FIXED[kind - 8];
  const order = fixed ? kind - 8 : kind - 31;
  if (!fixed && order < 1) throw new SyntaxError("a channel is of a kind that means nothing");
  if (order > size) throw new SyntaxError("a channel looks back beyond its beginning");
  for (let i = 0; i < order; i++) samples[i] = bits.signed(depth);
  const { shift, factors } = fixed ? { shift: 0, factors: fixed } : learned(bits, order);
  residual(bits, samples, order);
  return predicted(samples, factors, 2 ** shift);
}

/**
 * A predictor that the encoder found.
 *
 * @param {Bits} bits
 * @param {number} order
 */
function learned(bits, order) {
  const width = bits.read(4) + 1;
  const shift = bits.signed(5);
  if (width === 16 || shift < 0) throw new SyntaxError("a predictor means nothing");
  return { shift, factors: Array.from({ length: order }, () => bits.signed(width)) };
}

/**
 * Adds to what the prediction is off the prediction itself, in place.
 *
 * @param {Float64Array} samples
 * @param {readonly number[]} factors of the sample before, of the one before that, …
 * @param {number} scale
 */
function predicted(samples, factors, scale) {
  const order = factors.length;
  for (let i = order; i < samples.length; i++) {
    let sum = 0;
    for (let j = 0; j < order; j++) sum += (factors[j] ?? 0) * (samples[i - 1 - j] ?? 0);
    samples[i] = (samples[i] ?? 0) + Math.floor(sum / scale);
  }
  return samples;
}

/**
 * What the prediction is off, in Rice's code, written behind the first `order` samples.
 *
 * @param {Bits} bits
 * @param {Float64Array} samples
 * @param {number} order
 */
function residual(bits, samples, order) {
  const method = bits.read(2);
  if (method > 1) throw new SyntaxError("a residual is of a kind that means nothing");
  const width = method === 0 ? 4 : 5;
  const parts = 2 ** bits.read(4);
  const long = samples.length / parts;
  if (!Number.isInteger(long) || long < order) throw new SyntaxError("a residual has odd parts");
  for (let part = 0; part < parts; part++) {
    const low = bits.read(width);
    const escaped = low === 2 ** width - 1;
    const raw = escaped ? bits.read(5) : 0;
    for (let i = part ? part * long : order; i < (part + 1) * long; i++) {
      samples[i] = escaped ? (raw ? bits.signed(raw) : 0) : rice(bits, low);
    }
  }
}

/**
 * A number whose sign is its lowest bit.
 *
 * @param {Bits} bits
 * @param {number} low how many of the bits are written as they are
 */
function rice(bits, low) {
  const folded = bits.zeros() * 2 ** low + bits.read(low);
  return folded % 2 ? -(folded + 1) / 2 : folded / 2;
}
