/**
 * The thread in which models run: a worker, because wasm blocks whoever runs it.
 *
 * In: questions, one at a time, with bytes that the page has checked. Out: an answer to each. All
 * models of a worker share one runtime; a crash of that is fatal, and the page starts another worker.
 *
 * @typedef {import("./records.js").About} About
 * @typedef {import("./records.js").Answer} Answer
 * @typedef {import("./records.js").Files} Files
 * @typedef {import("./records.js").Opened} Opened
 * @typedef {import("./records.js").Question} Question
 * @typedef {import("./records.js").Runtime} Runtime
 * @typedef {import("./records.js").Tensors} Tensors
 * @typedef {{about: About, graphs: Record<string, Opened>}} Model
 */

/** The name in model.json -> the file in runtimes/. */
const RUNTIMES = /** @type {Record<string, string>} */ ({
  "onnxruntime-web": "onnx",
  litert: "litert",
  tfjs: "tfjs",
});

/** @type {{code: Runtime, files: Files, provider: string, threads: number}} */
let runtime;
/** @type {Map<string, Model>} */
const models = new Map();

self.onmessage = async ({ data }) => {
  const { number, ...question } = /** @type {{number: number} & Question} */ (data);
  try {
    const value = await answered(/** @type {Question} */ (question));
    self.postMessage({ number, value }, { transfer: buffers(value) });
  } catch (error) {
    self.postMessage({ number, error: said(error) });
  }
};

/**
 * @param {Question} question
 * @returns {Promise<any>}
 */
async function answered(question) {
  if ("start" in question) return start(question.start);
  if ("open" in question) return open(question.open);
  if ("close" in question) return close(question.close.model);
  if ("run" in question) {
    const { model, entry, feeds } = question.run;
    return ready(model).graphs["model"]?.run(feeds, entry);
  }
  const { model, raw, words } = question.predict;
  const { predicted } = await import("./around.mjs");
  return predicted(ready(model).about, ready(model).graphs, raw, words);
}

/** @param {{runtime: string, provider: string, threads: number, files: Files}} options */
async function start({ runtime: name, ...options }) {
  runtime = { ...options, code: await import(`./runtimes/${RUNTIMES[name]}.mjs`) };
}

/** @param {{model: string, about: About, files: Files}} options */
async function open({ model, about, files }) {
  const { code, provider, threads, files: own } = runtime;
  await close(model);
  const roles = Object.keys(files).filter((role) => /^(model|before-\d+|after)$/.test(role));
  /** @type {Record<string, Opened>} */
  const graphs = {};
  try {
    for (const role of roles) {
      graphs[role] = await code.open({ ...own, ...files }, { threads, provider, graph: role });
      delete files[role];
    }
  } catch (error) {
    // Of half a model nothing stays in memory; why it cannot be opened matters more than how it closes.
    await Promise.allSettled(Object.values(graphs).map(async (graph) => graph.close()));
    throw error;
  }
  models.set(model, { about, graphs });
  for (const file of Object.values(own)) file.bytes = new ArrayBuffer(0);
  return { version: graphs["model"]?.version ?? "" };
}

/** @param {string} model */
async function close(model) {
  const graphs = Object.values(models.get(model)?.graphs ?? {});
  models.delete(model);
  for (const graph of graphs) await graph.close();
}

/**
 * @param {string} model
 * @returns {Model}
 */
function ready(model) {
  const found = models.get(model);
  if (found === undefined) throw new Error(`${model} is not open in this worker`);
  return found;
}

/**
 * The buffers of tensors, each once, to be handed over instead of copied.
 *
 * @param {unknown} value
 * @returns {ArrayBuffer[]}
 */
function buffers(value) {
  const tensors = value && typeof value === "object" ? Object.values(value) : [];
  const own = tensors.map((tensor) => tensor?.data?.buffer).filter((buffer) => buffer instanceof ArrayBuffer);
  return [...new Set(own)];
}

/**
 * @param {unknown} thrown
 * @returns {Answer["error"]}
 */
function said(thrown) {
  // C++ throws the address of an exception, which says nothing; it is nearly always memory.
  if (typeof thrown === "number") {
    return { name: "Error", message: `the runtime gave up (${thrown}), most likely for want of memory`, fatal: true };
  }
  const error = /** @type {Error & {status?: number}} */ (thrown instanceof Error ? thrown : new Error(String(thrown)));
  const { name } = error;
  const message = error.message.trim();
  const fatal = name === "RuntimeError" || /^Aborted\(|out of memory/i.test(message);
  return error.status === undefined ? { name, message, fatal } : { name, message, status: error.status, fatal };
}
