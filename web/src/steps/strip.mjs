/**
 * Blanks as Python knows them: a byte order mark is none, and the separators of ASCII are.
 */

const BLANK = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

/**
 * Without blanks at both ends.
 *
 * @param {string} text
 */
export function strip(text) {
  let start = 0;
  let end = text.length;
  while (start < end && blank(text, start)) start += 1;
  while (start < end && blank(text, end - 1)) end -= 1;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

/**
 * @param {string} text
 * @param {number} at
 */
function blank(text, at) {
  const code = text.charCodeAt(at);
  // Letters and digits are most of what there is, and quickly told.
  return (code <= 32 || code > 126) && BLANK.test(text.charAt(at));
}
