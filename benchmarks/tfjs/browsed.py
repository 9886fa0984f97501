"""The half that runs in Chromium. In: graph models that were written. Out: TF.js's own answers."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from deploy_targets.integrations import chromium, static_site
from deploy_targets.integrations.chromium import Tab
from deploy_targets.resources import resource
from deploy_targets.targets.web import tfjs
from deploy_targets.workspace import Workspace

ASK = """async ({ roles, feeds }) => {
  const kinds = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };
  const from = (said) => Uint8Array.from(atob(said), (letter) => letter.charCodeAt(0));
  const text = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  const { open } = await import("./tfjs.mjs");
  const files = {};
  for (const [role, path] of Object.entries(roles)) {
    const url = new URL(path, location.href).href;
    files[role] = { url, bytes: await (await fetch(url)).arrayBuffer() };
  }
  const model = await open(files);
  const given = {};
  for (const [name, { dtype, shape, bytes }] of Object.entries(feeds)) {
    given[name] = { dtype, shape, data: new kinds[dtype](from(bytes).buffer) };
  }
  const said = await model.run(given);
  model.close();
  return Object.values(said).map(({ dtype, shape, data }) =>
    ({ dtype, shape, bytes: text(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)) }));
}"""


@contextmanager
def page(folder: Path, workspace: Workspace) -> Iterator[Tab]:
    """A page beside the runtime's files and the models of `folder`."""
    for source in tfjs.sources(workspace).values():
        shutil.copy(source, folder)
    shutil.copy(resource("web", "src", "runtimes", "tfjs.mjs"), folder)
    (folder / "index.html").write_text(
        "<!doctype html><title>TF.js</title><link rel=icon href=data:,>"
    )
    with (
        chromium.started() as browser,
        static_site.serving(folder) as site,
        browser.page(f"{site.url}index.html") as tab,
    ):
        yield tab


def answers(tab: Tab, folder: Path) -> list[Any]:
    """What TF.js answers to the question beside the model. Raises PageFailed."""
    packed = tfjs.packed(folder)
    roles = {role: file.rpartition("/")[2] for role, (_, file) in tfjs.FILES.items()}
    question = {
        "roles": {**roles, "model": f"{folder.name}/{packed.name}"},
        "feeds": json.loads((folder / "feeds.json").read_text()),
    }
    said = tab.call(ASK, question, doing=f"asking {folder.name}", seconds=60)
    return [
        np.frombuffer(base64.b64decode(one["bytes"]), one["dtype"]).reshape(one["shape"])
        for one in said
    ]
