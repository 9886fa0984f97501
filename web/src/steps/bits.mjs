/**
 * Bits from bytes, the highest first.
 */

/** Thrown where more is read than is there. */
export class CutOff extends Error {}

export class Bits {
  /**
   * @param {Uint8Array} bytes
   * @param {number} start the first byte
   */
  constructor(bytes, start) {
    this.bytes = bytes;
    this.at = 8 * start;
    this.end = 8 * bytes.length;
  }

  /** How many bytes are behind, counting one that was begun. */
  get bytesRead() {
    return Math.ceil(this.at / 8);
  }

  /**
   * A number of that many bits, up to 53.
   *
   * @param {number} width
   * @returns {number}
   */
  read(width) {
    if (width > 24) {
      const high = this.read(width - 24);
      return high * 2 ** 24 + this.read(24);
    }
    if (width === 0) return 0;
    const { at, bytes } = this;
    if (at + width > this.end) throw new CutOff("there are no more bits");
    const from = at >>> 3;
    const window =
      ((bytes[from] ?? 0) << 24) |
      ((bytes[from + 1] ?? 0) << 16) |
      ((bytes[from + 2] ?? 0) << 8) |
      (bytes[from + 3] ?? 0);
    this.at = at + width;
    return (window << (at & 7)) >>> (32 - width);
  }

  /**
   * The same, with a sign in two's complement.
   *
   * @param {number} width
   */
  signed(width) {
    const value = this.read(width);
    return value >= 2 ** (width - 1) ? value - 2 ** width : value;
  }

  /** How many zeros there are before a one, which is read, too. */
  zeros() {
    let found = 0;
    while (this.at < this.end) {
      const room = 8 - (this.at & 7);
      const rest = (this.bytes[this.at >>> 3] ?? 0) & ((1 << room) - 1);
      if (rest !== 0) {
        const more = Math.clz32(rest) - (32 - room);
        this.at += more + 1;
        return found + more;
      }
      found += room;
      this.at += room;
    }
    throw new CutOff("there are no more bits");
  }

  /** @param {number} width */
  skip(width) {
    if (this.at + width > this.end) throw new CutOff("there are no more bits");
    this.at += width;
  }

  /** On to the next whole byte. */
  align() {
    this.at = 8 * this.bytesRead;
  }
}
