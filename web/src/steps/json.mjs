/**
 * JSON, read as a table needs it: numbers as they are written, objects as maps that name nothing
 * twice. `JSON.parse` keeps the last of two keys, and says neither "5.0" nor the digits of a large
 * number.
 *
 * @typedef {null | boolean | string | Written | any[] | Map<string, any>} Json
 */

/** Objects in lists in objects: beyond, the text means to exhaust the stack. */
const DEEPEST = 900;
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const WORD = /-?[A-Za-z]+/y;

/** A number as it is written. */
export class Written {
  /**
   * @param {string} text
   * @param {boolean} whole whether it is written without a fraction and an exponent
   */
  constructor(text, whole) {
    this.text = text;
    this.whole = whole;
  }

  get value() {
    return Number(this.text);
  }

  /** As Python writes it: "5" and "5.0" are two, "1e3" is "1000.0". */
  toString() {
    if (this.whole) return this.text === "-0" ? "0" : this.text;
    return pythonic(this.value);
  }
}

/**
 * @param {number} value
 */
function pythonic(value) {
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e16 || size < 1e-4)) {
    return value.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
  }
  const said = Object.is(value, -0) ? "-0" : String(value);
  return said.includes(".") ? said : `${said}.0`;
}

/**
 * The value of a text. Throws a SyntaxError that says what is wrong with it, and where.
 *
 * @param {string} text
 * @returns {Json}
 */
export function readJson(text) {
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.blank();
  if (reader.at < text.length) throw reader.wrong("there is more after the end");
  return value;
}

class Reader {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  /**
   * What a pattern finds just here, and on to behind it.
   *
   * @param {RegExp} pattern a sticky one
   */
  take(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found) this.at += found[0].length;
    return found;
  }

  blank() {
    for (; ; this.at += 1) {
      const code = this.text.charCodeAt(this.at);
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return;
    }
  }

  /** @param {string} what */
  wrong(what) {
    return new SyntaxError(`${what} (character ${this.at + 1})`);
  }

  /**
   * @param {string} sign
   * @returns {boolean} whether it stands here; if so, on to behind it
   */
  skip(sign) {
    this.blank();
    const there = this.text[this.at] === sign;
    if (there) this.at += 1;
    return there;
  }

  /**
   * @param {number} depth
   * @returns {Json}
   */
  value(depth) {
    if (depth > DEEPEST) throw this.wrong("it is nested too deeply");
    if (this.skip("[")) return this.list(depth);
    if (this.skip("{")) return this.object(depth);
    if (this.text[this.at] === '"') return this.string();
    const number = this.take(NUMBER);
    if (number) return new Written(number[0], number[1] === undefined && number[2] === undefined);
    return this.word();
  }

  /**
   * @param {number} depth
   * @returns {Json[]}
   */
  list(depth) {
    /** @type {Json[]} */
    const values = [];
    if (this.skip("]")) return values;
    do values.push(this.value(depth + 1));
    while (this.skip(","));
    if (!this.skip("]")) throw this.wrong('expected "," or "]"');
    return values;
  }

  /**
   * @param {number} depth
   * @returns {Map<string, Json>}
   */
  object(depth) {
    /** @type {Map<string, Json>} */
    const found = new Map();
    if (this.skip("}")) return found;
    do {
      this.blank();
      const name = this.string();
      if (!this.skip(":")) throw this.wrong('expected ":"');
      const value = this.value(depth + 1);
      if (found.has(name)) throw this.wrong(`an object names '${name}' twice`);
      found.set(name, value);
    } while (this.skip(","));
    if (!this.skip("}")) throw this.wrong('expected "," or "}"');
    return found;
  }

  /** @returns {string} */
  string() {
    const from = this.at;
    if (this.text[from] !== '"') throw this.wrong("expected a name in quotes");
    let to = from + 1;
    while (to < this.text.length && this.text[to] !== '"') to += this.text[to] === "\\" ? 2 : 1;
    try {
      const text = JSON.parse(this.text.slice(from, to + 1));
      this.at = to + 1;
      return text;
    } catch {
      throw this.wrong("a text in quotes does not end, or is not written as JSON wants it");
    }
  }

  /** @returns {null | boolean} */
  word() {
    const from = this.at;
    const word = this.take(WORD)?.[0] ?? "";
    if (word === "null") return null;
    if (word === "true" || word === "false") return word === "true";
    this.at = from;
    if (/^(NaN|-?Infinity)$/.test(word)) {
      throw this.wrong(`${word} is no JSON; send null for what is missing`);
    }
    throw this.wrong("expected a value");
  }
}
