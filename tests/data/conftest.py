"""A tiny data set in MNIST's format, and a server on this machine that can be told to misbehave."""

import gzip
import hashlib
import struct
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

UNREACHABLE = "http://127.0.0.1:9/"  # port 9 (discard): nothing listens


def idx_bytes(values: np.ndarray) -> bytes:
    """`values` as a gzipped IDX file, written by hand from the format's description."""
    header = bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    return gzip.compress(header + values.astype(np.uint8).tobytes(), mtime=0)


@pytest.fixture
def as_idx() -> Callable[[np.ndarray], bytes]:
    return idx_bytes


class TinySet(NamedTuple):
    mirror: Path  # holds fashion_mnist/<the four files>
    images: dict[str, np.ndarray]
    labels: dict[str, np.ndarray]


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TinySet:
    """120 train and 110 test images of 28 x 28 that pass for Fashion-MNIST; its public address does not answer."""
    from torchvision.datasets import FashionMNIST

    folder = tmp_path / "mirror" / "fashion_mnist"
    folder.mkdir(parents=True)
    images, labels, resources = {}, {}, []
    for split, prefix, n in (("train", "train", 120), ("test", "t10k", 110)):
        images[split] = (np.arange(n * 28 * 28) % 251).astype(np.uint8).reshape(n, 28, 28)
        labels[split] = np.arange(n, dtype=np.int64) % 10
        for name, values in (("images-idx3", images[split]), ("labels-idx1", labels[split])):
            path = folder / f"{prefix}-{name}-ubyte.gz"
            path.write_bytes(idx_bytes(values))
            resources.append((path.name, hashlib.md5(path.read_bytes()).hexdigest()))
    monkeypatch.setattr(FashionMNIST, "resources", resources)
    monkeypatch.setattr(FashionMNIST, "mirrors", [UNREACHABLE])
    return TinySet(tmp_path / "mirror", images, labels)


class Server(NamedTuple):
    address: str
    files: dict[str, bytes]  # path -> content
    truncated: set[str]  # paths of which half is sent, under the whole length
    silent: threading.Event  # set: requests hang until it is cleared by the end of the test


@pytest.fixture
def server() -> Iterator[Server]:
    files: dict[str, bytes] = {}
    truncated: set[str] = set()
    silent, over = threading.Event(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if silent.is_set():
                over.wait(20)
                return
            content = files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if self.path in truncated else content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield Server(f"http://127.0.0.1:{httpd.server_port}", files, truncated, silent)
        over.set()
        httpd.shutdown()
        thread.join()
