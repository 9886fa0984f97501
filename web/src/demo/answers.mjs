/**
 * An answer in words, shown: classes as bars, boxes and masks over the photo, text, rows of a table.
 *
 * In: what `predict` says, and what the steps say it means. Out: an element, and the answer in one
 * line. To add a kind: a function here and its line in SHOWN.
 *
 * @typedef {import("./about.mjs").About} About
 * @typedef {import("./photos.mjs").Photo} Photo
 * @typedef {{element: HTMLElement, short: string}} Shown
 * @typedef {{options: Record<string, any>, colours: number[][] | null, over: boolean, photo: Photo | null,
 *   shades: Map<string, string>}} Around `shades`: label -> its colour in a mask of the same answer
 */

import { seesPhotosAsTheyAre } from "./about.mjs";
import { make, styled } from "./dom.mjs";
import { ranking, vector } from "./bars.mjs";
import { counted, percent, plain } from "./figures.mjs";
import { colour, maskOf } from "./photos.mjs";

/** So many rows of a table, or boxes, are listed. */
const MOST = 30;

/**
 * @param {Record<string, any>} words
 * @param {About} about
 * @param {Photo | null} photo
 * @param {string} named what was asked, for whom cannot see it
 * @returns {Promise<Shown>}
 */
export async function shown(words, about, photo, named) {
  const host = about.steps?.host ?? [];
  const shades = shadesOf(host);
  /** @type {Shown[]} */
  const parts = [];
  for (const [output, said] of Object.entries(words)) {
    const options = host.find((step) => step.op === "label" && step.of === output)?.options;
    const colours = host.find((step) => step.op === "palette" && step.of === output)?.options.colours ?? null;
    const over = host.some((step) => step.of === output && MOVED.includes(step.op) && step.options.input);
    const show = options === undefined ? numbers : (SHOWN[options.says] ?? numbers);
    const one = await show(said, { options: options ?? {}, colours, over: Boolean(over) || seesPhotosAsTheyAre(about), photo, shades });
    const title = Object.keys(words).length > 1 && make("h4", {}, output);
    parts.push({ element: make("section", { class: "output" }, title, one.element), short: one.short });
  }
  const short = parts.map((one) => one.short).filter(Boolean).join("; ");
  const frame = photo?.shown(`${named}: ${short}`);
  if (photo?.mask) frame?.append(slider(photo));
  return { element: make("div", { class: "answer" }, frame, make("div", {}, ...parts.map((one) => one.element))), short };
}

/** @param {import("../records.js").Step[]} host */
function shadesOf(host) {
  const palettes = host.filter((step) => step.op === "palette");
  return new Map(palettes.flatMap(({ of, options }) => {
    const label = host.find((step) => step.op === "label" && step.of === of);
    const names = /** @type {string[]} */ (label?.options.labels ?? []);
    return names.map((name, at) => /** @type {const} */ ([name, shade(options.colours[at])]));
  }));
}

/** @param {number[] | undefined} levels */
function shade([red = 0, green = 0, blue = 0] = []) {
  return `rgb(${red} ${green} ${blue})`;
}

/** The steps that bring an answer back to the photo. */
const MOVED = ["unframe", "resize_mask"];

/** @type {Record<string, (said: any, around: Around) => Shown | Promise<Shown>>} */
const SHOWN = { classes, boxes, mask: masks, text };

/**
 * @param {any} said one list, or one for each row
 * @param {Around} around
 * @returns {Shown}
 */
function classes(said, around) {
  const several = Array.isArray(said[0]);
  /** @type {{label?: string, index: number, score: number | string}[][]} */
  const rows = several ? said : [said];
  const all = rows.flat().map((one) => Number(one.score));
  const shares = all.every((score) => !(score < 0 || score > 1));
  if (rows.length === 1) {
    const found = rows[0] ?? [];
    if (found.length === 0) return { element: make("p", {}, "No class is above its limit."), short: "no class" };
    const more = found.length > 5 && make("p", { class: "quiet" }, `the best 5 of ${found.length}`);
    return { element: make("div", {}, ranking(found, shares), more), short: best(found, shares) };
  }
  const lines = rows.slice(0, MOST).map((row, at) =>
    make("tr", {}, make("th", { scope: "row" }, `row ${at + 1}`), make("td", {}, ranking(row, shares, 3))),
  );
  return { element: listed(["", "classes"], lines, rows.length), short: counted(rows.length, "row") };
}

/**
 * @param {{label?: string, index: number, score: number | string}[]} found
 * @param {boolean} shares
 */
function best(found, shares) {
  const top = found.reduce((one, other) => (Number(other.score) > Number(one.score) ? other : one));
  const score = Number(top.score);
  return `${top.label ?? `class ${top.index}`} ${shares ? percent(score) : plain(score)}`;
}

/**
 * @param {import("./photos.mjs").Box[]} found
 * @param {Around} around
 * @returns {Shown}
 */
function boxes(found, { over, photo, shades }) {
  const said = found.map((one) => ({ ...one, shade: shades.get(one.label ?? "") }));
  if (photo !== null && over) photo.boxes = said;
  if (said.length === 0) return { element: make("p", {}, "Nothing was found."), short: "nothing found" };
  const lines = said.slice(0, MOST).map((one) =>
    make(
      "tr",
      {},
      make("th", { scope: "row" }, swatch(one.shade ?? colour(one.class)), one.label ?? `class ${one.class}`),
      make("td", { class: "number" }, plain(Number(Number(one.score).toFixed(3)))),
      make("td", { class: "number" }, one.box.map((side) => Number(side).toFixed(0)).join(", ")),
    ),
  );
  const note = over ? null : make("p", { class: "quiet" }, "These boxes lie on what the model saw, and not on the photo.");
  const table = listed(["found", "score", "x1, y1, x2, y2"], lines, said.length);
  return { element: make("div", {}, note, table), short: `${counted(said.length, "box", "boxes")}` };
}

/**
 * @param {import("./photos.mjs").Mask | import("./photos.mjs").Mask[]} said
 * @param {Around} around
 * @returns {Promise<Shown>}
 */
async function masks(said, { colours, over, photo }) {
  const mask = Array.isArray(said) ? said[0] : said;
  if (mask === undefined) return { element: make("p", {}, "No mask."), short: "no mask" };
  const picture = await maskOf(mask);
  const fits = photo !== null && over && photo.height === mask.size[0] && photo.width === mask.size[1];
  if (fits) photo.mask = picture;
  const legend = make(
    "ul",
    { class: "legend" },
    ...mask.classes.slice(0, MOST).map((one) => {
      const name = one.label ?? `class ${one.index}`;
      return make("li", {}, swatch(shade(colours?.[one.index])), name, make("span", { class: "score" }, percent(one.share)));
    }),
  );
  picture.classList.add("photo");
  const element = make("div", {}, !fits && make("div", { class: "frame" }, picture), legend);
  const first = mask.classes[0];
  return { element, short: first ? `mostly ${first.label ?? `class ${first.index}`}` : "" };
}

/** @param {Photo} photo */
function slider(photo) {
  const input = make("input", {
    type: "range", min: 0, max: 100, value: photo.cover * 100,
    input: (/** @type {Event} */ event) => {
      photo.cover = Number(/** @type {HTMLInputElement} */ (event.target).value) / 100;
      photo.draw();
    },
  });
  return make("label", { class: "slider" }, "mask over the photo", input);
}

/**
 * @param {{text?: string, ids: number[]}} said
 * @returns {Shown}
 */
function text(said) {
  if (said.text === undefined) {
    return { element: make("p", { class: "spelt" }, said.ids.join(" ")), short: `tokens ${said.ids.slice(0, 8).join(" ")}` };
  }
  const ids = make("p", { class: "quiet" }, `tokens ${said.ids.slice(0, 200).join(" ") || "none"}`);
  const spelt = said.text === "" ? make("p", { class: "spelt quiet" }, "(no text)") : make("p", { class: "spelt" }, said.text);
  return { element: make("div", {}, spelt, ids), short: said.text === "" ? "no text" : `“${said.text}”` };
}

/**
 * Numbers of which nothing is said: a line for each row.
 *
 * @param {any} said
 * @returns {Shown}
 */
function numbers(said) {
  if (!Array.isArray(said)) return { element: make("p", { class: "spelt" }, plain(said)), short: plain(said) };
  const deep = Array.isArray(said[0]);
  if (!deep) {
    const values = said.map(Number);
    const chart = vector(values, `${values.length} values`);
    const first = said.slice(0, 12).map(plain).join(", ") + (said.length > 12 ? ", …" : "");
    return { element: make("div", {}, chart, make("p", { class: "values" }, first)), short: first };
  }
  const lines = said.slice(0, MOST).map((row, at) => {
    const flat = row.flat(9);
    const first = flat.slice(0, 8).map(plain).join(", ") + (flat.length > 8 ? ", …" : "");
    return make("tr", {}, make("th", { scope: "row" }, String(at + 1)), make("td", { class: "values" }, first));
  });
  return { element: listed(["row", "values"], lines, said.length), short: counted(said.length, "row") };
}

/**
 * @param {string[]} heads
 * @param {HTMLElement[]} lines
 * @param {number} all
 */
function listed(heads, lines, all) {
  const head = make("tr", {}, ...heads.map((one) => make("th", { scope: "col" }, one)));
  const more = all > lines.length && make("p", { class: "quiet" }, `and ${all - lines.length} more`);
  return make("div", { class: "wide" }, make("table", {}, make("thead", {}, head), make("tbody", {}, ...lines)), more);
}

/** @param {string} shade */
function swatch(shade) {
  return styled(make("span", { class: "swatch", "aria-hidden": "true" }), { "background-color": shade });
}
