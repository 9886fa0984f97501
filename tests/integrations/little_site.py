"""A site of three small files, for browsers to open: what it is asked decides what goes wrong."""

from __future__ import annotations

from pathlib import Path

HEADERS = """\
/*
  Content-Security-Policy: default-src 'self'; img-src data:
  Cross-Origin-Opener-Policy: same-origin
  Cross-Origin-Embedder-Policy: require-corp
  Cross-Origin-Resource-Policy: same-origin
"""
PAGE = """\
<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>little</title><link rel="icon" href="data:,">
<script type="module" src="page.mjs"></script></head>
<body><p id="state">starting</p></body>
</html>
"""
MODULE = """\
window.little = {
  double: (number) => 2 * number,
  wrong: () => { throw new TypeError("no such tensor"); },
  never: () => new Promise(() => {}),
  busy: () => { for (;;); },
  warn: () => console.warn("careful"),
  late: () => { setTimeout(() => { throw new Error("too late"); }, 0); },
  missing: async () => (await fetch("missing.bin")).status,
  inline: () => {
    const script = document.createElement("script");
    script.textContent = "window.was = 1";
    document.body.append(script);
    return window.was ?? null;
  },
  worker: (what) => new Promise((done) => {
    const worker = new Worker(new URL("worker.mjs", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }) => done(data);
    worker.postMessage(what);
  }),
  async echo({ question, answer }) {
    const bytes = await (await fetch(question, { cache: "no-store" })).arrayBuffer();
    await fetch(answer, { method: "POST", body: new Blob([bytes]) });
    return bytes.byteLength;
  },
};
document.getElementById("state").textContent = "ready";
"""
WORKER = """\
self.onmessage = async ({ data }) => {
  if (data === "nested") {
    const worker = new Worker(import.meta.url, { type: "module" });
    worker.onmessage = () => self.postMessage("asked");
    worker.postMessage("elsewhere");
    return;
  }
  if (data === "error") console.error("the worker is not well");
  if (data === "elsewhere") await fetch("https://elsewhere.invalid/").catch(() => {});
  self.postMessage("asked");
};
"""


def write(folder: Path) -> Path:
    """The folder, with the site in it."""
    files = {"_headers": HEADERS, "index.html": PAGE, "page.mjs": MODULE, "worker.mjs": WORKER}
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder
