/**
 * What went wrong, in words for a visitor. Pure: no page is needed.
 */

/** What a status of `Refused` means. */
const MEANT = /** @type {Record<number, string>} */ ({
  413: "too large",
  415: "another kind of file than this model takes",
  422: "cannot be read",
});

/**
 * One sentence, with the status where something was refused.
 *
 * @param {unknown} error
 */
export function inWords(error) {
  if (!(error instanceof Error)) return String(error);
  const status = /** @type {{status?: unknown}} */ (error).status;
  if (typeof status === "number") return `${error.message} (${MEANT[status] ?? "refused"}, ${status})`;
  if (error.name === "TypeError" && /fetch|network|load failed/i.test(error.message)) {
    return `a file could not be fetched: ${error.message}`;
  }
  return error.message || error.name;
}
