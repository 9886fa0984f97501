/**
 * Where questions are asked, one after another, and answers lie.
 *
 * Several files that are dropped at once wait for each other, and for the model where it is still
 * coming. What goes wrong is said here in words; the next question is asked all the same.
 *
 * @typedef {import("../model.mjs").Model} Model
 * @typedef {import("./answers.mjs").Shown} Shown
 * @typedef {{named: string, ask: (model: Model, signal: AbortSignal) => Promise<any>,
 *   show: (answer: any) => Promise<Shown> | Shown}} Question
 */

import { fill, make } from "./dom.mjs";
import { counted, time } from "./figures.mjs";
import { Latency } from "./latency.mjs";
import { inWords } from "./problems.mjs";

/** So many answers are kept to be looked at again. */
const KEPT = 24;
/** How often the last question is asked for the chart. */
const AGAIN = 10;

export class Desk {
  /** @type {Promise<Model>} */ #model;
  /** @type {Question[]} */ #waiting = [];
  /** @type {Question | null} */ #last = null;
  /** @type {AbortController | null} */ #running = null;
  /** @type {{named: string, short: string, seconds: number, element: HTMLElement}[]} */ #answers = [];
  #latency = new Latency();
  #state = make("p", { class: "state", role: "status" }, "No question yet.");
  #problems = make("div", { role: "alert" });
  #answer = make("div", {});
  #earlier = make("div", {});
  #cancel = make("button", { type: "button", hidden: true, click: () => this.cancel() }, "Cancel");
  #again = make(
    "button",
    { type: "button", hidden: true, click: () => this.#measure() },
    `Ask ${AGAIN} times more`,
  );

  /** @param {Promise<Model>} model */
  constructor(model) {
    this.#model = model;
  }

  /** The answers, to be put into the page once. */
  get answers() {
    const bar = make("div", { class: "row" }, this.#state, this.#cancel);
    return make("div", {}, bar, this.#problems, this.#answer, this.#earlier);
  }

  /** The chart, likewise. */
  get times() {
    return make("div", {}, this.#latency.element, this.#again);
  }

  /** @param {Question} question */
  ask(question) {
    this.#waiting.push(question);
    if (this.#running === null) void this.#work();
  }

  /** Ends what runs, and drops what waits. */
  cancel() {
    this.#waiting = [];
    this.#running?.abort();
  }

  async #work() {
    const control = new AbortController();
    this.#running = control;
    this.#cancel.hidden = false;
    fill(this.#problems);
    let done = 0;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const left = this.#waiting.length;
      fill(this.#state, `Asking: ${next.named}${left ? `, ${left} waiting` : ""} …`);
      done += Number(await this.#one(next, control.signal));
      if (control.signal.aborted) break;
    }
    this.#running = null;
    this.#cancel.hidden = true;
    this.#again.hidden = this.#last === null;
    fill(this.#state, control.signal.aborted ? "Cancelled." : this.#said(done));
    if (this.#waiting.length > 0) void this.#work();
  }

  /** @param {number} done */
  #said(done) {
    const newest = this.#answers[0];
    if (done === 0 || newest === undefined) return "No answer.";
    const of = done > 1 ? `${counted(done, "answer")}. ` : "";
    return `${of}${newest.named}: ${newest.short}, in ${time(newest.seconds)}.`;
  }

  /**
   * @param {Question} question
   * @param {AbortSignal} signal
   */
  async #one(question, signal) {
    try {
      const model = await this.#model;
      const began = performance.now();
      const answer = await question.ask(model, signal);
      const seconds = (performance.now() - began) / 1000;
      this.#latency.add(seconds);
      const { element, short } = await question.show(answer);
      this.#last = question;
      this.#answers = [{ named: question.named, short, seconds, element }, ...this.#answers].slice(0, KEPT);
      this.#look(0);
      return true;
    } catch (error) {
      if (!signal.aborted) this.#failed(question.named, error);
      return false;
    }
  }

  /** @param {number} at which answer is looked at */
  #look(at) {
    const looked = this.#answers[at];
    if (looked === undefined) return;
    const head = make("p", { class: "asked" }, make("strong", {}, looked.named), ` in ${time(looked.seconds)}`);
    fill(this.#answer, head, looked.element);
    if (this.#answers.length < 2) return;
    const lines = this.#answers.map((one, index) =>
      make(
        "li",
        {},
        make(
          "button",
          { type: "button", "aria-pressed": String(index === at), click: () => this.#look(index) },
          make("span", { class: "label" }, one.named),
          make("span", { class: "said" }, one.short),
          make("span", { class: "score" }, time(one.seconds)),
        ),
      ),
    );
    fill(this.#earlier, make("h4", {}, "Answers so far"), make("ul", { class: "earlier" }, ...lines));
  }

  /**
   * @param {string} named
   * @param {unknown} error
   */
  #failed(named, error) {
    this.#problems.append(make("p", { class: "problem" }, make("strong", {}, named), `: ${inWords(error)}`));
  }

  /** The last question again, for the chart alone. */
  async #measure() {
    const question = this.#last;
    if (question === null || this.#running !== null) return;
    const control = new AbortController();
    this.#running = control;
    this.#cancel.hidden = false;
    try {
      const model = await this.#model;
      for (let run = 0; run < AGAIN && !control.signal.aborted; run += 1) {
        fill(this.#state, `Asking ${question.named} again: ${run + 1} of ${AGAIN} …`);
        const began = performance.now();
        await question.ask(model, control.signal);
        this.#latency.add((performance.now() - began) / 1000);
      }
      fill(this.#state, `Asked ${question.named} ${AGAIN} times more.`);
    } catch (error) {
      fill(this.#state, control.signal.aborted ? "Cancelled." : "No answer.");
      if (!control.signal.aborted) this.#failed(question.named, error);
    }
    this.#running = null;
    this.#cancel.hidden = true;
    if (this.#waiting.length > 0) void this.#work();
  }
}
