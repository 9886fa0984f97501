/**
 * The raw inputs among the bundle's golden cases, to be tried by hand. Fetched when they are asked for.
 *
 * @typedef {import("./drops.mjs").Given} Given
 */

import { fill, make } from "./dom.mjs";
import { judgeable } from "./judging.mjs";
import { inWords } from "./problems.mjs";

/** So many are offered. */
const MOST = 12;

/**
 * A button that becomes those files.
 *
 * @param {string} name of the input
 * @param {(given: Given) => Promise<Node | string>} face what a file looks like
 * @param {(files: Given[]) => void} give
 */
export function examples(name, face, give) {
  const place = make("div", { class: "examples" });
  const show = async () => {
    fill(place, make("p", { class: "quiet", role: "status" }, "Fetching the golden cases …"));
    try {
      const found = await files(name);
      const buttons = found.map(async (given) => {
        const inside = await face(given);
        const drawn = inside instanceof HTMLCanvasElement;
        const about = { type: "button", class: drawn ? "sample" : "", title: given.name, click: () => give([given]) };
        return make("button", drawn ? { ...about, "aria-label": given.name } : about, inside);
      });
      const none = make("p", { class: "quiet" }, "No golden case of this kind lies in the bundle.");
      fill(place, ...(found.length > 0 ? await Promise.all(buttons) : [none]));
    } catch (error) {
      fill(place, make("p", { class: "problem", role: "alert" }, inWords(error)));
    }
  };
  place.append(make("button", { type: "button", class: "link", click: () => void show() }, "Show what it is verified with"));
  return place;
}

/**
 * @param {string} name
 * @returns {Promise<Given[]>}
 */
async function files(name) {
  const { golden, cases } = await judgeable();
  const own = cases.filter((one) => one.golden === "bytes" && name in one.places.in);
  const read = own.slice(0, MOST).map(async (one) => {
    const bytes = (await golden?.read(one))?.in[name]?.data;
    return bytes === undefined ? [] : [{ name: one.call, blob: new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (bytes)]) }];
  });
  return (await Promise.all(read)).flat();
}
