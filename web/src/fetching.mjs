/**
 * Files of a bundle: fetched, and what was built or an Error that names the file.
 *
 * In: the bundle's URL, and what model.json says of a file. Out: bytes whose SHA-256 is right. Where
 * a page is no secure context (plain http in a local network) there is no crypto.subtle, and the
 * browser's own check of integrity does the same; it gives no bytes before the last has come.
 *
 * @typedef {import("./records.js").FileRecord} FileRecord
 * @typedef {{signal?: AbortSignal, grown?: (bytes: number) => void}} FetchOptions `grown`: so many more;
 *   fewer than none, where what has come is thrown away and fetched again
 */

/** A file cannot be had, or is not what was built: no other way to run the model mends that. */
export class FileError extends Error {
  name = "FileError";
}

/** Nobody answered, or not to the end, or a host that is out of order. */
export class Unreached extends FileError {}

/** What came is not what was built; a cache may be the reason. */
class Altered extends FileError {}

/**
 * A JSON file that is too short-lived to have a digest.
 *
 * @param {URL} url
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
export async function json(url, signal) {
  const response = await got(url, { cache: "no-cache" }, signal);
  const text = await body(url, response.text(), signal);
  try {
    return JSON.parse(text);
  } catch {
    throw new FileError(`${url.href} is not JSON${looks(text)}; ${UPLOAD}`);
  }
}

/**
 * The bytes of a file, if they are what was built. Past the browser's cache, where they are not.
 *
 * @param {URL} base
 * @param {FileRecord} file
 * @param {FetchOptions} [options]
 * @returns {Promise<ArrayBuffer>}
 */
export async function checked(base, file, { signal, grown } = {}) {
  const url = new URL(file.path, base);
  const fetched = globalThis.crypto?.subtle === undefined ? byBrowser : byDigest;
  let came = 0;
  try {
    return await fetched(url, file, {}, signal, (more) => {
      came += more;
      grown?.(more);
    });
  } catch (error) {
    if (!(error instanceof Altered)) throw error;
  }
  // Its name never changes, so a cache would give the bad one for as long as it lives.
  grown?.(-came);
  return fetched(url, file, { cache: "reload" }, signal, grown);
}

/**
 * @param {URL} url
 * @param {FileRecord} file
 * @param {RequestInit} init
 * @param {AbortSignal} [signal]
 * @param {(bytes: number) => void} [grown]
 */
async function byDigest(url, file, init, signal, grown) {
  const bytes = await read(url, await got(url, init, signal), file, signal, grown);
  const digest = hex(await crypto.subtle.digest("SHA-256", bytes));
  if (bytes.byteLength !== file.size || digest !== file.sha256) {
    throw new Altered(
      `${file.path} is not what was built: ${bytes.byteLength} bytes with SHA-256 ${digest}, expected ` +
        `${file.size} bytes with ${file.sha256}${looks(text(bytes))}; ${UPLOAD}`,
    );
  }
  return bytes;
}

/**
 * @param {URL} url
 * @param {FileRecord} file
 * @param {RequestInit} init
 * @param {AbortSignal} [signal]
 * @param {(bytes: number) => void} [grown]
 */
async function byBrowser(url, file, init, signal, grown) {
  const integrity = `sha256-${base64(file.sha256)}`;
  const response = await got(url, { ...init, integrity }, signal).catch((error) => {
    // The browser does not tell a wrong digest from a network that is not there.
    if (!(error instanceof Unreached)) throw error;
    throw new Altered(`${error.message}; or ${file.path} is not what was built: ${UPLOAD}`);
  });
  const bytes = await body(url, response.arrayBuffer(), signal);
  grown?.(bytes.byteLength);
  return bytes;
}

/**
 * Part of a file, or all of it where the host does not know ranges; `from` says where it begins.
 * It may be shorter than was asked for, where the file is. Rejects where another part came.
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
  const bytes = await body(url, response.arrayBuffer(), signal);
  // Another origin may keep this header to itself.
  const said = response.headers.get("content-range");
  const [first, last] = /^bytes (\d+)-(\d+)\//.exec(said ?? "")?.slice(1).map(Number) ?? [];
  const right = said === null ? bytes.byteLength <= to - from + 1 : first === from && last === from + bytes.byteLength - 1;
  if (!whole && !right) {
    throw new FileError(
      `${url.href}: bytes ${from} to ${to} were asked for, and the host sent ${bytes.byteLength} as ` +
        `"${said ?? "206"}"; its answers to ranges are wrong, or a cache's between`,
    );
  }
  return { bytes, from: whole ? 0 : from, whole };
}

/**
 * @param {URL} url
 * @param {RequestInit} init
 * @param {AbortSignal} [signal]
 */
async function got(url, init, signal) {
  const response = await fetch(url, { ...init, signal: signal ?? null }).catch((error) => {
    if (signal?.aborted) throw signal.reason;
    throw new Unreached(
      `${url.href} cannot be fetched (${error.message}): is the network there, and does the page's ` +
        "Content-Security-Policy have connect-src for it?",
    );
  });
  if (response.ok) return response;
  const kind = response.status >= 500 ? Unreached : FileError;
  throw new kind(`${url.href} cannot be had: HTTP ${response.status}; ${UPLOAD}`);
}

/**
 * What is read of a body, which ends too early where the connection does.
 *
 * @template T
 * @param {URL} url
 * @param {Promise<T>} reading
 * @param {AbortSignal} [signal]
 * @returns {Promise<T>}
 */
async function body(url, reading, signal) {
  try {
    return await reading;
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    const { message } = /** @type {Error} */ (error);
    throw new Unreached(`${url.href} broke off before its end (${message}): check the network, and load the page again`);
  }
}

/**
 * The body, in one buffer of the size that is expected, so that it is never held twice.
 *
 * @param {URL} url
 * @param {Response} response
 * @param {FileRecord} file
 * @param {AbortSignal} [signal]
 * @param {(bytes: number) => void} [grown]
 */
async function read(url, response, file, signal, grown) {
  const whole = new Uint8Array(file.size);
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
  const next = () => body(url, reader.read(), signal);
  let at = 0;
  for (let part = await next(); !part.done; part = await next()) {
    if (at + part.value.length > file.size) {
      await reader.cancel();
      throw new Altered(`${file.path} is not what was built: it is longer than ${file.size} bytes; ${UPLOAD}`);
    }
    whole.set(part.value, at);
    at += part.value.length;
    grown?.(part.value.length);
  }
  return at === file.size ? whole.buffer : whole.buffer.slice(0, at);
}

/** What to do about a file that is wrong. */
export const UPLOAD =
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
