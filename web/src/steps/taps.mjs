/**
 * Which old rows a new one is made of, and their weights, as torch has them, in float32.
 *
 * In: the old and the new number of rows. Out: Taps. Another method is a function that gives them,
 * and a line in `taps`.
 *
 * @typedef {object} Taps
 * @property {number} many taps of each new row
 * @property {Int32Array} places [new, many]: old rows
 * @property {Float32Array} weights [new, many]
 */

const f = Math.fround;

/**
 * @param {number} old
 * @param {number} made
 * @param {string} interpolation
 * @param {string} antialias
 * @returns {Taps}
 */
export function taps(old, made, interpolation, antialias) {
  if (interpolation === "nearest") return nearest(old, made);
  if (interpolation === "area") return area(old, made);
  if (antialias === "torch") return antialiased(old, made, interpolation);
  return interpolation === "bilinear" ? linear(old, made) : cubic(old, made);
}

/** @param {number} old @param {number} made @returns {Taps} */
function nearest(old, made) {
  const ratio = f(f(old) / f(made));
  const places = Int32Array.from({ length: made }, (_, i) => Math.min(Math.floor(f(i * ratio)), old - 1));
  return { many: 1, places, weights: new Float32Array(made).fill(1) };
}

/**
 * The mean of all old rows that a new one touches, each counted in full.
 *
 * @param {number} old
 * @param {number} made
 * @returns {Taps}
 */
function area(old, made) {
  const span = (/** @type {number} */ i) => [Math.floor((i * old) / made), Math.ceil(((i + 1) * old) / made)];
  return spans(old, made, span, () => 1);
}

/** @param {number} old @param {number} made @param {string} interpolation @returns {Taps} */
function antialiased(old, made, interpolation) {
  const ratio = f(f(old) / f(made));
  const spread = Math.max(ratio, 1);
  const support = f((interpolation === "bilinear" ? 1 : 2) * spread);
  const inverse = f(1 / spread);
  const centre = (/** @type {number} */ i) => f(ratio * f(i + 0.5));
  return spans(
    old,
    made,
    (i) => [
      Math.max(Math.floor(f(f(centre(i) - support) + 0.5)), 0),
      Math.min(Math.floor(f(f(centre(i) + support) + 0.5)), old),
    ],
    (row, i) => kernel(f(f(f(row - centre(i)) + 0.5) * inverse), interpolation, -0.5),
  );
}

/**
 * Taps from spans of rows of unequal length; the weights of each new row sum to 1.
 *
 * @param {number} old
 * @param {number} made
 * @param {(i: number) => number[]} span the first row, and the one after the last
 * @param {(row: number, i: number) => number} weigh
 * @returns {Taps}
 */
function spans(old, made, span, weigh) {
  const all = Array.from({ length: made }, (_, i) => /** @type {[number, number]} */ (span(i)));
  const many = all.reduce((most, [first, end]) => Math.max(most, end - first), 0);
  const places = new Int32Array(made * many);
  const weights = new Float32Array(made * many);
  all.forEach(([first, end], i) => {
    const own = weights.subarray(i * many, (i + 1) * many);
    for (let t = 0; t < many; t += 1) {
      places[i * many + t] = Math.min(first + t, old - 1);
      if (first + t < end) own[t] = weigh(first + t, i);
    }
    const sum = f(own.reduce((so, weight) => so + weight, 0));
    own.forEach((weight, t) => (own[t] = weight / sum));
  });
  return { many, places, weights };
}

/**
 * @param {number} away
 * @param {string} interpolation
 * @param {number} a
 */
function kernel(away, interpolation, a) {
  const x = Math.abs(away);
  if (interpolation === "bilinear") return Math.max(f(1 - x), 0);
  if (x < 1) return f(f(f(f(f((a + 2) * x) - (a + 3)) * x) * x) + 1);
  if (x < 2) return f(f(f(f(f(f(a * x) - 5 * a) * x) + 8 * a) * x) - 4 * a);
  return 0;
}

/** @param {number} old @param {number} made @returns {Taps} */
function linear(old, made) {
  const places = new Int32Array(2 * made);
  const weights = new Float32Array(2 * made);
  for (let i = 0; i < made; i += 1) {
    const place = Math.max(centreOf(i, old, made), 0);
    const first = Math.min(Math.trunc(place), old - 1);
    const share = Math.min(Math.max(f(place - first), 0), 1);
    places.set([first, Math.min(first + 1, old - 1)], 2 * i);
    weights.set([1 - share, share], 2 * i);
  }
  return { many: 2, places, weights };
}

/** @param {number} old @param {number} made @returns {Taps} */
function cubic(old, made) {
  const places = new Int32Array(4 * made);
  const weights = new Float32Array(4 * made);
  for (let i = 0; i < made; i += 1) {
    const place = centreOf(i, old, made);
    const first = Math.floor(place);
    for (let t = 0; t < 4; t += 1) {
      places[4 * i + t] = Math.min(Math.max(first + t - 1, 0), old - 1);
      weights[4 * i + t] = kernel(f(f(place - first) - (t - 1)), "bicubic", -0.75);
    }
  }
  return { many: 4, places, weights };
}

/**
 * Where the centre of a new row lies, in old rows: rounded once, at the end.
 *
 * @param {number} i
 * @param {number} old
 * @param {number} made
 */
function centreOf(i, old, made) {
  return f(f(f(old) / f(made)) * (i + 0.5) - 0.5);
}
