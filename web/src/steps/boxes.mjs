/**
 * Boxes: from all that a detector proposes to the few that are meant, on the photo as it was sent.
 *
 * A box counts where its score is above the limit and all its corners are finite. One class at a
 * time, the best box is taken and those that overlap it by more than `iou` are left out. Everything
 * is float32 in the order of the reference, down to the same bits.
 *
 * @typedef {import("./arrays.mjs").Tensor} Tensor
 * @typedef {import("./arrays.mjs").Tensors} Tensors
 * @typedef {import("./arrays.mjs").Frame} Frame
 * @typedef {{scores: string | null, layout: string, scores_layout: string, format: string,
 *   unit: string, size: [number, number] | null, background: number | null, best: boolean,
 *   iou: number, score: number, max: number}} Options
 * @typedef {{data: Float32Array, rows: number, width: number}} Rows
 */

import { floats, named, tensor } from "./arrays.mjs";
import { descending } from "./scores.mjs";

const { fround, min, max } = Math;

/**
 * `<of>` becomes float32 [found, 6]: x1, y1, x2, y2, score, class; best first, at most `max`.
 *
 * Of equal scores the lower class is first, then the lower index of the proposal. `layout` "rows"
 * is [1, proposals, 4], "columns" [1, 4, proposals]; without `scores` they follow the four.
 *
 * @param {Tensors} tensors
 * @param {string} of
 * @param {Frame} _frame
 * @param {Options} options
 */
export function detections(tensors, of, _frame, options) {
  const boxes = rowsOf(named(tensors, of), options.layout);
  const { scores } = options;
  const marks =
    scores === null
      ? columns(boxes, 4, boxes.width)
      : rowsOf(named(tensors, scores), options.scores_layout);
  delete tensors[of];
  if (scores !== null) delete tensors[scores];
  const corners = cornersOf(boxes, options);
  weigh(marks, corners, options);
  /** @type {number[][]} */
  const found = [];
  for (let kind = 0; kind < marks.width; kind++) {
    for (const i of withoutOverlaps(corners, marks, kind, options)) {
      const box = corners.subarray(4 * i, 4 * i + 4);
      found.push([...box, marks.data[i * marks.width + kind] ?? NaN, kind]);
    }
  }
  const order = descending(found.map((row) => row[4] ?? NaN)).slice(0, options.max);
  const data = Float32Array.from(order.flatMap((i) => found[i] ?? []));
  tensors[of] = tensor("float32", [order.length, 6], data);
}

/**
 * Boxes in pixels of what the model saw -> in pixels of the photo, and within it.
 *
 * @param {Tensors} tensors
 * @param {string} of
 * @param {Frame} frame
 */
export function unframe(tensors, of, { size = [], to_model = [] }) {
  const [height = NaN, width = NaN] = size;
  const [sx = NaN, sy = NaN, ox = NaN, oy = NaN] = to_model;
  const given = named(tensors, of);
  const boxes = floats(given).slice();
  const on = (
    /** @type {number} */ at,
    /** @type {number[]} */ [offset = 0, scale = 1, edge = 0],
  ) => {
    boxes[at] = min(max(((boxes[at] ?? NaN) - offset) / scale, 0), edge);
  };
  for (let at = 0; at < boxes.length; at += given.shape[1] ?? 6) {
    for (const corner of [at, at + 2]) {
      on(corner, [ox, sx, width]);
      on(corner + 1, [oy, sy, height]);
    }
  }
  tensors[of] = tensor("float32", given.shape, boxes);
}

/**
 * [1, …] of one item -> a row for each proposal, in an array of its own.
 *
 * @param {Tensor} given
 * @param {string} layout
 * @returns {Rows}
 */
function rowsOf(given, layout) {
  const [items = 0, high = 0, wide = 0] = given.shape;
  if (items !== 1) throw new RangeError(`boxes are found for one item at a time, not for ${items}`);
  const data = floats(given);
  if (layout === "rows") return { data: data.slice(), rows: high, width: wide };
  const turned = new Float32Array(data.length);
  for (let i = 0; i < high; i++) {
    for (let j = 0; j < wide; j++) turned[j * high + i] = data[i * wide + j] ?? NaN;
  }
  return { data: turned, rows: wide, width: high };
}

/**
 * Some columns of rows, copied.
 *
 * @param {Rows} rows
 * @param {number} from
 * @param {number} to
 * @returns {Rows}
 */
function columns({ data, rows, width }, from, to) {
  const taken = new Float32Array(rows * (to - from));
  for (let i = 0; i < rows; i++) {
    taken.set(data.subarray(i * width + from, i * width + to), i * (to - from));
  }
  return { data: taken, rows, width: to - from };
}

/**
 * x1, y1, x2, y2 of each proposal.
 *
 * @param {Rows} boxes
 * @param {Options} options
 */
function cornersOf(boxes, { format, unit, size }) {
  const corners = columns(boxes, 0, 4).data;
  const [height, width] = unit === "relative" && size !== null ? size : [1, 1];
  for (let at = 0; at < corners.length; at += 2) {
    if (at % 4 === 2) continue;
    for (const [i, scale] of /** @type {const} */ ([
      [at, width],
      [at + 1, height],
    ])) {
      let first = corners[i] ?? NaN;
      let second = corners[i + 2] ?? NaN;
      if (format === "xywh") {
        second = fround(first + second);
      } else if (format === "cxcywh") {
        const half = fround(second * 0.5);
        [first, second] = [fround(first - half), fround(first + half)];
      }
      corners[i] = first * scale;
      corners[i + 2] = second * scale;
    }
  }
  return corners;
}

/**
 * Writes minus infinity over the scores of what can never be found.
 *
 * @param {Rows} marks
 * @param {Float32Array} corners
 * @param {Options} options
 */
function weigh({ data, rows, width }, corners, { background, best }) {
  for (let i = 0; i < rows; i++) {
    const row = data.subarray(i * width, (i + 1) * width);
    const sound = corners.subarray(4 * i, 4 * i + 4).every(Number.isFinite);
    row.forEach((mark, kind) => {
      if (!sound || mark !== mark || kind === background) row[kind] = -Infinity;
    });
    if (!best) continue;
    const top = row.reduce((place, mark, kind) => (mark > (row[place] ?? NaN) ? kind : place), 0);
    row.forEach((_, kind) => {
      if (kind !== top) row[kind] = -Infinity;
    });
  }
}

/**
 * Which proposals stay, best first. Equal to the limit is not above it, for both limits.
 *
 * @param {Float32Array} corners
 * @param {Rows} marks
 * @param {number} kind the class
 * @param {Options} options
 */
function withoutOverlaps(corners, { data, rows, width }, kind, { iou, score, max: most }) {
  const limit = fround(score);
  /** @type {number[]} */
  const above = [];
  for (let i = 0; i < rows; i++) {
    if ((data[i * width + kind] ?? NaN) > limit) above.push(i);
  }
  const order = descending(above.map((i) => data[i * width + kind] ?? NaN));
  let left = order.map((place) => above[place] ?? 0);
  /** @type {number[]} */
  const kept = [];
  while (left.length && kept.length < most) {
    const one = left[0] ?? 0;
    kept.push(one);
    left = left.filter(
      (other, i) => i > 0 && !(overlap(corners, 4 * one, 4 * other) > fround(iou)),
    );
  }
  return kept;
}

/**
 * Intersection over union; 0 where there is no area. Corners may come in either order.
 *
 * @param {Float32Array} corners
 * @param {number} one where it begins
 * @param {number} other
 */
function overlap(corners, one, other) {
  const x1 = corners[one] ?? 0;
  const y1 = corners[one + 1] ?? 0;
  const x2 = corners[one + 2] ?? 0;
  const y2 = corners[one + 3] ?? 0;
  const u1 = corners[other] ?? 0;
  const v1 = corners[other + 1] ?? 0;
  const u2 = corners[other + 2] ?? 0;
  const v2 = corners[other + 3] ?? 0;
  const wide = fround(min(max(x1, x2), max(u1, u2)) - max(min(x1, x2), min(u1, u2)));
  const high = fround(min(max(y1, y2), max(v1, v2)) - max(min(y1, y2), min(v1, v2)));
  const common = fround(wide * high);
  const area = areaOf(x1, y1, x2, y2);
  const another = areaOf(u1, v1, u2, v2);
  const union = fround(fround(area + another) - common);
  const meet = wide > 0 && high > 0 && common > 0 && area > 0 && another > 0 && union > 0;
  return meet ? fround(common / union) : 0;
}

/**
 * @param {number} x1
 * @param {number} y1
 * @param {number} x2
 * @param {number} y2
 */
function areaOf(x1, y1, x2, y2) {
  return fround(fround(max(x1, x2) - min(x1, x2)) * fround(max(y1, y2) - min(y1, y2)));
}
