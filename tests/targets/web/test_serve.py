"""`deploy-target serve` on a web bundle: a URL that answers, and a clean end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from deploy_targets.records import Bundle


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_a_bundle_is_served_until_interrupted(bundle: Bundle, end: signal.Signals) -> None:
    command = [sys.executable, "-m", "deploy_targets", "serve", str(bundle.path)]
    server = subprocess.Popen(
        [*command, "--port", "0", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stdout
    try:
        url = json.loads(server.stdout.readline())["url"]
        with urllib.request.urlopen(f"{url}/model.mjs", timeout=20) as answer:
            assert answer.headers["content-type"].startswith("text/javascript")
            assert answer.headers["cross-origin-opener-policy"] == "same-origin"
            assert answer.headers["cross-origin-embedder-policy"] == "require-corp"
            assert "default-src 'none'" in answer.headers["content-security-policy"]
        server.send_signal(end)
        _, said = server.communicate(timeout=20)
    finally:
        server.kill()
        server.wait()
    assert server.returncode == 130
    assert "Traceback" not in said
    with pytest.raises(urllib.error.URLError, match="refused"):
        urllib.request.urlopen(url, timeout=5)
