"""Where the data sets come from: torchvision's mirrors, a mirror of one's own, or scikit-learn's digits.

`fetch` brings a data set's original files, `read` turns them into arrays. Both give the official split.
torchvision and scikit-learn are imported where they are used: together they cost 3 s, and a plan needs neither.
"""

import gzip
import hashlib
import importlib.resources
import io
import shutil
import sys
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from remnist.errors import UserError, printable, shown

IMAGE_SIZE = 28  # pixels a side; the bundled digits are scaled to it
CLASSES = 10

# Each name with its number of training and of test images.
SIZES = {
    "mnist": (60_000, 10_000),
    "fashion_mnist": (60_000, 10_000),
    "kmnist": (60_000, 10_000),
    "digits": (1_437, 360),
}
TORCHVISION_CLASSES = {"mnist": "MNIST", "fashion_mnist": "FashionMNIST", "kmnist": "KMNIST"}
DIGITS_FILE = "digits.csv.gz"
DIGITS_BYTES = 2**20  # bytes; an upper bound of the unpacked file
TIMEOUT_S = 30  # seconds of silence after which a mirror is given up
SLOWEST = 10_000  # bytes a second; the least speed of a mirror after its first TIMEOUT_S
LARGEST = 2**26  # bytes; an upper bound of a published file, the largest of which has 26 million
CHUNK = 2**16
MEND = "remove the folder and run `dvc repro` again"

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Arrays:
    """A data set's official split: images of shape (n, 28, 28), labels of shape (n,), both uint8."""

    train_images: Bytes
    train_labels: Bytes
    test_images: Bytes
    test_labels: Bytes


def check_name(name: object) -> str:
    """Return the name of a data set.

    Raises:
        UserError: no such data set.
    """
    if isinstance(name, str) and name in SIZES:
        return name
    raise UserError(f"data.name: {shown(name)}: allowed: {', '.join(SIZES)}")


def check_validation(name: str, validation: object) -> int:
    """Return the number of training images to hold out, the last ones.

    Args:
        name: a key of `SIZES`.
        validation: the number.

    Raises:
        UserError: not a whole number from 0 to one less than the training set.
    """
    most = SIZES[name][0] - 1
    if type(validation) is int and 0 <= validation <= most:
        return validation
    raise UserError(f"data.validation: {shown(validation)}: allowed: 0 to {most:,} images of {name}'s training set")


def fetch(name: str, folder: Path, mirror: str | None) -> None:
    """Bring a data set's original files to a folder, which appears whole or not at all.

    Args:
        name: a key of `SIZES`.
        folder: where the files go; replaced if it is there.
        mirror: a folder or URL that holds the four `.gz` files; None for torchvision's mirrors. The MD5 sums
            that torchvision knows are checked either way.

    Raises:
        UserError: a file could not be had from any mirror, or is not the published one.
    """
    partial = folder.with_name(folder.name + ".tmp")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        if name == "digits":
            bundled = importlib.resources.files("sklearn.datasets.data") / DIGITS_FILE
            (partial / DIGITS_FILE).write_bytes(bundled.read_bytes())
        else:
            _download(name, partial, mirror)
        if folder.exists():
            shutil.rmtree(folder)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def read(name: str, folder: Path) -> Arrays:
    """Read the files that `fetch` brought.

    Raises:
        UserError: a file is missing or is not what its name says.
    """
    if name == "digits":
        return _read_digits(folder / DIGITS_FILE)
    sizes = zip(("train", "t10k"), SIZES[name], strict=True)
    return Arrays(*(array for prefix, count in sizes for array in _read_pair(folder, prefix, count)))


def _download(name: str, folder: Path, mirror: str | None) -> None:
    from torchvision import datasets

    dataset: Any = getattr(datasets, TORCHVISION_CLASSES[name])
    mirrors = dataset.mirrors if mirror is None else [mirror.rstrip("/") + "/"]
    for filename, md5 in dataset.resources:
        problems = []
        for base in mirrors:
            try:
                _get(base, filename, md5, folder)
                break
            except (OSError, ValueError, HTTPException) as error:
                problems.append(printable(f"{base}{filename} ({' '.join(str(error).split())})"))
        else:
            raise UserError(
                f"could not get {name}: tried {', '.join(problems)}\n"
                "Set MNIST_MIRROR to a folder or URL that holds the four .gz files, or run `make demo`, "
                "which needs no network."
            )


def _get(base: str, filename: str, md5: str, folder: Path) -> None:
    """Bring one file from a folder or a URL and check its MD5 sum.

    torchvision's own download has no end where a mirror's answer has none.
    """
    address = base + filename if "://" in base else Path(base, filename).resolve().as_uri()
    request = Request(address, headers={"User-Agent": "remnist"})  # noqa: S310 (a mirror of the user's choice)
    digest, start = hashlib.md5(usedforsecurity=False), time.monotonic()
    with urlopen(request, timeout=TIMEOUT_S) as response, (folder / filename).open("wb") as file:  # noqa: S310
        size = int(response.headers.get("Content-Length") or 0)
        with tqdm(desc=filename, total=size, unit="B", unit_scale=True, disable=not sys.stderr.isatty()) as bar:
            while chunk := response.read1(CHUNK):
                file.write(chunk)
                digest.update(chunk)
                if file.tell() > LARGEST:
                    raise ValueError(f"not the published file: it has more than {LARGEST:,} bytes")
                if file.tell() < SLOWEST * (time.monotonic() - start - TIMEOUT_S):
                    raise ValueError(f"too slow: fewer than {SLOWEST:,} bytes a second")
                bar.update(len(chunk))
    if digest.hexdigest() != md5:
        raise ValueError(f"not the published file: its MD5 sum is not {md5}")


def _read_pair(folder: Path, prefix: str, count: int) -> Iterator[Bytes]:
    yield _read_idx(folder / f"{prefix}-images-idx3-ubyte.gz", (count, IMAGE_SIZE, IMAGE_SIZE))
    path = folder / f"{prefix}-labels-idx1-ubyte.gz"
    labels = _read_idx(path, (count,))
    if labels.max() >= CLASSES:
        raise UserError(f"{path}: a label of {labels.max()}; {MEND}")
    yield labels


def _read_idx(path: Path, shape: tuple[int, ...]) -> Bytes:
    """An IDX file of unsigned bytes: two zero bytes, type 8, the rank, each size as big-endian int32, the bytes."""
    header = bytes([0, 0, 8, len(shape)]) + np.array(shape, ">i4").tobytes()
    size = len(header) + int(np.prod(shape))
    content = _unpack(path, size + 1)
    if not content.startswith(header) or len(content) != size:
        raise UserError(f"{path}: not an IDX file of {shape} bytes; {MEND}")
    return np.frombuffer(content, np.uint8, offset=len(header)).reshape(shape)


def _unpack(path: Path, limit: int) -> bytes:
    """Read a gzip file, at most `limit` bytes of it, however far it unpacks."""
    try:
        with gzip.open(path) as file:
            return file.read(limit)
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path}: {error}; {MEND}") from None


def _read_digits(path: Path) -> Arrays:
    """Take the first 1,437 rows for training: 64 pixels from 0 to 16, then the label.

    Pillow scales bytes in integer arithmetic, so the images are the same on every processor.
    """
    content = _unpack(path, DIGITS_BYTES)
    try:
        table = (
            np.loadtxt(io.BytesIO(content), delimiter=",", dtype=np.uint8, ndmin=2)
            if content
            else np.empty((0, 0), np.uint8)
        )
    except ValueError as error:
        raise UserError(f"{path}: {error}; {MEND}") from None
    if table.shape != (sum(SIZES["digits"]), 65) or table[:, :64].max() > 16 or table[:, 64].max() >= CLASSES:
        raise UserError(f"{path}: not scikit-learn's digits; {MEND}")
    pixels = (table[:, :64].astype(np.uint16) * 255 // 16).astype(np.uint8).reshape(-1, 8, 8)
    side = (IMAGE_SIZE, IMAGE_SIZE)
    images = np.stack([np.asarray(Image.fromarray(p).resize(side, Image.Resampling.BILINEAR)) for p in pixels])
    labels, train = table[:, 64], SIZES["digits"][0]
    return Arrays(images[:train], labels[:train], images[train:], labels[train:])
