/**
 * The Fourier transform of real samples of any length, in float64.
 *
 * A power of two is split in halves; any other length is written as a convolution (Bluestein), which
 * is of a power of two. Its loops name each number by itself: pairs in brackets are arrays, and cost
 * twenty times as much. To use it: `spectrumOf(size)` once, then the function it gives for each
 * frame.
 *
 * @typedef {{re: Float64Array, im: Float64Array}} Complex
 */

/**
 * A function that transforms `size` numbers: the bins 0 to size / 2 of both parts, which are
 * overwritten by the next call.
 *
 * @param {number} size
 * @returns {(samples: Float64Array) => Complex}
 */
export function spectrumOf(size) {
  return (size & (size - 1)) === 0 ? halved(size) : convolved(size);
}

/** @param {number} size a power of two */
function halved(size) {
  const transform = inPlace(size);
  const re = new Float64Array(size);
  const im = new Float64Array(size);
  return (/** @type {Float64Array} */ samples) => {
    re.set(samples);
    im.fill(0);
    transform(re, im);
    return { re, im };
  };
}

/**
 * Bluestein: with n k = (n² + k² - (k - n)²) / 2 the transform is a convolution with a chirp.
 *
 * @param {number} size
 */
function convolved(size) {
  const long = 2 ** Math.ceil(Math.log2(2 * size));
  const transform = inPlace(long);
  const [cosine, sine] = chirpOf(size);
  const filter = { re: new Float64Array(long), im: new Float64Array(long) };
  for (let n = 0; n < size; n++) {
    for (const at of [n, (long - n) % long]) {
      filter.re[at] = cosine[n] ?? 0;
      filter.im[at] = sine[n] ?? 0;
    }
  }
  transform(filter.re, filter.im);
  const re = new Float64Array(long);
  const im = new Float64Array(long);
  return (/** @type {Float64Array} */ samples) => {
    re.fill(0);
    im.fill(0);
    for (let n = 0; n < size; n++) {
      re[n] = (samples[n] ?? 0) * (cosine[n] ?? 0);
      im[n] = -(samples[n] ?? 0) * (sine[n] ?? 0);
    }
    transform(re, im);
    for (let i = 0; i < long; i++) {
      const a = re[i] ?? 0;
      const b = im[i] ?? 0;
      const c = filter.re[i] ?? 0;
      const d = filter.im[i] ?? 0;
      re[i] = (a * c - b * d) / long;
      im[i] = (a * d + b * c) / long;
    }
    // The way back is the way there with both parts exchanged.
    transform(im, re);
    for (let k = 0; k <= size / 2; k++) {
      const a = re[k] ?? 0;
      const b = im[k] ?? 0;
      const c = cosine[k] ?? 0;
      const d = sine[k] ?? 0;
      re[k] = a * c + b * d;
      im[k] = b * c - a * d;
    }
    return { re, im };
  };
}

/**
 * Cosine and sine of pi n² / size, the angle reduced while it is a whole number.
 *
 * @param {number} size
 */
function chirpOf(size) {
  const angles = Float64Array.from(
    { length: size },
    (_, n) => (Math.PI * ((n * n) % (2 * size))) / size,
  );
  return /** @type {const} */ ([angles.map(Math.cos), angles.map(Math.sin)]);
}

/**
 * The transform of both parts where they are, for a power of two.
 *
 * @param {number} size
 */
function inPlace(size) {
  const angles = Float64Array.from({ length: size / 2 }, (_, i) => (-2 * Math.PI * i) / size);
  const [cosine, sine] = [angles.map(Math.cos), angles.map(Math.sin)];
  const places = mirrored(size);
  return (/** @type {Float64Array} */ re, /** @type {Float64Array} */ im) => {
    for (let i = 0; i < size; i++) {
      const j = places[i] ?? 0;
      if (j <= i) continue;
      const a = re[i] ?? 0;
      const b = im[i] ?? 0;
      re[i] = re[j] ?? 0;
      im[i] = im[j] ?? 0;
      re[j] = a;
      im[j] = b;
    }
    for (let half = 1; half < size; half *= 2) {
      const stride = size / (2 * half);
      for (let start = 0; start < size; start += 2 * half) {
        for (let k = 0; k < half; k++) {
          const low = start + k;
          const high = low + half;
          const c = cosine[k * stride] ?? 0;
          const s = sine[k * stride] ?? 0;
          const x = re[high] ?? 0;
          const y = im[high] ?? 0;
          const a = x * c - y * s;
          const b = x * s + y * c;
          const u = re[low] ?? 0;
          const v = im[low] ?? 0;
          re[low] = u + a;
          im[low] = v + b;
          re[high] = u - a;
          im[high] = v - b;
        }
      }
    }
  };
}

/**
 * For each place the one with its bits in reverse.
 *
 * @param {number} size a power of two
 */
function mirrored(size) {
  const places = new Uint32Array(size);
  for (let i = 1; i < size; i++) {
    places[i] = ((places[i >> 1] ?? 0) >> 1) | (i & 1 ? size >> 1 : 0);
  }
  return places;
}
