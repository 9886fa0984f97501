/**
 * What is said of a photo whose bytes break off, or make no sense.
 */

import { Refused } from "./refused.mjs";

/** @param {string} said what is wrong, as far as it is known */
export function damaged(said) {
  return new Refused(`the image is cut off or damaged: ${said}`);
}
