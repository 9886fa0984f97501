/**
 * Bars: of the best classes, and of a vector's numbers.
 */

import { draw, make, styled } from "./dom.mjs";
import { largest, percent, plain } from "./figures.mjs";

/** A vector longer than this is no chart that a person can read. */
const MOST_BARS = 96;

/**
 * The best few with their labels, as bars.
 *
 * @param {{label?: string, index: number, score: number | string}[]} found
 * @param {boolean} shares whether scores go from 0 to 1
 * @param {number} [most]
 */
export function ranking(found, shares, most = 5) {
  const scores = found.map((one) => Number(one.score));
  const whole = shares ? 1 : Math.max(...scores.map(Math.abs).filter(Number.isFinite), 1e-30);
  const best = largest(scores, most).flatMap((at) => found[at] ?? []);
  return make(
    "ol",
    { class: "ranking" },
    ...best.map((one) => {
      const score = Number(one.score);
      const width = Math.max(0, Math.min(1, score / whole)) || 0;
      const fill = styled(make("span", { class: "fill" }), { width: `${width * 100}%` });
      return make(
        "li",
        {},
        make("span", { class: "label" }, one.label ?? `class ${one.index}`),
        make("span", { class: "score" }, shares ? percent(score) : plain(score)),
        make("span", { class: "bar", "aria-hidden": "true" }, fill),
      );
    }),
  );
}

/**
 * A vector as a small chart around zero; nothing where it is too long, or has no finite number.
 *
 * @param {readonly number[]} values
 * @param {string} said for whom cannot see it
 */
export function vector(values, said) {
  const finite = values.filter(Number.isFinite);
  if (values.length < 2 || values.length > MOST_BARS || finite.length === 0) return null;
  const [low, high] = [Math.min(0, ...finite), Math.max(0, ...finite)];
  const span = high - low || 1;
  const bars = values.map((value, at) => {
    if (!Number.isFinite(value)) return null;
    const size = (Math.abs(value) / span) * 60;
    const top = ((high - Math.max(0, value)) / span) * 60;
    return draw("rect", { class: "value", x: at * 10 + 1, y: top, width: 8, height: Math.max(size, 0.5) });
  });
  const zero = (high / span) * 60;
  return draw(
    "svg",
    { class: "chart", viewBox: `0 0 ${values.length * 10} 60`, preserveAspectRatio: "none", role: "img", "aria-label": said },
    ...bars,
    draw("line", { class: "axis", x1: 0, x2: values.length * 10, y1: zero, y2: zero }),
  );
}
