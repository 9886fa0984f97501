/**
 * `node node.mjs FOLDER ANSWERS NAME...` answers FOLDER/NAME.safetensors into ANSWERS, each.
 */

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { answers } from "./answers.mjs";

const [folder = "", into = "", ...names] = process.argv.slice(2);
for (const name of names) {
  const file = `${name}.safetensors`;
  await writeFile(join(into, file), await answers(new Uint8Array(await readFile(join(folder, file)))));
}
