/**
 * Sounds that nobody recorded, and the WAV files that they are sent as. Pure: no page is needed.
 */

const RATE = 16000;

/**
 * Samples from -1 to 1 as a WAV file of 16 bits, one channel.
 *
 * @param {Float32Array} samples
 * @param {number} rate
 * @returns {ArrayBuffer}
 */
export function wav(samples, rate) {
  const file = new ArrayBuffer(44 + samples.length * 2);
  const view = new DataView(file);
  const put = (/** @type {number} */ at, /** @type {string} */ word) =>
    [...word].forEach((letter, index) => view.setUint8(at + index, letter.charCodeAt(0)));
  put(0, "RIFF");
  view.setUint32(4, file.byteLength - 8, true);
  put(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  put(36, "data");
  view.setUint32(40, samples.length * 2, true);
  samples.forEach((sample, index) => {
    const held = Math.max(-1, Math.min(1, sample));
    view.setInt16(44 + index * 2, Math.round(held * 32767), true);
  });
  return file;
}

/** A name -> what is heard at a time in seconds. */
const HEARD = /** @type {Record<string, (time: number) => number>} */ ({
  chord: (time) =>
    Math.exp(-time) * [262, 330, 392].reduce((all, pitch) => all + sine(pitch * time), 0) * 0.25,
  "rising tone": (time) => 0.5 * sine(200 * time + 400 * time * time),
  beats: (time) => 0.6 * Math.exp(-12 * (time % 0.25)) * sine(180 * time),
});

/**
 * Each made-up sound, by its name, a second and a half long.
 *
 * @returns {[string, ArrayBuffer][]}
 */
export function madeUp() {
  return Object.entries(HEARD).map(([name, heard]) => {
    const samples = Float32Array.from({ length: RATE * 1.5 }, (_, at) => heard(at / RATE));
    return [name, wav(samples, RATE)];
  });
}

/** @param {number} turns */
function sine(turns) {
  return Math.sin(2 * Math.PI * turns);
}
