"""The original files, and mirrors that give something else."""

import contextlib
import gzip
import hashlib
import http.server
import pickle
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torchvision import datasets

from remnist.data import sources
from tests.support.harm import Payload, refused
from tests.support.idx import FILES, idx


def raw_files() -> dict[str, tuple[str, bytes]]:
    images, labels = np.zeros((12, 28, 28), np.uint8), np.zeros(12, np.uint8)
    good = idx(images)
    return {
        "empty": (FILES[0], b""),
        "text": (FILES[0], b"text"),
        "HTML": (FILES[0], b"<!DOCTYPE html><html>404</html>"),
        "HTML, packed": (FILES[0], gzip.compress(b"<!DOCTYPE html><html>404</html>")),
        "not packed": (FILES[0], gzip.decompress(good)),
        "cut short": (FILES[0], good[:-20]),
        "a byte turned": (FILES[0], good[:30] + bytes([good[30] ^ 255]) + good[31:]),
        "packed twice": (FILES[0], gzip.compress(good)),
        "an image less": (FILES[0], idx(images[1:])),
        "an image more": (FILES[0], idx(np.zeros((13, 28, 28), np.uint8))),
        "other pixels": (FILES[0], idx(np.zeros((12, 27, 27), np.uint8))),
        "the header of more": (FILES[0], gzip.compress(gzip.decompress(idx(np.zeros((99, 28, 28), np.uint8)))[:5_000])),
        "labels for images": (FILES[0], idx(labels)),
        "images for labels": (FILES[1], idx(images)),
        "test images for training images": (FILES[0], idx(np.zeros((5, 28, 28), np.uint8))),
        "an eleventh digit": (FILES[1], idx(np.full(12, 10, np.uint8))),
        "a bomb of a gigabyte": (FILES[0], gzip.compress(bytes(2**30), 1)),
        "a bomb behind a true header": (FILES[0], gzip.compress(gzip.decompress(good) + bytes(2**28), 1)),
        "floats": (FILES[0], gzip.compress(b"\0\0\x0d\3" + gzip.decompress(good)[4:])),
        "a pickle": (FILES[0], pickle.dumps(Payload())),
    }


@pytest.fixture
def raw(monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small data set of MNIST's form, in a folder."""
    monkeypatch.setitem(sources.SIZES, "mnist", (12, 5))
    folder = Path("raw")
    folder.mkdir()
    for name in FILES:
        count = 12 if name.startswith("train") else 5
        shape = (count, 28, 28) if "images" in name else (count,)
        (folder / f"{name}.gz").write_bytes(idx(np.ones(shape, np.uint8)))
    return folder


@pytest.mark.parametrize(("name", "content"), raw_files().values(), ids=raw_files())
@pytest.mark.fault("original files damaged, swapped or forged")
def test_original_files_that_are_not_of_that_form(raw, name, content):
    sources.read("mnist", raw)
    (raw / f"{name}.gz").write_bytes(content)
    refused(sources.read, "mnist", raw, naming=f"{name}.gz")


NO_DIGITS = {
    "empty": b"",
    "text": b"text",
    "packed nothing": gzip.compress(b""),
    "two columns": gzip.compress(b"1,2\n"),
    "one row": gzip.compress(b"1," * 64 + b"1\n"),
    "words": gzip.compress(b"x,y\n" * 9),
    "pixels of 99": gzip.compress((b"99," * 64 + b"1\n") * 1_797),
    "an eleventh digit": gzip.compress((b"1," * 64 + b"11\n") * 1_797),
    "a bomb": gzip.compress(bytes(2**28), 1),
}


@pytest.mark.parametrize("content", NO_DIGITS.values(), ids=NO_DIGITS)
@pytest.mark.fault("original files damaged, swapped or forged")
def test_files_that_are_not_the_digits(content):
    Path("raw").mkdir()
    Path("raw", sources.DIGITS_FILE).write_bytes(content)
    refused(sources.read, "digits", Path("raw"), naming=sources.DIGITS_FILE)


class Mirror(http.server.BaseHTTPRequestHandler):
    """Answers each request as `how` says."""

    how: Callable[["Mirror"], None]

    def do_GET(self) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            type(self).how(self)

    def log_message(self, *_: Any) -> None: ...

    def answer(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)


def endless(mirror: Mirror) -> None:
    mirror.answer(b"")
    while True:
        mirror.wfile.write(bytes(2**16))


def dripping(mirror: Mirror) -> None:
    mirror.answer(b"")
    while True:
        mirror.wfile.write(b"x")
        mirror.wfile.flush()
        time.sleep(0.05)


MIRRORS: dict[str, Callable[[Mirror], None]] = {
    "HTML": lambda m: m.answer(b"<html>not here</html>", Content_Type="text/html"),
    "empty": lambda m: m.answer(b""),
    "404": lambda m: m.answer(b"", 404),
    "403": lambda m: m.answer(b"", 403),
    "500": lambda m: m.answer(b"", 500),
    "cut short": lambda m: m.answer(b"abc", Content_Length="9912422"),
    "a length that is not a number": lambda m: m.answer(b"abc", Content_Length="many"),
    "a negative length": lambda m: m.answer(b"abc", Content_Length="-5"),
    "to itself": lambda m: m.answer(b"", 302, Location=m.path),
    "to a file": lambda m: m.answer(b"", 302, Location="file:///etc/hostname"),
    "to nowhere": lambda m: m.answer(b"", 302, Location="http://127.0.0.1:9/"),
    "to no address": lambda m: m.answer(b"", 302, Location="http://["),
    "silent": lambda _: time.sleep(3),
    "hangs up": lambda m: m.connection.close(),
    "speaks otherwise": lambda m: m.wfile.write(b"220 FTP\r\n"),
    "endless headers": lambda m: m.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 10_000),
    "endless": endless,
    "drips": dripping,
}


@pytest.mark.parametrize("how", MIRRORS.values(), ids=MIRRORS)
@pytest.mark.fault("mirrors")
def test_mirrors_that_give_something_else(monkeypatch, how):
    monkeypatch.setattr(sources, "TIMEOUT_S", 1)
    monkeypatch.setattr(sources, "LARGEST", 2**22)
    Path("raw").mkdir()
    Path("raw", "earlier").write_text("kept")
    handler = type("Handler", (Mirror,), {"how": staticmethod(how)})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        refused(sources.fetch, "mnist", Path("raw"), address, naming=f"{address}/{FILES[0]}.gz", lines=2)
        server.shutdown()
    assert [path.name for path in Path().iterdir()] == ["raw"]
    assert Path("raw", "earlier").read_text() == "kept"


@pytest.mark.parametrize(
    "mirror",
    [
        "nowhere",
        "/dev/null",
        "http://127.0.0.1:9",
        "http://",
        "gopher://x",
        "ssh://x",
        "http://[",
        "\x00",
        "http://a b",
    ],
)
@pytest.mark.fault("mirrors")
def test_addresses_that_are_not_valid(mirror):
    refused(sources.fetch, "mnist", Path("raw"), mirror, naming=FILES[0], lines=2)
    assert list(Path().iterdir()) == []


@pytest.mark.fault("mirrors")
def test_a_mirror_that_is_right_after_a_redirect(monkeypatch):
    """Else the tests above could not fail for the right reason."""
    content = b"content"
    monkeypatch.setattr(datasets.MNIST, "resources", [("a.gz", hashlib.md5(content).hexdigest())])  # noqa: S324

    def how(mirror: Mirror) -> None:
        if mirror.path == "/a.gz":
            mirror.answer(b"", 302, Location="/b")
        else:
            mirror.answer(content)

    handler = type("Handler", (Mirror,), {"how": staticmethod(how)})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sources.fetch("mnist", Path("raw"), f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
    assert Path("raw", "a.gz").read_bytes() == content
