/**
 * Files of a bundle: fetched, and what was built or an Error that names the file.
 *
 * In: the bundle's URL, and what model.json says of a file. Out: bytes whose SHA-256 is right. Where
 * a page is no secure context (plain http in a local network) there is no crypto.subtle, and the
 * browser's own check of integrity does the same; it gives no bytes before the last has come.
 *
 * @typedef {import("./records.js").FileRecord} FileRecord
 * @typedef {{signal?: AbortSignal, grown?: (bytes: number) => void}} FetchOptions `grown`: so many more
 */

/** A file cannot be had, or is not what was built: no other way to run the model mends that. */
export class FileError extends Error {
  name = "FileError";
}

/**
 * A JSON file that is too short-lived to have a digest.
 *
 * @param {URL} url
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
export async function json(url, signal) {
  const response = await got(url, { cache: "no-cache" }, signal);
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    throw new FileError(`${url.href} is not JSON${looks(text)}; ${UPLOAD}`);
  }
}

/**
 * The bytes of a file, if they are what was built.
 *
 * @param {URL} base
 * @param {FileRecord} file
 * @param {FetchOptions} [options]
 * @returns {Promise<ArrayBuffer>}
 */
export async function checked(base, file, { signal, grown } = {}) {
  const url = new URL(file.path, base);
  if (globalThis.crypto?.subtle === undefined) return byBrowser(url, file, signal, grown);
  const bytes = await read(await got(url, {}, signal), file, grown);
  const digest = hex(await crypto.subtle.digest("SHA-256", bytes));
  if (bytes.byteLength !== file.size || digest !== file.sha256) {
    throw new FileError(
      `${file.path} is not what was built: ${bytes.byteLength} bytes with SHA-256 ${digest}, expected ` +
        `${file.size} bytes with ${file.sha256}${looks(text(bytes))}; ${UPLOAD}`,
    );
  }
  return bytes;
}

/**
 * @param {URL} url
 * @param {FileRecord} file
 * @param {AbortSignal} [signal]
 * @param {(bytes: number) => void} [grown]
 */
async function byBrowser(url, file, signal, grown) {
  const response = await got(url, { integrity: `sha256-${base64(file.sha256)}` }, signal).catch(
    (error) => {
      if (signal?.aborted) throw error;
      throw new FileError(`${error.message}; or ${file.path} is not what was built: ${UPLOAD}`);
    },
  );
  const bytes = await response.arrayBuffer();
  grown?.(bytes.byteLength);
  return bytes;
}

/**
 * Part of a file, or all of it where the host does not know ranges; `from` says where it begins.
 *
 * @param {URL} url
 * @param {number} from
 * @param {number} to the last byte, included
 * @param {AbortSignal} [signal]
 * @returns {Promise<{bytes: ArrayBuffer, from: number, whole: boolean}>}
 */
export async function range(url, from, to, signal) {
  const response = await got(url, { headers: { Range: `bytes=${from}-${to}` } }, signal);
  const whole = response.status !== 206;
  return { bytes: await response.arrayBuffer(), from: whole ? 0 : from, whole };
}

/**
 * @param {URL} url
 * @param {RequestInit} init
 * @param {AbortSignal} [signal]
 */
async function got(url, init, signal) {
  const response = await fetch(url, { ...init, signal: signal ?? null }).catch((error) => {
    if (signal?.aborted) throw signal.reason;
    throw new FileError(
      `${url.href} cannot be fetched (${error.message}): is the network there, and does the page's ` +
        "Content-Security-Policy have connect-src for it?",
    );
  });
  if (response.ok) return response;
  throw new FileError(`${url.href} cannot be had: HTTP ${response.status}; ${UPLOAD}`);
}

/**
 * The body, in one buffer of the size that is expected, so that it is never held twice.
 *
 * @param {Response} response
 * @param {FileRecord} file
 * @param {(bytes: number) => void} [grown]
 */
async function read(response, file, grown) {
  const whole = new Uint8Array(file.size);
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
  let at = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    if (at + part.value.length > file.size) {
      await reader.cancel();
      throw new FileError(`${file.path} is not what was built: it is longer than ${file.size} bytes; ${UPLOAD}`);
    }
    whole.set(part.value, at);
    at += part.value.length;
    grown?.(part.value.length);
  }
  return at === file.size ? whole.buffer : whole.buffer.slice(0, at);
}

const UPLOAD =
  "load the page again, without its cache; if that does not help, upload the whole bundle again";

/** @param {ArrayBuffer} bytes */
function text(bytes) {
  return new TextDecoder().decode(new Uint8Array(bytes, 0, Math.min(256, bytes.byteLength)));
}

/** @param {string} start */
function looks(start) {
  if (/^\s*<(!doctype|html)/i.test(start)) return " (the host answered with a page of HTML instead)";
  if (start.startsWith("version https://git-lfs")) return " (it is a pointer of Git LFS)";
  return "";
}

/** @param {ArrayBuffer} digest */
function hex(digest) {
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {string} digest in hexadecimal */
function base64(digest) {
  const bytes = (digest.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16));
  return btoa(String.fromCharCode(...bytes));
}
