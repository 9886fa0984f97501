/**
 * Loads that are shared: whoever wants the same bundle in the same way gets the same one.
 *
 * In: a bundle and the ways to run it. Out: what was loaded, and how to leave it. One download serves
 * all; it stops when the last who waits has gone.
 *
 * @typedef {import("./loading.mjs").Loaded} Loaded
 * @typedef {import("./loading.mjs").Ways} Ways
 * @typedef {import("./records.js").OnProgress} OnProgress
 * @typedef {{promise: Promise<Loaded>, ended: AbortController, users: number, listeners: Set<OnProgress>,
 *   loaded?: Loaded}} Share
 */

import { OtherCode, loaded } from "./loading.mjs";

/** @type {Map<string, Share>} */
const shares = new Map();

/**
 * One user more. Rejects with the signal's reason, or with what went wrong.
 *
 * @param {URL} base
 * @param {Ways} ways
 * @param {AbortSignal | undefined} signal
 * @param {OnProgress | undefined} onProgress
 * @returns {Promise<{loaded: Loaded, leave: () => void}>}
 */
export async function shared(base, ways, signal, onProgress) {
  const key = `${base.href} ${JSON.stringify(ways)}`;
  const share = living(key) ?? begun(key, base, ways);
  share.users += 1;
  if (onProgress) share.listeners.add(onProgress);
  const leave = () => left(key, share);
  try {
    return { loaded: await orAborted(share.promise, signal), leave };
  } catch (error) {
    leave();
    if (error instanceof OtherCode) return elsewhere(error, base, ways, signal, onProgress);
    throw error;
  } finally {
    if (onProgress) share.listeners.delete(onProgress);
  }
}

/**
 * The bundle's own version of these modules loads its model, and is asked as any page would ask it:
 * two versions know nothing of each other but what load() gives.
 *
 * @param {OtherCode} other
 * @param {URL} base
 * @param {Ways} ways
 * @param {AbortSignal | undefined} signal
 * @param {OnProgress | undefined} onProgress
 * @returns {Promise<{loaded: Loaded, leave: () => void}>}
 */
async function elsewhere(other, base, ways, signal, onProgress) {
  if (base.origin !== new URL(import.meta.url).origin) throw other;
  const { load } = /** @type {typeof import("./model.mjs")} */ (
    await import(other.url.href).catch((cause) => {
      throw new Error(other.message, { cause });
    })
  );
  const model = await load({ ...ways, base, ...(signal && { signal }), ...(onProgress && { onProgress }) });
  const engine = { ask: asking(model) };
  const loaded = { base, about: model.about, info: model.info(), engine, guest: { key: base.href } };
  return { loaded: /** @type {Loaded} */ (/** @type {unknown} */ (loaded)), leave: () => model.close() };
}

/** @param {import("./model.mjs").Model} model */
function asking(model) {
  /**
   * @param {unknown} _
   * @param {import("./engine.mjs").Made} made
   * @param {{signal?: AbortSignal}} options
   */
  return async (_, { message }, options) => {
    if ("run" in message) return model.run(message.run.feeds, { ...options, entry: message.run.entry });
    if (!("predict" in message)) throw new Error("a model is only asked to run or to predict");
    const { raw, words } = message.predict;
    return words ? model.predict(raw, options) : model.predictTensors(raw, options);
  };
}

/**
 * A share whose worker is not dead.
 *
 * @param {string} key
 */
function living(key) {
  const share = shares.get(key);
  return share?.loaded?.engine.dead ? undefined : share;
}

/**
 * @param {string} key
 * @param {URL} base
 * @param {Ways} ways
 * @returns {Share}
 */
function begun(key, base, ways) {
  const ended = new AbortController();
  /** @type {Set<OnProgress>} */
  const listeners = new Set();
  const promise = loaded(base, ways, ended.signal, (progress) => {
    for (const listener of listeners) listener(progress);
  });
  /** @type {Share} */
  const share = { promise, ended, users: 0, listeners };
  shares.set(key, share);
  promise.then(
    (loaded) => {
      share.loaded = loaded;
      // Its last user went while it was on its way.
      if (share.users === 0) loaded.engine.leave(loaded.guest);
    },
    () => forget(key, share),
  );
  return share;
}

/**
 * @param {string} key
 * @param {Share} share
 */
function left(key, share) {
  share.users -= 1;
  if (share.users > 0) return;
  forget(key, share);
  share.ended.abort(new DOMException("nobody waits for the model any more", "AbortError"));
  if (share.loaded) share.loaded.engine.leave(share.loaded.guest);
}

/**
 * @param {string} key
 * @param {Share} share
 */
function forget(key, share) {
  if (shares.get(key) === share) shares.delete(key);
}

/**
 * @param {Promise<Loaded>} promise
 * @param {AbortSignal | undefined} signal
 * @returns {Promise<Loaded>}
 */
function orAborted(promise, signal) {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
