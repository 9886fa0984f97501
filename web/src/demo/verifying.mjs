/**
 * "Verify": every case that lies in the bundle, asked on the spot, in this visitor's browser.
 *
 * @typedef {import("../model.mjs").Model} Model
 * @typedef {import("./about.mjs").About} About
 * @typedef {import("./judging.mjs").Kept} Kept
 * @typedef {import("./judging.mjs").Line} Line
 */

import { fill, make } from "./dom.mjs";
import { counted, error } from "./figures.mjs";
import { judgeable, judged } from "./judging.mjs";
import { inWords } from "./problems.mjs";

/** What `golden` of the build means for whoever presses the button. */
const LIES = /** @type {Record<string, string>} */ ({
  synthetic: "The cases here are made up. Where the builder had samples of their own, those were judged at build and did not travel.",
  samples: "The cases here are those that the bundle was judged by when it was built.",
  none: "This bundle was built with golden = \"none\": no case lies in it. It was judged when it was built; parity.json says how.",
});

/**
 * The section with the button.
 *
 * @param {Promise<Model>} model
 */
export function verifying(model) {
  const state = make("p", { class: "state", role: "status" });
  const body = make("tbody", {});
  const heads = ["case", "output", "relative error", "bound", "verdict"];
  const head = make("tr", {}, ...heads.map((name) => make("th", { scope: "col" }, name)));
  const table = make("table", { class: "checks" }, make("caption", { class: "unseen" }, "cases and verdicts"), make("thead", {}, head), body);
  const list = make("div", { class: "scrolled", hidden: true, tabindex: "0", role: "region", "aria-label": "cases and verdicts" }, table);
  const said = make("div", {});
  /** @type {AbortController | null} */
  let running = null;
  const cancel = make("button", { type: "button", hidden: true, click: () => running?.abort() }, "Cancel");
  const verify = make("button", { type: "button", class: "main", click: async () => {
    const control = new AbortController();
    running = control;
    // A button that is disabled loses the focus, and whoever walks by keyboard their place.
    const focused = document.activeElement === verify;
    cancel.hidden = false;
    if (focused) cancel.focus();
    verify.disabled = true;
    fill(said);
    fill(body);
    try {
      fill(said, await all(model, control.signal, { state, body, list }));
    } catch (problem) {
      const cancelled = control.signal.aborted;
      fill(said, make("p", { class: cancelled ? "verdict" : "problem", role: "alert" }, cancelled ? "Cancelled: there is no verdict." : inWords(problem)));
    }
    fill(state);
    verify.disabled = false;
    if (document.activeElement === cancel) verify.focus();
    cancel.hidden = true;
  } }, "Verify");
  const intro = "Questions with the original model's answers lie in this bundle. The button asks them here, on this machine, and compares, by the bounds that the build was judged by. An error of 0 is the very same answer.";
  return make("div", {}, make("p", { class: "quiet" }, intro), make("div", { class: "row" }, verify, cancel, state), said, list);
}

/**
 * Every case, and what is to be said at the end.
 *
 * @param {Promise<Model>} loading
 * @param {AbortSignal} signal
 * @param {{state: HTMLElement, body: HTMLElement, list: HTMLElement}} page
 */
async function all(loading, signal, { state, body, list }) {
  fill(state, "Fetching the cases …");
  const [model, bundle] = await Promise.all([loading, judgeable(signal)]);
  const lies = LIES[String(bundle.manifest.options?.golden)] ?? "";
  list.hidden = bundle.cases.length === 0;
  const verdicts = { right: 0, wrong: 0 };
  for (const [at, one] of bundle.cases.entries()) {
    fill(state, `Case ${at + 1} of ${bundle.cases.length} …`);
    const name = bundle.manifest.entries.length > 1 ? `${one.call}, ${one.entry}` : one.call;
    const lines = await asked(bundle, model, one, signal);
    verdicts[lines.every((line) => line.reason === "") ? "right" : "wrong"] += 1;
    body.append(...lines.map((line) => row(name, line)));
  }
  return overall(verdicts, lies);
}

/**
 * A case that the model refuses is wrong, and not the end of the others.
 *
 * @param {Kept} bundle
 * @param {Model} model
 * @param {import("../golden.mjs").Case} one
 * @param {AbortSignal} signal
 * @returns {Promise<Line[]>}
 */
async function asked(bundle, model, one, signal) {
  signal.throwIfAborted();
  try {
    return await judged(bundle, model, one, signal);
  } catch (problem) {
    signal.throwIfAborted();
    return [{ output: "", relative: NaN, bound: NaN, reason: inWords(problem) }];
  }
}

/**
 * @param {{right: number, wrong: number}} verdicts
 * @param {string} lies
 */
function overall({ right, wrong }, lies) {
  const note = make("p", { class: "quiet" }, lies);
  if (right + wrong === 0) {
    return make("div", { role: "status" }, make("p", { class: "verdict" }, "Nothing was verified: no case lies in this bundle."), note);
  }
  const text = wrong === 0
    ? `Yes: ${right === 1 ? "the one case is" : `all ${right} cases are`} within the bounds.`
    : `No: of ${counted(right + wrong, "case")}, ${wrong} ${wrong === 1 ? "is" : "are"} beyond the bounds.`;
  return make("div", { role: "status" }, make("p", { class: `verdict ${wrong === 0 ? "pass" : "fail"}` }, text), note);
}

/**
 * @param {string} name
 * @param {Line} line
 */
function row(name, line) {
  const right = line.reason === "";
  return make(
    "tr",
    {},
    make("th", { scope: "row" }, name),
    make("td", {}, line.output),
    make("td", { class: "number", "data-label": "error" }, error(line.relative)),
    make("td", { class: "number", "data-label": "bound" }, error(line.bound)),
    make("td", { class: right ? "pass" : "fail" }, right ? "pass" : `fail: ${line.reason}`),
  );
}
