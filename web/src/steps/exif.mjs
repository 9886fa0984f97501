/**
 * Which way up a photo is: EXIF's orientation, or XMP's where EXIF has none.
 *
 * In: an EXIF block, which is a small TIFF file, and XMP, which is text. Out: 1 to 8, of which 1 is
 * upright. What cannot be read says nothing: the pixels may be sound.
 */

const ORIENTATION = 0x0112;
/** Types of whole numbers -> bytes of one, and how to read it. */
const READS = /** @type {Record<number, [number, (view: DataView, at: number, little: boolean) => number]>} */ ({
  3: [2, (view, at, little) => view.getUint16(at, little)],
  4: [4, (view, at, little) => view.getUint32(at, little)],
  6: [1, (view, at) => view.getInt8(at)],
  8: [2, (view, at, little) => view.getInt16(at, little)],
  9: [4, (view, at, little) => view.getInt32(at, little)],
});

/**
 * @param {Uint8Array | null} exif with or without "Exif\0\0" in front
 * @param {string} xmp
 * @returns {number}
 */
export function orientation(exif, xmp) {
  const block = exif === null ? new Uint8Array(0) : unnamed(unnamed(exif));
  const said = block.length === 0 ? undefined : tagged(block);
  if (said === null) return 1;
  const told = said ?? Number(/tiff:Orientation(?:="|>)([0-9])/.exec(xmp)?.[1] ?? 1);
  return told >= 1 && told <= 8 ? told : 1;
}

/** @param {Uint8Array} block */
function unnamed(block) {
  const name = "Exif\0\0";
  return [...name].every((c, at) => block[at] === c.charCodeAt(0)) ? block.subarray(6) : block;
}

/**
 * The tag's value; undefined where the block has no such tag, null where it is no such block.
 *
 * @param {Uint8Array} block
 * @returns {number | null | undefined}
 */
function tagged(block) {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  if (block.length < 8) return null;
  const order = view.getUint16(0);
  if (order !== 0x4949 && order !== 0x4d4d) return null;
  const little = order === 0x4949;
  if (view.getUint16(2, little) !== 42) return null;
  const first = view.getUint32(4, little);
  if (first + 2 > block.length) return undefined;
  const entries = view.getUint16(first, little);
  for (let at = first + 2; at + 12 <= block.length && at < first + 2 + 12 * entries; at += 12) {
    if (view.getUint16(at, little) !== ORIENTATION) continue;
    return value(view, at, little);
  }
  return undefined;
}

/**
 * The first value of an entry; its four bytes say where the values lie if they hold more.
 *
 * @param {DataView} view
 * @param {number} at
 * @param {boolean} little
 */
function value(view, at, little) {
  const [bytes, read] = READS[view.getUint16(at + 2, little)] ?? [0, () => 1];
  const many = view.getUint32(at + 4, little);
  const from = bytes * many <= 4 ? at + 8 : view.getUint32(at + 8, little);
  return many > 0 && from + bytes <= view.byteLength ? read(view, from, little) : 1;
}
