/** What a bundle's `vendor/` has from npm, as far as the steps use it. */

declare module "*/vendor/ogg-vorbis/EmscriptenWasm.js" {
  const Wasm: new (loader: {
    getModule(written: { wasm: string }): Promise<WebAssembly.Module>;
  }) => {
    instantiate(): any;
  };
  export default Wasm;
}

declare module "*/vendor/simple-yenc/esm.js" {
  export function decode(text: string): Uint8Array<ArrayBuffer>;
}
