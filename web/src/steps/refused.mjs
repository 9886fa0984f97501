/**
 * The error for raw input that cannot be taken: the sender's mistake, in words for the sender.
 */

export class Refused extends Error {
  /**
   * @param {string} message
   * @param {number} [status] the HTTP status that says the same: 413 too large, 415 another
   *   medium, 422 damaged
   */
  constructor(message, status = 422) {
    super(message);
    this.name = "Refused";
    this.status = status;
  }
}
