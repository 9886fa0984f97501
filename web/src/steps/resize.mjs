/**
 * An image of another size, by the arithmetic of Pillow or of torch.
 *
 * In: [height, width, channels], levels 0..255. Out: the same at the new size, uint8 where Pillow
 * is the convention ("pil", in resize_pil.mjs) and float32, not rounded, where torch is ("torch"
 * averages over what a pixel covers, "none" only looks at its neighbours; their weights are in
 * taps.mjs).
 *
 * @typedef {import("./arrays.mjs").Tensor} Tensor
 */

import { floats, tensor } from "./arrays.mjs";
import { byPillow } from "./resize_pil.mjs";
import { taps } from "./taps.mjs";

/**
 * The image at another size; `frame` learns where its pixels went. `passes` is of "pil".
 *
 * @param {Tensor} value
 * @param {import("./arrays.mjs").Frame} frame
 * @param {{to: number[] | null, shorter: number | null, longer: number | null,
 *   interpolation: string, antialias: string, passes?: string}} options
 * @returns {Tensor}
 */
export function resize(value, frame, options) {
  const [height, width] = /** @type {[number, number, number]} */ (value.shape);
  const [tall, wide] = newSize(height, width, options);
  // Edges map to edges, and so every offset so far is stretched with the image.
  const ratio = [wide / width, tall / height, wide / width, tall / height];
  frame.to_model = frame.to_model?.map((by, at) => by * Number(ratio[at]));
  const { interpolation, antialias, passes = "width" } = options;
  if (antialias === "pil") return byPillow(value, tall, wide, interpolation, passes);
  const rows = weighed(value, 0, taps(height, tall, interpolation, antialias));
  return weighed(rows, 1, taps(width, wide, interpolation, antialias));
}

/**
 * Height and width afterwards. The side that follows is rounded down, but never to nothing.
 *
 * @param {number} height
 * @param {number} width
 * @param {{to: number[] | null, shorter: number | null, longer: number | null}} options
 * @returns {[number, number]}
 */
function newSize(height, width, { to, shorter, longer }) {
  if (to !== null) return /** @type {[number, number]} */ (to);
  const side = /** @type {number} */ (shorter ?? longer);
  const against = shorter !== null ? Math.min(height, width) : Math.max(height, width);
  const follow = (/** @type {number} */ old) => Math.max(1, Math.floor((side * old) / against));
  return [follow(height), follow(width)];
}

/**
 * New rows (axis 0) or columns (axis 1) from old ones. Sums are float64, and float32 once done.
 *
 * @param {Tensor} value
 * @param {0 | 1} axis
 * @param {import("./taps.mjs").Taps} by
 * @returns {Tensor}
 */
function weighed(value, axis, { many, places, weights }) {
  const [height, width, depth] = /** @type {[number, number, number]} */ (value.shape);
  const given = value.data instanceof Uint8Array ? value.data : floats(value);
  const made = places.length / many;
  const [outer, old, inner] = axis === 0 ? [1, height, width * depth] : [height, width, depth];
  const data = new Float32Array(outer * made * inner);
  const sums = new Float64Array(inner);
  for (let o = 0, to = 0; o < outer; o += 1) {
    for (let i = 0; i < made; i += 1, to += inner) {
      sums.fill(0);
      for (let t = i * many; t < (i + 1) * many; t += 1) {
        const weight = /** @type {number} */ (weights[t]);
        if (weight === 0) continue;
        const from = (o * old + /** @type {number} */ (places[t])) * inner;
        for (let n = 0; n < inner; n += 1) {
          const more = weight * /** @type {number} */ (given[from + n]);
          sums[n] = /** @type {number} */ (sums[n]) + more;
        }
      }
      data.set(sums, to);
    }
  }
  const shape = axis === 0 ? [made, width, depth] : [height, made, depth];
  return tensor("float32", shape, data);
}
