/**
 * Ogg Vorbis: pages to packets here, packets to samples in libvorbis, as WebAssembly.
 *
 * The wasm is that of the npm package @wasm-audio-decoders/ogg-vorbis, of which one file is needed;
 * simple-yenc reads how it is written there. Pages whose checksum is wrong are an error. Opus and
 * other codings in Ogg are refused.
 *
 * @typedef {import("./decode_audio.mjs").Opened} Opened
 * @typedef {import("./ogg.mjs").Stream} Stream
 */

import { packetsOf } from "./ogg.mjs";
import { Refused } from "./refused.mjs";

/** The longest packet that the decoder's memory is asked to hold. */
const LONGEST = 128 * 1024;

/**
 * What the file declares, and how to read it. Throws Refused or a SyntaxError.
 *
 * @param {Uint8Array} bytes
 * @returns {Opened}
 */
export function open(bytes) {
  const stream = packetsOf(bytes);
  const [first = new Uint8Array(0)] = stream.packets;
  if (String.fromCharCode(...first.subarray(0, 7)) !== "\x01vorbis" || first.length < 30) {
    throw new Refused(
      "an OGG file of another coding than Vorbis is not taken; send WAV or FLAC",
      415,
    );
  }
  const header = new DataView(first.buffer, first.byteOffset, first.byteLength);
  const [channels, rate] = [header.getUint8(11), header.getUint32(12, true)];
  if (channels === 0 || stream.packets.length < 3) throw new SyntaxError("its headers are cut off");
  const read = (/** @type {number} */ most) => decoded(stream, channels, most);
  return { rate, channels, told: stream.samples, read };
}

/**
 * Each channel's samples: as many as the last page tells, or until `most` are there.
 *
 * @param {Stream} stream
 * @param {number} channels
 * @param {number} most
 */
async function decoded({ packets, samples }, channels, most) {
  const wanted = Math.min(samples, most);
  const decoder = await Decoder.made();
  const [first, , setup, ...sounds] = packets;
  decoder.start(first ?? new Uint8Array(0), setup ?? new Uint8Array(0));
  const out = Array.from({ length: channels }, () => new Float32Array(wanted));
  let n = 0;
  for (const packet of sounds) {
    if (n >= wanted) break;
    const parts = decoder.decode(packet, channels);
    parts.forEach((part, channel) => out[channel]?.set(part.subarray(0, wanted - n), n));
    n += parts[0]?.length ?? 0;
  }
  decoder.free();
  return n < wanted ? out.map((channel) => channel.slice(0, n)) : out;
}

/** Cells of the decoder's memory, by the order in which it wants their addresses. */
const CELLS = ["inputLength", "output", "channels", "rate", "decoded", "errors", "failed"];
const ERRORS = 256;

/** libvorbis, whose functions take addresses in a memory of its own. */
class Decoder {
  /** A new one, ready to be used. */
  static async made() {
    const wasm = await loaded();
    return new Decoder(wasm);
  }

  /** @param {any} wasm */
  constructor(wasm) {
    this.wasm = wasm;
    this.input = wasm.malloc(LONGEST);
    /** @type {Record<string, number>} */
    this.cells = Object.fromEntries(
      CELLS.map((name) => [name, wasm.malloc(name === "errors" ? 4 * ERRORS : 4)]),
    );
    this.decoder = wasm.create_decoder(this.input, ...Object.values(this.cells), ERRORS);
  }

  /**
   * @param {string} cell
   * @returns {number}
   */
  number(cell) {
    return new Uint32Array(this.wasm.HEAP, this.cells[cell], 1)[0] ?? 0;
  }

  /** @param {Uint8Array} packet */
  give(packet) {
    if (packet.length > LONGEST) throw new SyntaxError("a packet is too long");
    new Uint8Array(this.wasm.HEAP, this.input, packet.length).set(packet);
    new Uint32Array(this.wasm.HEAP, this.cells["inputLength"], 1)[0] = packet.length;
  }

  /**
   * @param {Uint8Array} first
   * @param {Uint8Array} setup
   */
  start(first, setup) {
    this.give(first);
    this.wasm.send_setup(this.decoder, true);
    this.give(setup);
    this.wasm.send_setup(this.decoder, false);
    this.wasm.init_dsp(this.decoder);
  }

  /**
   * Each channel's samples of one packet; none of the first.
   *
   * @param {Uint8Array} packet
   * @param {number} channels
   */
  decode(packet, channels) {
    this.give(packet);
    this.wasm.decode_packets(this.decoder);
    if (this.number("failed")) throw new SyntaxError("a packet cannot be decoded");
    const n = this.number("decoded");
    const places = new Uint32Array(this.wasm.HEAP, this.number("output"), channels);
    return Array.from(places, (place) => new Float32Array(this.wasm.HEAP, n ? place : 0, n));
  }

  free() {
    this.wasm.destroy_decoder(this.decoder);
    for (const place of [this.input, ...Object.values(this.cells)]) this.wasm.free(place);
  }
}

/**
 * The wasm, an instance of its own for each recording: a damaged one leaves nothing behind.
 *
 * @returns {Promise<any>}
 */
async function loaded() {
  const { default: Wasm } = await import("../vendor/ogg-vorbis/EmscriptenWasm.js");
  const wasm = new Wasm({ getModule: compiled }).instantiate();
  await wasm.ready;
  return wasm;
}

/**
 * @param {{wasm: string}} written compressed, and as text
 */
async function compiled(written) {
  const { decode } = await import("../vendor/simple-yenc/esm.js");
  const packed = new Blob([decode(written.wasm)]).stream();
  const whole = new Response(packed.pipeThrough(new DecompressionStream("deflate-raw")));
  return WebAssembly.compile(await whole.arrayBuffer());
}
