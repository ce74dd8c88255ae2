"""Fetching: checked, whole or not at all, and a clear error where it fails."""

import gzip
import hashlib
import http.server
import threading
from functools import partial

import numpy as np
import pytest
from torchvision import datasets

from remnist.data import sources
from remnist.errors import UserError
from tests.support.idx import FILES, idx


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """A folder with a small data set of MNIST's form, whose MD5 sums torchvision takes for MNIST's."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "mirror"
    folder.mkdir()
    arrays = {}
    for name in FILES:
        count = 12 if name.startswith("train") else 5
        shape = (count, 28, 28) if "images" in name else (count,)
        arrays[name] = rng.integers(0, 10, shape, dtype=np.uint8)
        (folder / f"{name}.gz").write_bytes(idx(arrays[name]))
    sums = [(f"{n}.gz", hashlib.md5((folder / f"{n}.gz").read_bytes()).hexdigest()) for n in FILES]  # noqa: S324
    monkeypatch.setattr(datasets.MNIST, "resources", sums)
    monkeypatch.setitem(sources.SIZES, "mnist", (12, 5))
    return folder, arrays


def check(folder, arrays):
    read = sources.read("mnist", folder)
    got = [read.train_images, read.train_labels, read.test_images, read.test_labels]
    assert all(np.array_equal(array, arrays[name]) for array, name in zip(got, FILES, strict=True))


def test_from_a_folder(mirror, tmp_path):
    folder, arrays = mirror
    sources.fetch("mnist", tmp_path / "raw", str(folder))
    check(tmp_path / "raw", arrays)


def test_from_a_url(mirror, tmp_path):
    folder, arrays = mirror
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sources.fetch("mnist", tmp_path / "raw", f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
    check(tmp_path / "raw", arrays)


def test_another_file_under_the_name_is_refused_and_nothing_is_left(mirror, tmp_path):
    folder, _ = mirror
    (folder / f"{FILES[2]}.gz").write_bytes(b"<html>not here</html>")
    with pytest.raises(UserError, match=f"{FILES[2]}.*MD5"):
        sources.fetch("mnist", tmp_path / "data" / "raw", str(folder))
    assert list((tmp_path / "data").iterdir()) == []


def test_without_network_two_lines_name_what_was_tried_and_the_ways_on(tmp_path, monkeypatch):
    dead = ["http://127.0.0.1:9/a/", "http://127.0.0.1:9/b/"]
    monkeypatch.setattr(datasets.MNIST, "mirrors", dead)
    with pytest.raises(UserError) as error:
        sources.fetch("mnist", tmp_path / "raw", None)
    first, second = str(error.value).splitlines()
    assert all(url in first for url in dead)
    assert "MNIST_MIRROR" in second
    assert "make demo" in second


@pytest.mark.parametrize(
    "content",
    [b"", b"text", gzip.compress(b"text"), idx(np.zeros((12, 28, 28), np.uint8))[:-20], idx(np.zeros(12, np.uint8))],
    ids=["empty", "text", "packed text", "cut short", "other shape"],
)
def test_a_file_that_is_no_idx_of_the_right_shape(mirror, tmp_path, content):
    folder, _ = mirror
    (folder / f"{FILES[0]}.gz").write_bytes(content)
    with pytest.raises(UserError, match=FILES[0]) as error:
        sources.read("mnist", folder)
    assert len(str(error.value).splitlines()) == 1


def test_digits_are_scaled_to_28_pixels_and_keep_their_labels(tmp_path):
    from sklearn.datasets import load_digits

    sources.fetch("digits", tmp_path / "raw", None)
    arrays = sources.read("digits", tmp_path / "raw")
    bundled = load_digits()
    assert arrays.train_images.shape == (1437, 28, 28)
    assert arrays.test_images.shape == (360, 28, 28)
    assert np.array_equal(np.concatenate([arrays.train_labels, arrays.test_labels]), bundled.target)
    # Averaged back to 8 pixels a side they are the bundled images.
    images = np.concatenate([arrays.train_images, arrays.test_images])
    shrunk = images[:, :, :].reshape(-1, 14, 2, 14, 2).mean((2, 4))
    bundled_14 = np.kron(bundled.images, np.ones((1, 7, 7))).reshape(-1, 14, 4, 14, 4).mean((2, 4)) * 255 / 16
    assert np.corrcoef(shrunk.ravel(), bundled_14.ravel())[0, 1] > 0.97


def test_every_data_set_has_torchvision_class_or_is_bundled():
    assert set(sources.SIZES) == {*sources.TORCHVISION_CLASSES, "digits"}
    for name in sources.TORCHVISION_CLASSES.values():
        assert len(getattr(datasets, name).resources) == 4


@pytest.mark.parametrize("name", sources.SIZES)
def test_any_number_of_images_but_all_can_be_held_out(name):
    images, _ = sources.SIZES[name]
    for validation in (0, 1, images - 1):
        assert sources.check_validation(name, validation) == validation
    for validation in (-1, images, 70_000, 2.5, True, None, "many"):
        with pytest.raises(UserError, match=rf"^data\.validation: .*: allowed: 0 to {images - 1:,} images of {name}'s"):
            sources.check_validation(name, validation)


@pytest.mark.parametrize("name", ["imagenet", None, ["mnist"]])
def test_unknown_data_set(name):
    with pytest.raises(UserError, match="allowed: mnist, fashion_mnist, kmnist, digits"):
        sources.check_name(name)
