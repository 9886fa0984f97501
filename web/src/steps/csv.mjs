/**
 * CSV, read as strictly as Python's csv module with `strict`: text -> rows of text.
 *
 * A quote counts at the beginning of a value alone; two of them inside are one. Rows end with CR, LF
 * or both. Blank lines are no rows.
 */

/** What a value may have: Python's limit. */
const LONGEST = 131_072;
const QUOTE = 34;

/**
 * The rows. Throws a SyntaxError that says what cannot be read.
 *
 * @param {string} text
 * @param {string} delimiter one character
 * @returns {string[][]}
 */
export function readCsv(text, delimiter) {
  const between = delimiter.charCodeAt(0);
  /** @type {string[][]} */
  const rows = [];
  /** @type {string[]} */
  let row = [];
  let at = 0;
  while (at < text.length) {
    if (row.length === 0 && ends(text, at)) {
      at += 1;
      continue;
    }
    at =
      text.charCodeAt(at) === QUOTE ? quoted(text, at, between, row) : bare(text, at, between, row);
    if (at < text.length && text.charCodeAt(at) === between) {
      at += 1;
      // A delimiter before the end of the line or of the text stands before an empty value.
      if (at < text.length && !ends(text, at)) continue;
      row.push("");
    }
    rows.push(row);
    row = [];
    at += 1;
  }
  return rows;
}

/**
 * Whether a line ends there.
 *
 * @param {string} text
 * @param {number} at
 */
function ends(text, at) {
  const code = text.charCodeAt(at);
  return code === 10 || code === 13;
}

/**
 * A value without quotes into the row: until the delimiter or the end of the line, which it gives.
 *
 * @param {string} text
 * @param {number} at
 * @param {number} between
 * @param {string[]} row
 */
function bare(text, at, between, row) {
  let next = at;
  while (next < text.length && text.charCodeAt(next) !== between && !ends(text, next)) next += 1;
  push(row, text.slice(at, next));
  return next;
}

/**
 * @param {string[]} row
 * @param {string} value
 */
function push(row, value) {
  if (value.length > LONGEST) throw new SyntaxError(`a value is longer than ${LONGEST} characters`);
  row.push(value);
}

/**
 * The same for one in quotes.
 *
 * @param {string} text
 * @param {number} at of the quote that opens
 * @param {number} between
 * @param {string[]} row
 */
function quoted(text, at, between, row) {
  let value = "";
  let from = at + 1;
  for (;;) {
    const close = text.indexOf('"', from);
    if (close < 0) throw new SyntaxError("a quote does not end");
    value += text.slice(from, close);
    from = close + 2;
    if (text.charCodeAt(close + 1) === QUOTE) {
      value += '"';
    } else if (
      close + 1 >= text.length ||
      text.charCodeAt(close + 1) === between ||
      ends(text, close + 1)
    ) {
      push(row, value);
      return close + 1;
    } else {
      const [there, expected] = [text.charAt(close + 1), String.fromCharCode(between)];
      throw new SyntaxError(`after a quote that ends there is "${there}", expected "${expected}"`);
    }
  }
}
