import assert from "node:assert/strict";
import { mkdir, mkdtemp, writeFile, cp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { deflateSync } from "node:zlib";

import { fromHalf, toHalf } from "../src/steps/arrays.mjs";
import { decode_image } from "../src/steps/decode_image.mjs";
import { orientation } from "../src/steps/exif.mjs";
import { before, Refused } from "../src/steps/index.mjs";
import { resize } from "../src/steps/resize.mjs";

const OPTIONS = { mode: "rgb", orientation: "exif", alpha: "drop", max_pixels: 100, max_ratio: null };

/** CRC-32 of a PNG's chunk, the slow way. */
const sum = (bytes) => {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc;
};

const chunk = (name, body) => {
  const named = Buffer.concat([Buffer.from(name), body]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(body.length);
  check.writeInt32BE(sum(named));
  return Buffer.concat([length, named, check]);
};

const png = (width, height, type, rows, said = width) => {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(said, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, type], 8);
  const parts = [chunk("IHDR", header), chunk("IDAT", deflateSync(Buffer.from(rows))), chunk("IEND", Buffer.alloc(0))];
  return new Uint8Array(Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), ...parts]));
};

const CLEAR = png(2, 1, 6, [0, 200, 100, 3, 0, 10, 20, 30, 128]);

const refusal = async (bytes, options = {}) => {
  try {
    await decode_image(bytes, {}, { ...OPTIONS, ...options });
  } catch (error) {
    assert.ok(error instanceof Refused, String(error));
    return error.status;
  }
  return assert.fail("it was taken");
};

test("colours under transparency are those of the file", async () => {
  const frame = {};
  const { shape, data } = await decode_image(CLEAR, frame, OPTIONS);
  assert.deepEqual(shape, [1, 2, 3]);
  assert.deepEqual([...data], [200, 100, 3, 10, 20, 30]);
  assert.deepEqual(frame, { size: [1, 2], to_model: [1, 1, 0, 0] });
});

test("transparency shows the ground that was asked for", async () => {
  const white = await decode_image(CLEAR, {}, { ...OPTIONS, alpha: "white" });
  const black = await decode_image(CLEAR, {}, { ...OPTIONS, alpha: "black", mode: "grey" });
  assert.deepEqual([...white.data], [255, 255, 255, 132, 137, 142]);
  assert.deepEqual([...black.data], [0, 9]);
});

test("a photo that is too large is refused before its pixels are looked at", async () => {
  assert.equal(await refusal(png(2, 1, 6, [0], 101)), 413);
  assert.equal(await refusal(png(2, 1, 6, [0], 90), { max_ratio: 9 }), 413);
  assert.equal(await refusal(png(2, 1, 6, [0], 90)), 422);
});

test("what is no image is another medium, and what begins like one is damaged", async () => {
  for (const text of ["", "id,size\n", "MM\0*", "II*\0"]) {
    assert.equal(await refusal(new TextEncoder().encode(text)), 415);
  }
  const beginnings = ["\xff\xd8", "\xff\xd8\xff", "\x89PNG", "RIFF1234WEBP", "GIF89a", "BM", "\xff\xd8\xff\xda\0\0"];
  for (const start of beginnings) assert.equal(await refusal(Uint8Array.from(Buffer.from(start, "latin1"))), 422);
});

test("a PNG that is cut off anywhere before its last pixel is refused", async () => {
  const whole = png(2, 3, 2, [0, 1, 2, 3, 4, 5, 6, 1, 1, 2, 3, 4, 5, 6, 2, 1, 2, 3, 4, 5, 6]);
  const { data } = await decode_image(whole, {}, OPTIONS);
  assert.deepEqual([...data], [1, 2, 3, 4, 5, 6, 1, 2, 3, 5, 7, 9, 2, 4, 6, 9, 12, 15]);
  for (let length = 4; length < 50; length += 1) assert.equal(await refusal(whole.slice(0, length)), 422, `${length}`);
});

test("a flipped byte in a PNG's header is noticed", async () => {
  const flipped = CLEAR.slice();
  flipped[19] ^= 1;
  assert.equal(await refusal(flipped), 422);
});

test("EXIF that makes no sense says nothing of which way up a photo is", () => {
  const little = [0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0];
  const named = [..."Exif\0\0"].map((c) => c.charCodeAt(0));
  assert.equal(orientation(Uint8Array.from([...named, ...little]), ""), 6);
  assert.equal(orientation(null, ""), 1);
  assert.equal(orientation(null, '<a tiff:Orientation="8">'), 8);
  for (let length = 0; length < 20; length += 1) {
    assert.equal(orientation(Uint8Array.from(little.slice(0, length)), ""), 1, `${length}`);
  }
  for (const wrong of [0, 9, 255]) assert.equal(orientation(Uint8Array.from(little.with(18, wrong)), ""), 1);
});

test("float16 is rounded to the nearest, of two the even one, and comes back", () => {
  for (let bits = 0; bits < 0x7c01; bits += 1) assert.equal(toHalf(fromHalf(bits)), bits);
  assert.equal(toHalf(2049), toHalf(2048));
  assert.equal(toHalf(2051), toHalf(2052));
  assert.equal(toHalf(65519), 0x7bff);
  assert.equal(toHalf(-65520), 0xfc00);
  assert.equal(toHalf(2 ** -25), 0);
  assert.equal(toHalf(2 ** -24 * 1.5), 2);
  assert.ok(Number.isNaN(fromHalf(toHalf(NaN))));
});

test("a resize of a photo of 12 megapixels is done in little time of a processor", () => {
  const [height, width] = [3000, 4000];
  const photo = { dtype: "uint8", shape: [height, width, 3], data: new Uint8Array(height * width * 3).fill(77) };
  const options = { to: [224, 224], shorter: null, longer: null, interpolation: "bilinear", antialias: "pil" };
  const began = process.cpuUsage();
  const { data } = resize(photo, { to_model: [1, 1, 0, 0] }, options);
  const { user } = process.cpuUsage(began);
  assert.ok(data.every((level) => level === 77));
  // Ten times what it takes: a bound for what must never happen, such as a number in a box.
  assert.ok(user < 3e6, `${user / 1e3} ms`);
});

test("a user's own step is called with a copy, and held to what it may give", async () => {
  const folder = await mkdtemp(join(tmpdir(), "steps-"));
  try {
    await cp(new URL("../src/steps", import.meta.url), join(folder, "steps"), { recursive: true });
    await mkdir(join(folder, "steps", "own_steps"));
    const code = `
      export const halve = (given) => { given.data.forEach((v, i) => (given.data[i] = v / 2)); return given; };
      export const widen = async (given) => ({ ...given, dtype: "float64", data: Float64Array.from(given.data) });
      export const nothing = () => 7;
      export const torn = (given) => ({ ...given, data: given.data.slice(1) });`;
    await writeFile(join(folder, "steps", "own_steps", "mine.mjs"), code);
    const steps = await import(pathToFileURL(join(folder, "steps", "index.mjs")).href);
    const value = { dtype: "float32", shape: [2], data: Float32Array.of(1, 3) };
    const call = (name) =>
      steps.before([{ op: "own", options: { name: "mine", counterpart: `folder/mine.mjs:${name}`, dtype: "float32", shape: ["n"], keeps: true } }], value, {});
    assert.deepEqual([...(await call("halve")).data], [0.5, 1.5]);
    assert.deepEqual([...value.data], [1, 3]);
    await assert.rejects(call("widen"), /own step mine: gave float64\[2\], was given float32\[2\]/);
    await assert.rejects(call("nothing"), /own step mine: gave no tensor/);
    await assert.rejects(call("torn"), /data are not a Float32Array of 2/);
    await assert.rejects(call("absent"), /no function that is exported/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("an operation that nobody knows is named", async () => {
  await assert.rejects(before([{ op: "twirl", options: {} }], new Uint8Array(1), {}), /no step is named "twirl"/);
});
