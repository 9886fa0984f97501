/**
 * The page without a network: said only once it is true.
 */

import { HOME } from "./about.mjs";
import { fill } from "./dom.mjs";

/**
 * Registers the service worker, where the browser allows one, and says when it is active.
 *
 * @param {HTMLElement} place
 */
export async function offline(place) {
  if (!window.isSecureContext || !("serviceWorker" in navigator)) return;
  try {
    const registration = await navigator.serviceWorker.register(new URL("sw.js", HOME), { scope: HOME.pathname });
    const worker = registration.active ?? registration.waiting ?? registration.installing;
    const say = () => {
      if (worker?.state === "activated") fill(place, "Works offline from now on.");
    };
    worker?.addEventListener("statechange", say);
    say();
  } catch {
    fill(place, "Offline use is not available here: the browser refused the service worker.");
  }
}
