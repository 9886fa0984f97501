/**
 * The rows of a table, in the order of the columns that it shall have: bytes in UTF-8 -> cells.
 *
 * A cell of CSV is text. One of JSON is what it is there; null where an object lacks it.
 *
 * @typedef {import("./json.mjs").Json} Json
 * @typedef {{columns: string[], extra: string, header: boolean, delimiter: string}} Form
 */

import { readCsv } from "./csv.mjs";
import { Written, readJson } from "./json.mjs";
import { Refused } from "./refused.mjs";
import { strip } from "./strip.mjs";

/** In a header, where the table itself does not ask for more. */
const MOST_COLUMNS = 10_000;
/** @type {Record<string, string>} */
const NAMES = { ",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars" };

/**
 * Every row's cells by column. Throws Refused.
 *
 * @param {Uint8Array} value
 * @param {Form} form
 * @returns {Json[][]}
 */
export function rowsOf(value, form) {
  const text = decoded(value);
  return /^[[{]/.test(strip(text)) ? jsonRows(text, form) : csvRows(text, form);
}

/** @param {Uint8Array} value */
function decoded(value) {
  let text = "";
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(value);
  } catch {
    throw new Refused("this is no text in UTF-8; send CSV or JSON", 415);
  }
  if (!strip(text)) throw new Refused("the body is empty; send CSV or JSON");
  return text;
}

/**
 * @param {string} text
 * @param {Form} form
 * @returns {string[][]}
 */
function csvRows(text, { columns, extra, header, delimiter }) {
  const lines = read("CSV", () => readCsv(text, delimiter));
  const names = header ? (lines.shift() ?? []).map(strip) : columns;
  if (header && names.length === 1 && columns.length > 1) {
    throw new Refused(
      `the header names one column, ${short(names[0] ?? "")}; expected columns set apart by ` +
        (NAMES[delimiter] ?? `'${delimiter}'`),
    );
  }
  const at = places(names, columns, extra);
  lines.forEach((line, i) => {
    if (line.length !== names.length) {
      throw new Refused(`row ${i + 1} has ${line.length} values, expected ${names.length}`);
    }
  });
  return lines.map((line) => at.map((place) => line[place] ?? ""));
}

/**
 * Where each column lies among the names of a header.
 *
 * @param {string[]} names
 * @param {string[]} columns
 * @param {string} extra
 */
function places(names, columns, extra) {
  const most = Math.max(MOST_COLUMNS, columns.length);
  if (names.length > most) {
    throw new Refused(`the header names ${names.length} columns, expected ${most} at most`, 413);
  }
  /** @type {Map<string, number>} */
  const at = new Map();
  names.forEach((name, i) => {
    if (at.has(name)) throw new Refused(`the header names column ${short(name)} twice`);
    at.set(name, i);
  });
  const found = columns.map((name) => {
    const place = at.get(name);
    if (place === undefined) {
      throw new Refused(`the header has no column '${name}'; it has ${listed(names)}`);
    }
    return place;
  });
  if (extra === "refuse") refuseMore("the header", names, new Set(columns));
  return found;
}

/**
 * @param {string} text
 * @param {Form} form
 * @returns {Json[][]}
 */
function jsonRows(text, { columns, extra }) {
  const found = read("JSON", () => readJson(text));
  const rows = Array.isArray(found) ? found : [found];
  const asked = new Set(columns);
  return rows.map((row, i) => {
    const where = `row ${i + 1}`;
    if (row instanceof Map) {
      if (extra === "refuse") refuseMore(where, row.keys(), asked);
      return columns.map((name) => row.get(name) ?? null);
    }
    if (!Array.isArray(row)) {
      throw new Refused(`${where} is no object and no list, as in [{...}, ...] or [[...], ...]`);
    }
    if (row.length !== columns.length) {
      throw new Refused(`${where} has ${row.length} values, expected ${columns.length}`);
    }
    return row;
  });
}

/**
 * @param {string} where
 * @param {Iterable<string>} names
 * @param {Set<string>} asked
 */
function refuseMore(where, names, asked) {
  for (const name of names) {
    if (asked.has(name)) continue;
    throw new Refused(`${where} has a column ${short(name)}, which is not among those expected`);
  }
}

/**
 * @template T
 * @param {string} kind
 * @param {() => T} reader
 * @returns {T}
 */
function read(kind, reader) {
  try {
    return reader();
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new Refused(`the ${kind} cannot be read: ${error.message}`);
  }
}

/** @param {readonly unknown[]} names */
export function listed(names) {
  const said = names.join(", ");
  return said.length <= 120 ? said : `${said.slice(0, 117)}...`;
}

/**
 * A cell as a message shows it.
 *
 * @param {Json | number} cell
 */
export function short(cell) {
  const said = typeof cell === "string" ? `'${cell}'` : plain(cell);
  return said.length <= 40 ? said : `${said.slice(0, 37)}...`;
}

/** @param {Json | number} cell */
function plain(cell) {
  if (cell === null || typeof cell !== "object" || cell instanceof Written) return String(cell);
  return cell instanceof Map ? "an object" : "a list";
}
