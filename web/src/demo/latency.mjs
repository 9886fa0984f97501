/**
 * How long the last answers took: a chart, and the median, which one slow run does not move.
 */

import { draw, fill, make } from "./dom.mjs";
import { counted, median, time } from "./figures.mjs";

/** How many runs are shown. */
const MOST = 40;
const [WIDE, HIGH] = [400, 80];
/** A bar that is so many medians high is cut, or the others could not be told apart. */
const CUT = 3;

/** The chart, to be put into the page once. */
export class Latency {
  /** @type {number[]} */ #seconds = [];
  #chart = make("div", { class: "times" });
  #said = make("p", { class: "quiet" }, "No run yet.");

  /** What is put into the page. */
  get element() {
    return make("div", {}, this.#chart, this.#said);
  }

  /** @param {number} seconds of one more run */
  add(seconds) {
    this.#seconds = [...this.#seconds, seconds].slice(-MOST);
    const middle = median(this.#seconds);
    const most = Math.max(...this.#seconds);
    const top = Math.min(most, middle * CUT) || 1;
    const cut = most > top && `The chart is cut at ${time(top)}; the slowest took ${time(most)}.`;
    const text = `of ${counted(this.#seconds.length, "run")}, the last ${time(seconds)}.`;
    const told = `Median ${time(middle)} ${text}`;
    fill(this.#chart, scaled(chart(this.#seconds, middle, top, told), top));
    const key = make("span", { class: "key", "aria-hidden": "true" });
    const middling = make("strong", {}, `Median ${time(middle)}`);
    fill(this.#said, key, middling, ` ${text} `, cut, " From the question to its answer, in this browser.");
  }
}

/**
 * The chart with what its height stands for.
 *
 * @param {Element} drawn
 * @param {number} top in seconds
 */
function scaled(drawn, top) {
  const scale = make("div", { class: "scale", "aria-hidden": "true" }, make("span", {}, time(top)), make("span", {}, "0"));
  return make("div", { class: "charted" }, scale, drawn);
}

/**
 * @param {readonly number[]} seconds
 * @param {number} middle
 * @param {number} top what the whole height stands for
 * @param {string} text
 */
function chart(seconds, middle, top, text) {
  const step = WIDE / Math.max(seconds.length, 12);
  const bars = seconds.map((one, at) => {
    const high = Math.max(1, Math.min(1, one / top) * HIGH);
    const about = { class: one > top ? "value cut" : "value", x: at * step + 1, y: HIGH - high, width: step - 2, height: high };
    return draw("rect", about, draw("title", {}, time(one)));
  });
  const y = HIGH - (middle / top) * HIGH;
  return draw(
    "svg",
    { class: "chart", viewBox: `0 0 ${WIDE} ${HIGH}`, preserveAspectRatio: "none", role: "img", "aria-label": text },
    ...bars,
    draw("line", { class: "median", x1: 0, x2: WIDE, y1: y, y2: y }),
    draw("line", { class: "axis", x1: 0, x2: WIDE, y1: HIGH, y2: HIGH }),
  );
}
