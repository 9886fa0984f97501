/** `node compare.mjs PAIRS ANSWERS`: what `compared` says of each pair, as JSON. */

import { readFileSync, writeFileSync } from "node:fs";

import { compared } from "../../src/compare.mjs";
import { headerSize, read } from "../../src/safetensors.mjs";

const [, , pairs = "", answers = ""] = process.argv;
const bytes = new Uint8Array(readFileSync(pairs)).buffer;
const head = new TextDecoder().decode(bytes.slice(8, headerSize(bytes)));
const cases = JSON.parse(JSON.parse(head).__metadata__.cases);
const tensors = read(bytes);
const said = Object.entries(cases).map(([name, { bound, ...meaning }]) => {
  const [want, got, noise] = ["want", "got", "noise"].map((side) => tensors[`${name}/${side}`]);
  const { relativeL2, reason } = compared(want, got, noise, bound, meaning);
  return [name, [reason, String(relativeL2)]];
});
writeFileSync(answers, JSON.stringify(Object.fromEntries(said)));
