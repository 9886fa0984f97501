/**
 * The same in a browser's module worker. In: a URL where a file of vectors is found. Its answers
 * are posted there.
 */

import { answers } from "./answers.mjs";

self.onmessage = async ({ data: url }) => {
  try {
    const file = await (await fetch(url)).arrayBuffer();
    const body = /** @type {Uint8Array<ArrayBuffer>} */ (await answers(new Uint8Array(file)));
    await fetch(url, { method: "POST", body });
    self.postMessage("");
  } catch (error) {
    self.postMessage(String(error));
  }
};
