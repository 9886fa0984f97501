/**
 * Photos on the page: never larger than they are shown, with boxes and masks over them.
 *
 * In: the bytes of a photo. Out: a canvas that follows the width it is given. Also a few pictures
 * that nobody took, for a visitor without one at hand.
 */

/**
 * @typedef {{label?: string, class: number, score: number | string, box: (number | string)[],
 *   shade?: string | undefined}} Box `shade`: what a mask of the same answer draws that class in
 * @typedef {{size: [number, number], png: string, classes: {label?: string, index: number, share: number}[]}} Mask
 */

/** What a side of a photo is kept with; a phone's photo has four times as many. */
const MOST = 1280;
/** How high a photo stands on the page, in pixels of the page. */
const HIGH = 340;

/** A photo, and what is drawn over it. */
export class Photo {
  /** @type {Box[]} */ boxes = [];
  /** @type {HTMLCanvasElement | null} */ mask = null;
  /** How strongly the mask covers the photo. */ cover = 0.6;
  /** @type {ResizeObserver} */ #watch;

  /**
   * @param {HTMLCanvasElement} kept
   * @param {number} width of the photo itself
   * @param {number} height
   */
  constructor(kept, width, height) {
    this.kept = kept;
    this.width = width;
    this.height = height;
    this.canvas = document.createElement("canvas");
    this.canvas.className = "photo";
    this.canvas.setAttribute("role", "img");
    this.#watch = new ResizeObserver(() => this.draw());
  }

  /**
   * Into the page; from then on it follows the width of what it lies in.
   *
   * @param {string} said for whom cannot see it
   */
  shown(said) {
    this.canvas.setAttribute("aria-label", said);
    const frame = document.createElement("div");
    frame.className = "frame";
    frame.append(this.canvas);
    this.#watch.observe(frame);
    return frame;
  }

  draw() {
    const room = this.canvas.parentElement?.clientWidth ?? 0;
    if (room === 0) return;
    const across = Math.min(room, (HIGH * this.width) / this.height);
    const fine = Math.min(window.devicePixelRatio || 1, 2);
    const [width, height] = [across, (across * this.height) / this.width].map((side) =>
      Math.max(1, Math.round(side * fine)),
    );
    if (width === undefined || height === undefined) return;
    this.canvas.width = width;
    this.canvas.height = height;
    this.canvas.style.width = `${across}px`;
    const pen = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    // What is shown much larger than it is shows its pixels, and no blur.
    pen.imageSmoothingEnabled = width < this.kept.width * 3;
    pen.drawImage(this.kept, 0, 0, width, height);
    this.#drawMask(pen, width, height);
    for (const box of [...this.boxes].reverse()) this.#drawBox(pen, box, width / this.width, fine);
  }

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {number} width
   * @param {number} height
   */
  #drawMask(pen, width, height) {
    if (this.mask === null) return;
    pen.globalAlpha = this.cover;
    pen.imageSmoothingEnabled = false;
    pen.drawImage(this.mask, 0, 0, width, height);
    pen.globalAlpha = 1;
  }

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {Box} box
   * @param {number} scale
   * @param {number} fine
   */
  #drawBox(pen, box, scale, fine) {
    const [left = 0, top = 0, right = 0, bottom = 0] = box.box.map((side) => Number(side) * scale);
    pen.lineWidth = 2 * fine;
    pen.strokeStyle = box.shade ?? colour(box.class);
    pen.strokeRect(left, top, right - left, bottom - top);
    const text = `${box.label ?? box.class} ${Number(box.score).toFixed(2)}`;
    pen.font = `600 ${12 * fine}px system-ui, sans-serif`;
    const [wide, high] = [pen.measureText(text).width + 8 * fine, 17 * fine];
    const x = Math.max(0, Math.min(left - fine, this.canvas.width - wide));
    const y = top >= high ? top - high : top;
    pen.fillStyle = box.shade ?? colour(box.class);
    pen.fillRect(x, y, wide, high);
    pen.fillStyle = box.shade && isLight(box.shade) ? "#000000" : "#ffffff";
    pen.textBaseline = "middle";
    pen.fillText(text, x + 4 * fine, y + high / 2 + fine / 2);
  }
}

/**
 * The colour of a class's boxes: dark enough for white letters.
 *
 * @param {number} kind
 */
export function colour(kind) {
  return `hsl(${Math.round(212 + kind * 137.5) % 360} 75% 34%)`;
}

/**
 * Whether black letters are read better on it.
 *
 * @param {string} shade rgb(red green blue)
 */
function isLight(shade) {
  const [red = 0, green = 0, blue = 0] = (shade.match(/\d+/g) ?? []).map((level) => (Number(level) / 255) ** 2.2);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18;
}

/**
 * A photo from its bytes. Throws where the browser cannot show it, which is not for the model to say.
 *
 * @param {Blob} blob
 * @param {boolean} upright whether EXIF turns it, as the model's own steps do or do not
 */
export async function opened(blob, upright) {
  const bitmap = await createImageBitmap(blob, { imageOrientation: upright ? "from-image" : "none" });
  const { width, height } = bitmap;
  const scale = Math.min(1, MOST / Math.max(width, height));
  const kept = canvas(Math.max(1, width * scale), Math.max(1, height * scale));
  const pen = /** @type {CanvasRenderingContext2D} */ (kept.getContext("2d"));
  pen.imageSmoothingQuality = "high";
  pen.drawImage(bitmap, 0, 0, kept.width, kept.height);
  bitmap.close();
  return new Photo(kept, width, height);
}

/**
 * A mask as a picture of at most the size at which it is shown; black, which means nothing, is clear.
 *
 * @param {Mask} mask
 */
export async function maskOf(mask) {
  const letters = atob(mask.png);
  const file = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([file], { type: "image/png" }));
  const scale = Math.min(1, MOST / Math.max(bitmap.width, bitmap.height));
  const made = canvas(Math.max(1, bitmap.width * scale), Math.max(1, bitmap.height * scale));
  const pen = /** @type {CanvasRenderingContext2D} */ (made.getContext("2d", { willReadFrequently: true }));
  pen.imageSmoothingEnabled = false;
  pen.drawImage(bitmap, 0, 0, made.width, made.height);
  bitmap.close();
  const pixels = pen.getImageData(0, 0, made.width, made.height);
  const { data } = pixels;
  for (let at = 0; at < data.length; at += 4) {
    if (data[at] === 0 && data[at + 1] === 0 && data[at + 2] === 0) data[at + 3] = 0;
  }
  pen.putImageData(pixels, 0, 0);
  return made;
}

/**
 * @param {number} width
 * @param {number} height
 */
function canvas(width, height) {
  const made = document.createElement("canvas");
  made.width = Math.round(width);
  made.height = Math.round(height);
  return made;
}

/** A name -> what paints such a picture, 320 by 240. */
const PAINTED = /** @type {Record<string, (pen: CanvasRenderingContext2D) => void>} */ ({
  shore(pen) {
    bands(pen, ["#6fb1e8", "#a8d3f2", "#f6e3c0"], 0, 130);
    bands(pen, ["#1f6f9c", "#2f88b0", "#58a7bf"], 130, 60);
    bands(pen, ["#d8b67a", "#c79f60"], 190, 50);
    disc(pen, "#fff3c4", 250, 50, 24);
  },
  fruit(pen) {
    bands(pen, ["#efe6d8", "#d9c9ae"], 0, 240);
    disc(pen, "#d9541e", 110, 130, 62);
    disc(pen, "#f08c2e", 100, 118, 44);
    disc(pen, "#4d8b2c", 220, 150, 50);
    disc(pen, "#7cb342", 212, 140, 34);
  },
  blocks(pen) {
    pen.fillStyle = "#2b2f36";
    pen.fillRect(0, 0, 320, 240);
    ["#e53935", "#43a047", "#1e88e5"].forEach((shade, at) => {
      pen.fillStyle = shade;
      pen.fillRect(24 + at * 96, 40 + at * 32, 80, 100);
    });
  },
  stripes(pen) {
    for (let at = 0; at < 16; at += 1) {
      pen.fillStyle = at % 2 ? "#f4f4f0" : "#1d1d1b";
      pen.fillRect(at * 20, 0, 20, 240);
    }
  },
});

/**
 * The made-up pictures: a name, and a canvas with it.
 *
 * @returns {[string, HTMLCanvasElement][]}
 */
export function madeUp() {
  return Object.entries(PAINTED).map(([name, paint]) => {
    const made = canvas(320, 240);
    paint(/** @type {CanvasRenderingContext2D} */ (made.getContext("2d")));
    return [name, made];
  });
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {string[]} shades from the top
 * @param {number} top
 * @param {number} high
 */
function bands(pen, shades, top, high) {
  const gradient = pen.createLinearGradient(0, top, 0, top + high);
  shades.forEach((shade, at) => gradient.addColorStop(at / (shades.length - 1), shade));
  pen.fillStyle = gradient;
  pen.fillRect(0, top, 320, high);
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {string} shade
 * @param {number} x
 * @param {number} y
 * @param {number} radius
 */
function disc(pen, shade, x, y, radius) {
  pen.fillStyle = shade;
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.fill();
}
