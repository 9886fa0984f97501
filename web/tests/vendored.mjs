/**
 * Lets Node.js find what a bundle has in `vendor/` among what npm installed: `node --import` it, or
 * import it before the steps.
 */

import { readFileSync } from "node:fs";
import { register } from "node:module";

const several = JSON.parse(readFileSync(new URL("../vendored.json", import.meta.url), "utf8"));
const files = Object.values(several).flatMap((/** @type {object} */ each) => Object.entries(each));
const found = files.map(([file, [name, path]]) => [
  file,
  new URL(`../node_modules/${name}/${path}`, import.meta.url).href,
]);

register(
  `data:text/javascript,${encodeURIComponent(`
const found = new Map(${JSON.stringify(found)});
export function resolve(asked, context, next) {
  const url = found.get(asked.split("/vendor/")[1]);
  return url ? { url, format: "module", shortCircuit: true } : next(asked, context);
}`)}`,
);
