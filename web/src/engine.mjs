/**
 * The page's side of a worker: a queue of questions to the models that share it.
 *
 * One question is in the worker at a time; the others wait here, and so are easily dropped. wasm
 * cannot be interrupted: a question that is running is cancelled by ending the worker. The next
 * question starts another and opens its model again, from the browser's cache. A worker that dies by
 * itself takes everything with it: whoever waits is told, and the next load() makes a new engine.
 *
 * @typedef {import("./records.js").Answer} Answer
 * @typedef {import("./records.js").Question} Question
 * @typedef {{message: Question, moved: Transferable[]}} Made
 * @typedef {{key: string, made: () => Promise<Made>, users: number}} Guest a model in this engine;
 *   `made` fetches what it takes to open it
 * @typedef {{guest: Guest, made: Made | null, opening?: Made, signal: AbortSignal | undefined,
 *   resolve: (value: any) => void, reject: (reason: unknown) => void}} Task `made` null: only open it
 */

const AGAIN = "load the model again; if it happens again, give it smaller inputs or fewer threads";
const START =
  "it could not be started: the host must send worker.mjs as JavaScript, with the same " +
  "Cross-Origin-Embedder-Policy as the page, and the page's Content-Security-Policy must have worker-src for it";

/** A worker and those who wait for it. */
export class Engine {
  /** @type {Map<string, Guest>} */ guests = new Map();
  /** @type {Error | undefined} */ dead;
  #url;
  #start;
  #gone;
  /** @type {Worker | undefined} */ #worker;
  /** Models that are open in the worker as it is now. @type {Set<string>} */ #open = new Set();
  #started = false;
  #answers = 0;
  /** @type {Task[]} */ #queue = [];
  /** @type {Task | undefined} */ #task;
  /** @type {{number: number, resolve: (value: any) => void, reject: (reason: unknown) => void} | undefined} */
  #posted;
  #number = 0;

  /**
   * @param {URL} url of the worker
   * @param {() => Promise<Made>} start fetches what it takes to start the runtime
   * @param {() => void} gone is called when nobody may use this engine any more
   */
  constructor(url, start, gone) {
    this.#url = url;
    this.#start = start;
    this.#gone = gone;
  }

  /**
   * A model that will be asked here, once more for each user.
   *
   * @param {string} key
   * @param {() => Promise<Made>} made
   */
  welcome(key, made) {
    const guest = this.guests.get(key) ?? { key, made, users: 0 };
    guest.users += 1;
    this.guests.set(key, guest);
    return guest;
  }

  /**
   * Its user needs it no more. The last model's last user ends the worker.
   *
   * @param {Guest} guest
   */
  leave(guest) {
    guest.users -= 1;
    if (guest.users > 0 || this.guests.get(guest.key) !== guest) return;
    this.guests.delete(guest.key);
    if (this.guests.size === 0) return this.#end(new Error("the model was closed"));
    if (this.#open.has(guest.key)) this.#close(guest);
  }

  /** @param {Guest} guest */
  #close(guest) {
    const closing = { message: { close: { model: guest.key } }, moved: [] };
    this.ask(guest, closing).catch(() => undefined);
  }

  /**
   * Asks the worker about a model, which is opened first where it is not.
   *
   * @param {Guest} guest
   * @param {Made | null} made the question; null: only open the model
   * @param {{signal?: AbortSignal | undefined, opening?: Made}} [options] `opening`: as `guest.made` gives it
   * @returns {Promise<any>}
   */
  ask(guest, made, { signal, opening } = {}) {
    if (this.dead) return Promise.reject(this.dead);
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      /** @type {Task} */
      const task = { guest, made, signal, resolve: settled(resolve), reject: settled(reject) };
      if (opening) task.opening = opening;
      const abort = () => this.#cancel(task);
      signal?.addEventListener("abort", abort);
      this.#queue.push(task);
      void this.#next();

      /** @param {(value: any) => void} end */
      function settled(end) {
        return (/** @type {unknown} */ value) => {
          signal?.removeEventListener("abort", abort);
          end(value);
        };
      }
    });
  }

  async #next() {
    const task = this.#task ? undefined : this.#queue.shift();
    if (task === undefined) return;
    this.#task = task;
    try {
      task.resolve(await this.#done(task));
    } catch (error) {
      task.reject(error);
    }
    // A task that was cancelled has made room already.
    if (this.#task === task) this.#task = undefined;
    void this.#next();
  }

  /** @param {Task} task */
  async #done(task) {
    const { guest, made } = task;
    if (made && "close" in made.message) {
      // Somebody may have come back for it while this waited.
      if (this.guests.has(guest.key) || !this.#open.delete(guest.key)) return null;
    } else if (!this.#open.has(guest.key)) await this.#opened(task);
    return made && this.#post(task, made);
  }

  /** @param {Task} task */
  async #opened(task) {
    try {
      if (!this.#started) {
        await this.#post(task, await this.#start());
        this.#started = true;
      }
      await this.#post(task, task.opening ?? (await task.guest.made()));
      this.#open.add(task.guest.key);
      // Its last user went while it was being opened.
      if (!this.guests.has(task.guest.key)) this.#close(task.guest);
    } catch (error) {
      // A runtime whose start failed does not start again in the same worker.
      if (this.#task === task && this.#open.size === 0) this.#stop();
      throw error;
    }
  }

  /**
   * @param {Task} task
   * @param {Made} made
   * @returns {Promise<any>}
   */
  #post(task, { message, moved }) {
    if (this.#task !== task) return Promise.reject(task.signal?.reason ?? this.dead);
    const worker = (this.#worker ??= this.#made());
    const number = ++this.#number;
    return new Promise((resolve, reject) => {
      this.#posted = { number, resolve, reject };
      worker.postMessage({ number, ...message }, moved);
    });
  }

  #made() {
    this.#answers = 0;
    const worker = new Worker(this.#url, { type: "module", name: "deploy-target" });
    worker.onmessage = ({ data }) => this.#answered(data);
    worker.onmessageerror = () => this.#died("its answer could not be read");
    worker.onerror = (event) => {
      event.preventDefault();
      this.#died(event.message || (this.#answers ? "it crashed" : START));
    };
    return worker;
  }

  /** @param {Answer} answer */
  #answered({ number, value, error }) {
    this.#answers += 1;
    const posted = this.#posted;
    if (posted?.number !== number) return;
    if (error?.fatal) return this.#died(error.message);
    this.#posted = undefined;
    if (error) posted.reject(asError(error));
    else posted.resolve(value);
  }

  /** @param {Task} task */
  #cancel(task) {
    const reason = task.signal?.reason;
    if (this.#task !== task) {
      this.#queue = this.#queue.filter((other) => other !== task);
      return task.reject(reason);
    }
    const wasOpen = this.#open.has(task.guest.key);
    this.#task = undefined;
    this.#stop();
    task.reject(reason);
    // Ready again before it is asked again; whatever fails here fails there, too, and is told.
    if (wasOpen && this.guests.has(task.guest.key)) this.ask(task.guest, null).catch(() => undefined);
    void this.#next();
  }

  /** Ends the worker; another can be started. */
  #stop() {
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#posted = undefined;
    this.#started = false;
    this.#open.clear();
  }

  /** @param {string} why */
  #died(why) {
    this.#end(new Error(`the model's worker ended: ${why}. What to do: ${AGAIN}`));
  }

  /** @param {Error} error */
  #end(error) {
    if (this.dead) return;
    this.dead = error;
    const waiting = [...(this.#task ? [this.#task] : []), ...this.#queue];
    this.#task = undefined;
    this.#queue = [];
    this.#stop();
    this.#gone();
    for (const { reject } of waiting) reject(error);
  }
}

/** @param {NonNullable<Answer["error"]>} said */
function asError({ name, message, status }) {
  const error = new (name === "TypeError" ? TypeError : Error)(message);
  if (name === "Refused") error.name = name;
  return status === undefined ? error : Object.assign(error, { status });
}

/**
 * The engines of a page: one per runtime and way to run it, whatever bundle it came with.
 *
 * @returns {Map<string, Engine>}
 */
export function engines() {
  const key = Symbol.for("deploy-target.engines");
  const page = /** @type {Record<symbol, Map<string, Engine>>} */ (/** @type {unknown} */ (globalThis));
  return (page[key] ??= new Map());
}
