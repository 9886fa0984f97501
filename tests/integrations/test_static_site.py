"""The server of a static folder, asked over HTTP: what a host would send, and nothing else."""

from __future__ import annotations

import gzip
import http.client
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from deploy_targets.errors import ConfigError
from deploy_targets.integrations import static_site
from deploy_targets.integrations.static_site import Site, headers_for, rules

HEADERS = """\
# A comment.
/*
  X-Content-Type-Options: nosniff
  Content-Security-Policy: default-src 'none'; connect-src 'self'

/assets/*
  Cache-Control: public, max-age=31536000, immutable
/index.html
  Cache-Control: no-cache
"""
MODEL = bytes(range(256)) * 40


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    parent = tmp_path_factory.mktemp("host")
    (parent / "secret.txt").write_text("not for visitors")
    site = parent / "site"
    (site / "assets").mkdir(parents=True)
    (site / "_headers").write_text(HEADERS)
    (site / "index.html").write_text("<!doctype html>")
    (site / "model.mjs").write_text("export {};")
    (site / "model.mjs.gz").write_bytes(gzip.compress(b"export {};"))
    (site / "model.mjs.br").write_bytes(b"as brotli")
    (site / "runtime.wasm").write_bytes(b"\0asm")
    (site / "assets" / "model.onnx").write_bytes(MODEL)
    (site / "link.txt").symlink_to(parent / "secret.txt")
    return site


@pytest.fixture(scope="module")
def site(folder: Path) -> Iterator[Site]:
    with static_site.serving(folder) as served:
        yield served


def ask(
    site: Site, path: str, method: str = "GET", body: bytes | None = None, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    where = urlsplit(site.url)
    connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=10)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, named)
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, found, answer.read()
    finally:
        connection.close()


def test_a_file_comes_with_its_type_and_the_headers_of_the_folder(site: Site) -> None:
    status, headers, body = ask(site, "/assets/model.onnx")
    assert (status, body) == (200, MODEL)
    assert headers["content-type"] == "application/octet-stream"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; connect-src 'self'"
    assert headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/model.mjs", "text/javascript; charset=utf-8"),
        ("/runtime.wasm", "application/wasm"),
        ("/", "text/html; charset=utf-8"),
    ],
)
def test_types_are_those_that_browsers_insist_on(site: Site, path: str, kind: str) -> None:
    status, headers, _ = ask(site, path)
    assert (status, headers["content-type"]) == (200, kind)


def test_a_compressed_copy_goes_to_whoever_accepts_it(site: Site) -> None:
    accepted = {"br, gzip": "br", "gzip": "gzip", "identity": None}
    for accepts, wanted in accepted.items():
        status, headers, body = ask(site, "/model.mjs", Accept_Encoding=accepts)
        assert (status, headers.get("content-encoding")) == (200, wanted)
        assert headers["content-type"] == "text/javascript; charset=utf-8"
        plain = {"br": b"as brotli", "gzip": body, None: b"export {};"}
        assert body == plain[wanted]
        if wanted:
            assert headers["vary"] == "Accept-Encoding"
    assert gzip.decompress(ask(site, "/model.mjs", Accept_Encoding="gzip")[2]) == b"export {};"


def test_a_range_of_bytes_is_sent_alone(site: Site) -> None:
    status, headers, body = ask(site, "/assets/model.onnx", Range="bytes=100-199")
    assert (status, body) == (206, MODEL[100:200])
    assert headers["content-range"] == f"bytes 100-199/{len(MODEL)}"
    assert ask(site, "/assets/model.onnx", Range="bytes=-5")[2] == MODEL[-5:]
    assert ask(site, "/assets/model.onnx", Range="bytes=999999-")[0] == 416


def test_head_says_how_long_a_file_is_and_sends_none_of_it(site: Site) -> None:
    status, headers, body = ask(site, "/assets/model.onnx", "HEAD")
    assert (status, headers["content-length"], body) == (200, str(len(MODEL)), b"")


def test_what_was_not_changed_is_not_sent_again(site: Site) -> None:
    etag = ask(site, "/assets/model.onnx")[1]["etag"]
    status, headers, body = ask(site, "/assets/model.onnx", If_None_Match=etag)
    assert (status, body) == (304, b"")
    assert headers["content-security-policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/missing.txt",
        "/assets",
        "/assets/",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/..%5csecret.txt",
        "/%00",
        "/link.txt",
        "//etc/passwd",
        "/%2fetc%2fpasswd",
    ],
)
def test_what_is_no_file_of_the_folder_is_not_found(site: Site, folder: Path, path: str) -> None:
    status, headers, body = ask(site, path)
    assert status == 404
    assert b"not for visitors" not in body
    assert str(folder.parent).encode() not in body
    assert headers["x-content-type-options"] == "nosniff"


def test_nothing_can_be_written_to_the_site(site: Site) -> None:
    assert ask(site, "/model.mjs", "POST", b"changed")[0] == 405
    assert ask(site, "/model.mjs", "PUT", b"changed")[0] == 405
    assert ask(site, "/model.mjs", "DELETE")[0] == 405


def test_a_site_lives_below_a_path_of_its_host(folder: Path) -> None:
    with static_site.serving(folder, prefix="/some/where/") as below:
        assert below.url.endswith("/some/where/")
        assert ask(below, "/some/where/model.mjs")[0] == 200
        _, headers, _ = ask(below, "/some/where/assets/model.onnx")
        assert headers["cache-control"].endswith("immutable")
        assert ask(below, "/model.mjs")[0] == 404


def test_only_this_machine_can_ask(folder: Path) -> None:
    with static_site.serving(folder) as served:
        port = urlsplit(served.url).port
        assert port
        with socket.socket() as other, pytest.raises(OSError, match="refused"):
            other.connect(("127.0.0.2", port))


def test_the_server_is_gone_afterwards(folder: Path) -> None:
    with static_site.serving(folder) as served:
        assert ask(served, "/")[0] == 200
    with pytest.raises(ConnectionRefusedError):
        ask(served, "/")


def test_a_port_that_is_taken_is_said(site: Site, folder: Path) -> None:
    port = urlsplit(site.url).port
    assert port
    with (
        pytest.raises(ConfigError, match=f"port {port} cannot be had") as caught,
        static_site.serving(folder, port),
    ):
        pass
    assert "--port" in caught.value.hint


def test_a_page_fetches_a_question_and_posts_its_answer(site: Site) -> None:
    with site.exchange.question(b"asked") as path:
        assert ask(site, f"/{path}")[2] == b"asked"
        assert site.exchange.answer(path) is None
        assert ask(site, f"/{path}", "POST", b"answered")[0] == 204
        assert site.exchange.answer(path) == b"answered"
    assert ask(site, f"/{path}")[0] == 404
    assert ask(site, f"/{path}", "POST", b"too late")[0] == 404
    assert site.exchange.answer(path) is None


def test_two_questions_are_not_mixed_up(site: Site) -> None:
    with site.exchange.question(b"one") as one, site.exchange.question(b"two") as two:
        ask(site, f"/{two}", "POST", b"second")
        assert (site.exchange.answer(one), site.exchange.answer(two)) == (None, b"second")


def test_rules_that_match_are_all_sent_and_joined() -> None:
    given = rules("/*\n  A: 1\n  B: 2\n/x/:file\n  a: 3\n  C: 4\n/x/:file/y\n  D: 5\n")
    assert headers_for("/x/z.js", given) == {"a": "1, 3", "B": "2", "C": "4"}
    assert headers_for("/x/z/y", given) == {"A": "1", "B": "2", "D": "5"}
    assert headers_for("/other", given) == {"A": "1", "B": "2"}


def test_a_path_is_no_pattern_by_accident() -> None:
    given = rules("/model.mjs\n  A: 1\n")
    assert headers_for("/modelxmjs", given) == {}
    assert headers_for("/model.mjs/more", given) == {}


@pytest.mark.parametrize("text", ["  A: 1\n", "/*\n  no header\n", "/*\n  A:\n"])
def test_a_line_that_is_no_header_is_named(text: str) -> None:
    with pytest.raises(ConfigError, match=r"line \d of _headers is no header"):
        rules(text)
