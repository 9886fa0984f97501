/**
 * The pixels of a photo by the browser's own decoder: what is in the file, to the bit.
 *
 * In: a Photo. Out: RGBA, colours not multiplied by alpha. An `<img>` on a canvas would be of other
 * colours, by its profile and by the shaders of a GPU; `createImageBitmap` leaves them as they are.
 */

import { damaged } from "./damaged.mjs";
import { Refused } from "./refused.mjs";

/**
 * @param {import("./photo_file.mjs").Photo} photo
 * @returns {Promise<Uint8Array>}
 */
export async function browserPixels({ kind, type, width, height, bytes }) {
  const bitmap = await decoded(new Blob([bytes], { type }));
  try {
    if (bitmap.width !== width || bitmap.height !== height) {
      throw damaged(`it is ${bitmap.width} x ${bitmap.height}, and says ${width} x ${height}`);
    }
    const rgba = onCanvas(bitmap);
    return kind === "JPEG" || opaque(rgba) ? rgba : throughWebGL(bitmap, kind);
  } finally {
    bitmap.close();
  }
}

/** @param {Blob} file */
async function decoded(file) {
  try {
    return await createImageBitmap(file, {
      colorSpaceConversion: "none",
      premultiplyAlpha: "none",
    });
  } catch (error) {
    // InvalidStateError, whatever is wrong; anything else is no fault of the photo.
    if (!(error instanceof DOMException)) throw error;
    throw damaged("its pixels cannot be read");
  }
}

/**
 * Exact where all is opaque: a 2D canvas keeps colours multiplied by alpha.
 *
 * @param {ImageBitmap} bitmap
 */
function onCanvas(bitmap) {
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null) throw new Error("this browser gives a worker no canvas");
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
  return new Uint8Array(data.buffer);
}

/** @param {Uint8Array} rgba */
function opaque(rgba) {
  for (let at = 3; at < rgba.length; at += 4) if (rgba[at] !== 255) return false;
  return true;
}

/**
 * The colours under transparency, which no 2D canvas hands over.
 *
 * @param {ImageBitmap} bitmap
 * @param {string} kind
 */
function throughWebGL(bitmap, kind) {
  const { width, height } = bitmap;
  const gl = new OffscreenCanvas(1, 1).getContext("webgl");
  const largest = gl === null ? 0 : Number(gl.getParameter(gl.MAX_TEXTURE_SIZE));
  if (gl === null || Math.max(width, height) > largest) {
    throw new Refused(`this browser cannot read a ${kind} with transparency; send a PNG`, 415);
  }
  const texture = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, texture);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, bitmap);
  gl.bindFramebuffer(gl.FRAMEBUFFER, gl.createFramebuffer());
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
  const rgba = new Uint8Array(width * height * 4);
  gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, rgba);
  const failed = gl.getError();
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  if (failed) throw new Error(`WebGL gave no pixels: error ${failed}`);
  return rgba;
}
