/**
 * A recording's samples: the bytes of a WAV, FLAC or OGG file -> float32 in -1..1, and its rate.
 *
 * What a file declares is bounded before anything is decoded. To add a format: a line in KNOWN and
 * in READERS, and a module with `open(bytes)`, which throws Refused, or a SyntaxError that says what
 * is wrong with the file.
 *
 * @typedef {import("./arrays.mjs").Tensor} Tensor
 * @typedef {import("./arrays.mjs").Frame} Frame
 * @typedef {{rate: number, channels: number, told: number,
 *   read: (most: number) => Promise<Float32Array[]> | Float32Array[]}} Opened
 *   `told` samples a channel, 0 where the file does not know; `read` gives each channel's, and may
 *   stop after `most`
 */

import { tensor } from "./arrays.mjs";
import { Refused } from "./refused.mjs";

/** @type {Record<string, "WAV" | "FLAC" | "OGG">} */
const KNOWN = { RIFF: "WAV", RF64: "WAV", fLaC: "FLAC", OggS: "OGG" };
/** Each format's reader is fetched when the first such file comes. */
const READERS = {
  WAV: () => import("./wav.mjs"),
  FLAC: () => import("./flac.mjs"),
  OGG: () => import("./vorbis.mjs"),
};
/** What a recording may declare: beyond, the header is wrong or means to exhaust memory. */
const [SLOWEST, FASTEST, CHANNELS] = [1_000, 384_000, 8];
/** Samples in all channels that are read: so many for each of max_seconds, or so many at least. */
const [A_SECOND, ALWAYS] = [2 * 96_000, 4_000_000];

/**
 * Samples [n], or [c, n] with channels "keep", of -amplitude to amplitude; sets the rate.
 *
 * @param {Uint8Array} value
 * @param {Frame} frame
 * @param {{channels: string, amplitude: number, max_seconds: number}} options
 * @returns {Promise<Tensor>}
 */
export async function decode_audio(value, frame, { channels, amplitude, max_seconds }) {
  const { samples, rate } = await read(value, max_seconds);
  frame.rate = rate;
  const n = samples[0]?.length ?? 0;
  const kept =
    channels === "keep"
      ? samples
      : [channels === "mono" ? mean(samples) : (samples[0] ?? new Float32Array(0))];
  const data = new Float32Array(kept.length * n);
  kept.forEach((channel, i) => data.set(channel, i * n));
  const loud = Math.fround(amplitude);
  if (loud !== 1) data.forEach((sample, i) => (data[i] = sample * loud));
  return tensor("float32", channels === "keep" ? [kept.length, n] : [n], data);
}

/**
 * A file's samples by channel, and its rate. Throws Refused.
 *
 * @param {Uint8Array} bytes
 * @param {number} max_seconds
 */
export async function read(bytes, max_seconds) {
  if (bytes.length === 0) throw new Refused("the body is empty; send a WAV, FLAC or OGG file");
  const kind = KNOWN[String.fromCharCode(...bytes.subarray(0, 4))];
  if (kind === undefined) throw new Refused("this is no WAV, FLAC or OGG file", 415);
  try {
    const file = await (await READERS[kind]()).open(bytes);
    return { samples: await samplesOf(file, kind, max_seconds), rate: file.rate };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new Refused(`the ${kind} file cannot be read: ${error.message}`);
  }
}

/**
 * @param {Opened} file
 * @param {string} kind
 * @param {number} max_seconds
 */
async function samplesOf(file, kind, max_seconds) {
  const { rate, channels, told } = file;
  if (!(rate >= SLOWEST && rate <= FASTEST)) {
    throw new Refused(`${rate} samples a second; expected ${SLOWEST} to ${FASTEST}`);
  }
  if (channels > CHANNELS) throw new Refused(`${channels} channels; expected ${CHANNELS} at most`);
  bounded(told, file, max_seconds);
  const most = Math.max(ALWAYS, Math.trunc(max_seconds * A_SECOND)) / channels;
  const samples = await file.read(Math.min(Math.trunc(max_seconds * rate), Math.floor(most)) + 1);
  const n = samples[0]?.length ?? 0;
  bounded(n, file, max_seconds);
  if (n === 0 && told === 0) throw new Refused(`the ${kind} file holds no samples`);
  if (n < told) throw new Refused(`the ${kind} file is cut off: its header promises more`);
  if (!samples.every((channel) => channel.every(Number.isFinite))) {
    throw new Refused("the recording holds samples that are no numbers");
  }
  return samples;
}

/**
 * Throws Refused for so many samples a channel. Some kilobytes may declare gigabytes.
 *
 * @param {number} n
 * @param {Opened} file
 * @param {number} max_seconds
 */
function bounded(n, { rate, channels }, max_seconds) {
  if (n > Math.trunc(max_seconds * rate)) {
    throw new Refused(`the recording is longer than ${max_seconds} seconds`, 413);
  }
  const most = Math.max(ALWAYS, Math.trunc(max_seconds * A_SECOND));
  if (n * channels > most) {
    throw new Refused(
      `${n} samples in ${channels} channels are more than the ${most} that are read; ` +
        "send fewer channels or a lower rate",
      413,
    );
  }
}

/**
 * The mean of all channels, summed in float32 as the reference does.
 *
 * @param {Float32Array[]} samples
 */
function mean(samples) {
  const [first = new Float32Array(0), ...others] = samples;
  const sum = first.slice();
  for (const channel of others) {
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + (channel[i] ?? 0);
  }
  return others.length ? sum.map((one) => one / samples.length) : sum;
}
