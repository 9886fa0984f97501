/**
 * What the modules hand each other. Types alone: nothing here reaches a bundle.
 */

import type { Data, Tensor } from "./steps/arrays.mjs";
import type { Step } from "./steps/index.mjs";

export type { Data, Step, Tensor };
export type Tensors = Record<string, Tensor>;
/** A size, the name of an axis ("B"), or a product ("B*T"). */
export type Dim = number | string;
export type Axes = Record<string, [least: number, most: number]>;

/** A tensor of the model. */
export interface Spec {
  name: string;
  dtype: string;
  shape: Dim[];
}

/** A tensor of the artifact, and the model's behind it: artifact = model.transpose(axes). */
export interface Port extends Spec {
  of: string;
  axes: number[] | null;
}

/** One thing that can be called. */
export interface Entry {
  name: string;
  inputs: Port[];
  outputs: Port[];
}

export interface Signature {
  inputs: Spec[];
  outputs: Spec[];
}

/** How raw bytes become one input. */
export interface RawInput {
  media: string[];
  suffixes: string[];
  host: Step[];
  graph: string | null;
}

/** What stands around the model. */
export interface Steps {
  inputs: Record<string, RawInput>;
  graph: string | null;
  host: Step[];
  gives: Spec[];
  single: boolean;
}

/** One file of a bundle; the path is relative to its folder, the digest in hexadecimal. */
export interface FileRecord {
  path: string;
  size: number;
  sha256: string;
}

/** model.json. */
export interface About {
  name: string;
  code: string;
  runtime: { name: string; version: string };
  entries: Entry[];
  axes: Axes;
  batch: string | null;
  signature: Signature;
  steps: Steps | null;
  ladder: string[];
  files: Record<string, FileRecord>;
}

/** A file as a runtime gets it: fetched, and its digest checked. */
export interface RuntimeFile {
  url: string;
  bytes: ArrayBuffer;
}
export type Files = Record<string, RuntimeFile>;

export interface OpenOptions {
  threads: number;
  provider: string;
  /** The role of the graph to open: "model", "before-0", "after". */
  graph: string;
}

/** A graph that can be asked. */
export interface Opened {
  version: string;
  /** The names of the graph's own inputs and outputs, where the runtime tells. */
  inputs?: readonly string[];
  outputs?: readonly string[];
  /** `entry` matters to runtimes whose files hold several. */
  run(feeds: Tensors, entry?: string): Promise<Tensors>;
  close(): void | Promise<void>;
}

/** What each file in runtimes/ exports. */
export interface Runtime {
  open(files: Files, options: OpenOptions): Promise<Opened>;
}

/** One step of the ladder: how a model may be run. */
export interface Rung {
  provider: "webgpu" | "wasm";
  threads: number;
  name: string;
  why: string;
}

/** Of everything that one load downloads: `file` is what has just grown. */
export interface Progress {
  file: string;
  loaded: number;
  total: number;
}
export type OnProgress = (progress: Progress) => void;

/** What a page may give for an input: a tensor, or its numbers alone where that says all. */
export type Given = Data | { data: Data; shape?: readonly number[]; dtype?: string };
/** The bytes of a file. */
export type Bytes = Blob | ArrayBuffer | ArrayBufferView;
/** Of each input that has steps the bytes of a file, of any other a tensor of the model. */
export type Raw = Record<string, Bytes | Given>;

/** What the page asks the worker. */
export type Question =
  | { start: { runtime: string; provider: string; threads: number; files: Files } }
  | { open: { model: string; about: About; files: Files } }
  | { run: { model: string; entry: string; feeds: Tensors } }
  | { predict: { model: string; raw: Record<string, Blob | Uint8Array | Tensor>; words: boolean } }
  | { close: { model: string } };

/** What the worker answers: a value or an error. */
export interface Answer {
  number: number;
  value?: any;
  error?: { name: string; message: string; status?: number; fatal: boolean };
}

/** Which step of the ladder was taken, and why. `seconds`: from load() until it could be asked. */
export interface Info {
  step: string;
  why: string;
  threads: number;
  provider: string;
  runtime: string;
  seconds: number;
  checked: string;
}
