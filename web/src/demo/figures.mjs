/**
 * Numbers as a person reads them. Pure: no page is needed.
 */

const UNITS = ["bytes", "kB", "MB", "GB"];

/**
 * A size in bytes: "14.2 MB".
 *
 * @param {number} size
 */
export function bytes(size) {
  let unit = 0;
  let left = size;
  while (left >= 999.5 && unit < UNITS.length - 1) {
    left /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || left >= 100 ? 0 : 1;
  return `${left.toFixed(digits)} ${UNITS[unit]}`;
}

/**
 * A time: "0.8 ms", "48 ms", "2.4 s".
 *
 * @param {number} seconds
 */
export function time(seconds) {
  const thousandths = seconds * 1000;
  if (thousandths < 9.95) return `${thousandths.toFixed(1)} ms`;
  if (thousandths < 999.5) return `${thousandths.toFixed(0)} ms`;
  return `${seconds.toFixed(seconds < 9.95 ? 1 : 0)} s`;
}

/**
 * A share of one: "83.1 %", and never 0 or 100 where it is neither.
 *
 * @param {number} share
 */
export function percent(share) {
  if (share > 0 && share < 0.0005) return "< 0.1 %";
  if (share < 1 && share > 0.9995) return "> 99.9 %";
  return `${(share * 100).toFixed(1)} %`;
}

/**
 * One number of a tensor, short: six figures at most.
 *
 * @param {number | bigint | boolean | string} value
 */
export function plain(value) {
  if (typeof value !== "number" || Number.isInteger(value) || !Number.isFinite(value)) {
    return String(value);
  }
  const size = Math.abs(value);
  if (size >= 1e7 || size < 1e-4) return value.toExponential(3);
  return String(Number(value.toPrecision(6)));
}

/**
 * An error: "1.3e-6".
 *
 * @param {number} value
 */
export function error(value) {
  return value === 0 ? "0" : Number.isFinite(value) ? value.toExponential(1) : String(value);
}

/**
 * The value in the middle; of two the mean; NaN of none.
 *
 * @param {readonly number[]} values
 */
export function median(values) {
  const sorted = [...values].sort((one, other) => one - other);
  const half = sorted.length >> 1;
  const upper = sorted[half];
  if (upper === undefined) return NaN;
  const lower = sorted[half - 1];
  return sorted.length % 2 === 1 || lower === undefined ? upper : (lower + upper) / 2;
}

/**
 * Where the largest are, best first; of equal ones the earlier, and NaN last.
 *
 * @param {ArrayLike<number>} values
 * @param {number} many
 * @returns {number[]}
 */
export function largest(values, many) {
  const worth = Array.from(values, (value) => (Number.isNaN(value) ? -Infinity : value));
  const order = worth.map((_, index) => index);
  order.sort((one, other) => {
    const [left, right] = [worth[one] ?? 0, worth[other] ?? 0];
    return left === right ? one - other : right - left;
  });
  return order.slice(0, many);
}

/**
 * "1 file", "3 files", "no files".
 *
 * @param {number} many
 * @param {string} what
 * @param {string} [plural]
 */
export function counted(many, what, plural = `${what}s`) {
  return `${many === 0 ? "no" : many} ${many === 1 ? what : plural}`;
}
