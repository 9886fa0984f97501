import assert from "node:assert/strict";
import { test } from "node:test";
import { read } from "../../src/steps/decode_audio.mjs";
import { spectrumOf } from "../../src/steps/fft.mjs";
import { before } from "../../src/steps/index.mjs";
import { padded } from "../../src/steps/melbank.mjs";

/** A RIFF chunk. */
function chunk(name, bytes, size = bytes.length) {
  const head = Buffer.alloc(8);
  head.write(name, "latin1");
  head.writeUInt32LE(size, 4);
  return Buffer.concat([head, Buffer.from(bytes), Buffer.alloc(bytes.length % 2)]);
}

/** A WAV of one channel at 8 kHz; `parts` stand before the samples. */
function wav(coding, bits, samples, { parts = [], size, riff = "RIFF", extensible = false } = {}) {
  const form = Buffer.alloc(extensible ? 40 : 16);
  const width = bits / 8;
  form.writeUInt16LE(extensible ? 0xfffe : coding, 0);
  form.writeUInt16LE(1, 2);
  form.writeUInt32LE(8000, 4);
  form.writeUInt32LE(8000 * width, 8);
  form.writeUInt16LE(width, 12);
  form.writeUInt16LE(bits, 14);
  if (extensible) form.writeUInt16LE(coding, 24);
  const body = [Buffer.from("WAVE"), ...parts, chunk("fmt ", form), chunk("data", samples, size)];
  return new Uint8Array(chunk(riff, Buffer.concat(body)));
}

async function samples(bytes) {
  const { samples: channels } = await read(bytes, 60);
  return channels.map((channel) => [...channel]);
}

const refused = (status, words) => (error) => {
  assert.equal(error.name, "Refused");
  assert.equal(error.status, status);
  assert.match(error.message, words);
  return true;
};

test("a WAV of every width is read to -1..1", async () => {
  const half = Buffer.alloc(8);
  half.writeDoubleLE(0.5);
  const single = Buffer.alloc(4);
  single.writeFloatLE(-1.5);
  for (const [coding, bits, bytes, value] of [
    [1, 8, [0, 192], [-1, 0.5]],
    [1, 16, [0, 128, 0, 64], [-1, 0.5]],
    [1, 24, [0, 0, 128, 0, 0, 64], [-1, 0.5]],
    [1, 32, [0, 0, 0, 128, 0, 0, 0, 64], [-1, 0.5]],
    [3, 32, single, [-1.5]],
    [3, 64, half, [0.5]],
    [6, 8, [0xd5, 0x55], [8 / 32768, -8 / 32768]],
    [7, 8, [0xff, 0x80], [0, 32124 / 32768]],
  ]) {
    assert.deepEqual(await samples(wav(coding, bits, bytes)), [value]);
    assert.deepEqual(await samples(wav(coding, bits, bytes, { extensible: true })), [value]);
  }
});

test("a WAV's other chunks are skipped, those of an odd size with their pad", async () => {
  const parts = [chunk("LIST", [1, 2, 3, 4, 5])];
  assert.deepEqual(await samples(wav(1, 16, [0, 64], { parts })), [[0.5]]);
});

test("a WAV that was written to a pipe is read to its end", async () => {
  assert.deepEqual(await samples(wav(1, 16, [0, 64, 0, 128], { size: 2 ** 32 - 1 })), [[0.5, -1]]);
});

test("an RF64 has its size in a chunk of its own, and is cut off where that is not there", async () => {
  const long = (size) => {
    const sizes = Buffer.alloc(28);
    sizes.writeBigUInt64LE(BigInt(size), 8);
    return { riff: "RF64", size: 2 ** 32 - 1, parts: [chunk("ds64", sizes)] };
  };
  assert.deepEqual(await samples(wav(1, 16, [0, 64, 0, 128], long(2))), [[0.5]]);
  await assert.rejects(samples(wav(1, 16, [0, 64], long(400))), refused(422, /cut off/));
});

test("a WAV of a coding that is not read names those that are", async () => {
  await assert.rejects(samples(wav(17, 8, [1, 2])), refused(415, /coding 17.*A-law/));
});

test("hours of samples in a short header are refused before they are read", async () => {
  const bytes = Buffer.from(
    "664c614380000022100010000000000000000bb8f0f00000000000000000000000000000000000000000",
    "hex",
  );
  bytes[21] = 0xff;
  await assert.rejects(samples(new Uint8Array(bytes)), refused(413, /longer than 60 seconds/));
});

/** CRC bit by bit, from the top. */
function crc(bytes, polynomial, width) {
  let value = 0;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      const top = (value >> (width - 1)) & 1;
      value = ((value << 1) & (2 ** width - 1)) ^ (top ^ ((byte >> bit) & 1) ? polynomial : 0);
    }
  }
  return value;
}

/** A FLAC of `size` times the same 16-bit sample, at 8 kHz, as one frame; `told` by its header. */
function flac(size, sample, told = size) {
  const stream = [
    0,
    16,
    0,
    16,
    0,
    0,
    0,
    0,
    0,
    0,
    0x01,
    0xf4,
    0x00,
    0xf0,
    0,
    0,
    0,
    told,
    ...Buffer.alloc(16),
  ];
  const header = [0xff, 0xf8, 0x60, 0x00, 0x00, size - 1];
  const frame = [...header, crc(header, 7, 8), 0x00, sample >> 8, sample & 255];
  const sum = crc(frame, 0x8005, 16);
  return Uint8Array.from([
    ...Buffer.from("fLaC"),
    0x80,
    0,
    0,
    34,
    ...stream,
    ...frame,
    sum >> 8,
    sum & 255,
  ]);
}

test("a FLAC is read to the very samples", async () => {
  assert.deepEqual(await samples(flac(16, 0x4000)), [Array(16).fill(0.5)]);
});

test("a FLAC whose number of samples is not told is read to its end", async () => {
  assert.deepEqual(await samples(flac(16, 0x4000, 0)), [Array(16).fill(0.5)]);
});

test("a FLAC with a flipped bit, or cut off, is refused", async () => {
  const flipped = flac(16, 0x4000);
  flipped[flipped.length - 3] ^= 4;
  await assert.rejects(samples(flipped), refused(422, /checksum of a frame/));
  await assert.rejects(samples(flac(16, 0x4000).slice(0, -4)), refused(422, /cut off/));
  await assert.rejects(samples(flac(16, 0x4000, 17)), refused(422, /cut off/));
});

test("a file of Ogg that is not Vorbis is refused with what is taken", async () => {
  const page = [
    ...Buffer.from("OggS"),
    0,
    2,
    ...Buffer.alloc(20),
    1,
    8,
    ...Buffer.from("OpusHead"),
  ];
  const table = (byte, bits) =>
    bits ? table(byte & 0x80000000 ? (byte << 1) ^ 0x04c11db7 : byte << 1, bits - 1) : byte;
  const sum = page.reduce(
    (value, byte) => (value << 8) ^ table((((value >>> 24) ^ byte) & 255) << 24, 8),
    0,
  );
  page.splice(22, 4, sum & 255, (sum >> 8) & 255, (sum >> 16) & 255, (sum >> 24) & 255);
  await assert.rejects(samples(Uint8Array.from(page)), refused(415, /Vorbis.*WAV or FLAC/));
  page[30] ^= 1;
  await assert.rejects(samples(Uint8Array.from(page)), refused(422, /checksum of a page/));
});

test("a spectrum of any length is that of the definition", () => {
  for (const size of [1, 2, 3, 8, 15, 100, 400, 512]) {
    const wave = Float64Array.from({ length: size }, (_, n) => Math.sin(n * n) + 0.1 * n);
    const { re, im } = spectrumOf(size)(wave);
    for (let k = 0; k <= size / 2; k++) {
      let [x, y] = [0, 0];
      wave.forEach((one, n) => {
        x += one * Math.cos((2 * Math.PI * k * n) / size);
        y -= one * Math.sin((2 * Math.PI * k * n) / size);
      });
      assert.ok(Math.hypot(x - re[k], y - im[k]) < 1e-10 * size * size, `${size}, bin ${k}`);
    }
  }
});

test("a mirror that is longer than the recording goes to and fro", () => {
  const mirrored = padded(Float64Array.of(1, 2, 3), 5, 4, "reflect");
  assert.deepEqual([...mirrored], [2, 1, 2, 3, 2, 1, 2, 3, 2, 1, 2, 3]);
  assert.deepEqual([...padded(Float64Array.of(7), 2, 1, "reflect")], [7, 7, 7, 7]);
});

test("two rates that share nothing are refused", async () => {
  const silence = { dtype: "float32", shape: [9], data: new Float32Array(9) };
  const step = { op: "resample", options: { to: 16000, method: "polyphase" } };
  await assert.rejects(before([step], silence, { rate: 383987 }), refused(422, /a sane size/));
});
