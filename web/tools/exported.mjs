/**
 * What a user's own steps import and export, without running them: they are checked at build.
 *
 * In: the folder of our steps, and files that will lie in own_steps/ there. Out, as JSON: for each
 * {exports}, {foreign} where it imports what will not be there, or {error} where it is no module.
 * Run with --experimental-vm-modules: so Node.js parses and links a module, and does no more.
 */

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { SourceTextModule } from "node:vm";

const [steps = "", ...files] = process.argv.slice(2);
const own = join(steps, "own_steps");
/** Where each will lie -> where it lies now. */
const moved = new Map(files.map((file) => [join(own, basename(file)), file]));
/** @type {Map<string, Promise<SourceTextModule>>} */
const modules = new Map();

const said = [];
for (const place of moved.keys()) said.push(await looked(place));
console.log(JSON.stringify(said));

/** @param {string} place */
async function looked(place) {
  /** @type {Set<string>} */
  const foreign = new Set();
  try {
    const module = await read(place);
    await module.link((wanted, by) => {
      const found = resolve(by.identifier, "..", wanted);
      if (wanted.startsWith(".") && (moved.has(found) || existsSync(found))) return read(found);
      foreign.add(wanted);
      throw new Error(`it imports ${wanted}`);
    });
    return { exports: Object.keys(module.namespace) };
  } catch (error) {
    return foreign.size ? { foreign: [...foreign] } : { error: String(error) };
  }
}

/** @param {string} place */
function read(place) {
  const known = modules.get(place) ?? parsed(place);
  modules.set(place, known);
  return known;
}

/** @param {string} place */
async function parsed(place) {
  const source = await readFile(moved.get(place) ?? place, "utf8");
  return new SourceTextModule(source, { identifier: place });
}
