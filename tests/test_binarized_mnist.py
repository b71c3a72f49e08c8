"""The loaders of vae_gan_flows: binarized MNIST's text in every state, and CIFAR10 in torchvision's layout."""

import gzip
import hashlib
import pickle
import tarfile

import numpy as np
import pytest
import torch

import data_loaders
from data_loaders import DataError, binarized_mnist, cifar10

N = 7


@pytest.fixture
def bits(monkeypatch):
    """Seven images in the place of thousands, for every split."""
    monkeypatch.setattr(binarized_mnist, "IMAGES", dict.fromkeys(binarized_mnist.IMAGES, N))
    return np.random.default_rng(0).integers(0, 2, (N, 784), dtype=np.uint8)


def amat(bits: np.ndarray, separator: str = " ", end: str = "\n") -> bytes:
    return "".join(separator.join(map(str, row)) + end for row in bits.tolist()).encode()


def put(root, content: bytes, split: str = "train", suffix: str = ".amat"):
    path = root / "binarized_mnist" / f"binarized_mnist_{split}{suffix}"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return path


def load(root, split="train", **options):
    return data_loaders.load("binarized_mnist", split, root=root, download=False, **options)


@pytest.mark.parametrize("split", ["train", "valid", "test"])
@pytest.mark.parametrize("suffix", [".amat", ".amat.gz"])
def test_text_becomes_zeros_and_ones(tmp_path, bits, split, suffix):
    content = amat(bits)
    put(tmp_path, gzip.compress(content) if suffix.endswith("gz") else content, split, suffix)
    data = load(tmp_path, split)
    assert data.images.shape == (N, 1, 28, 28) and data.images.dtype == torch.float32
    assert np.array_equal(data.images.reshape(N, 784).numpy(), bits)
    assert data.labels.shape == (N,) and data.labels.dtype == torch.int64 and not data.labels.any()


@pytest.mark.parametrize(("separator", "end"), [(" ", " \r\n"), ("\t", "\n\n"), ("", "\n")])
def test_whatever_stands_between_the_numbers(bits, separator, end):
    assert np.array_equal(binarized_mnist.parse_amat(amat(bits, separator, end), N), bits)


@pytest.mark.parametrize("content", [b"", b"0 1 2 0\n", b"<html>", b"0.5 1"])
def test_text_that_is_something_else(content):
    with pytest.raises(ValueError, match="it holds"):
        binarized_mnist.parse_amat(content, N)


def test_it_is_parsed_once_and_the_cache_is_small_and_enough(tmp_path, bits, monkeypatch):
    text = put(tmp_path, amat(bits))
    load(tmp_path)
    text.unlink()
    assert [path.name for path in text.parent.iterdir()] == ["binarized_mnist_train.npz"]
    monkeypatch.setattr(binarized_mnist, "parse_amat", None)
    assert np.array_equal(load(tmp_path).images.reshape(N, 784).numpy(), bits)
    assert (text.with_suffix(".npz")).stat().st_size < N * 98 + 400


def test_a_damaged_cache_is_made_again(tmp_path, bits):
    text = put(tmp_path, amat(bits))
    for harm in (
        lambda content: content[:-30],
        lambda content: b"",
        lambda content: content[:60] + b"??" + content[62:],
    ):
        load(tmp_path)
        cache = text.with_suffix(".npz")
        cache.write_bytes(harm(cache.read_bytes()))
        assert np.array_equal(load(tmp_path).images.reshape(N, 784).numpy(), bits)
    np.savez_compressed(cache, bits=np.zeros((N - 1, 98), np.uint8))  # another split's, say
    assert len(load(tmp_path)) == N


def test_a_folder_that_cannot_be_written_will_do(tmp_path, bits, monkeypatch):
    def refuse(*arguments, **options):
        raise PermissionError

    monkeypatch.setattr(np, "savez_compressed", refuse)
    text = put(tmp_path, gzip.compress(amat(bits)), suffix=".amat.gz")
    for _ in range(2):
        assert len(load(tmp_path)) == N
    assert [path.name for path in text.parent.iterdir()] == [text.name]


def test_image_size_adds_a_border(tmp_path, bits):
    put(tmp_path, amat(bits))
    images = load(tmp_path, image_size=32).images
    assert images.shape == (N, 1, 32, 32) and images.sum() == bits.sum()


def test_what_is_missing_or_damaged_is_said_with_the_next_step(tmp_path, bits, monkeypatch):
    with pytest.raises(DataError, match="is missing: allow the download, .*--data-root.*--data digits"):
        load(tmp_path)
    put(tmp_path, amat(bits)[:-9])
    with pytest.raises(DataError, match="is damaged .*numbers, not 7 x 784.*--data digits"):
        load(tmp_path)

    fetched = []

    def fetch(url, path, **options):
        fetched.append(url)
        path.write_bytes(amat(bits))
        return path

    monkeypatch.setattr(binarized_mnist, "fetch", fetch)
    assert len(data_loaders.load("binarized_mnist", root=tmp_path)) == N  # the damaged text is fetched again
    assert fetched == [binarized_mnist.HOME + "binarized_mnist_train.amat"]


# --- CIFAR10 ---------------------------------------------------------------------------------------------


@pytest.fixture
def small_cifar10(tmp_path, monkeypatch):
    """torchvision is told of a small archive; returns its path and the images by split."""
    from torchvision.datasets import CIFAR10

    root, images, lists = tmp_path / "home", {}, {}
    folder = root / CIFAR10.base_folder
    folder.mkdir(parents=True)
    generator = np.random.default_rng(0)

    def write(name: str, content: dict) -> list[str]:
        (folder / name).write_bytes(pickle.dumps(content))
        return [name, hashlib.md5((folder / name).read_bytes()).hexdigest()]

    for split, name in (("train", "data_batch_1"), ("test", "test_batch")):
        images[split] = generator.integers(0, 256, (5, 3, 32, 32), dtype=np.uint8)
        lists[split] = [write(name, {"data": images[split].reshape(5, -1), "labels": [0, 1, 2, 3, 9]})]
    meta = write("batches.meta", {"label_names": list("abcdefghij")})
    archive = tmp_path / "cifar.tar.gz"
    with tarfile.open(archive, "w:gz") as file:
        file.add(folder, CIFAR10.base_folder)
    monkeypatch.setattr(CIFAR10, "train_list", lists["train"])
    monkeypatch.setattr(CIFAR10, "test_list", lists["test"])
    monkeypatch.setattr(CIFAR10, "meta", {"filename": meta[0], "key": "label_names", "md5": meta[1]})
    monkeypatch.setattr(CIFAR10, "tgz_md5", hashlib.md5(archive.read_bytes()).hexdigest())
    return root, archive, images


def test_cifar10_is_read_from_torchvisions_folder(small_cifar10):
    root, _, images = small_cifar10
    for split in ("train", "valid", "test"):
        data = data_loaders.load("cifar10", split, root=root, download=False)
        expected = images["train" if split == "train" else "test"]
        assert np.array_equal(data.images.mul(255).round().byte().numpy(), expected)
        assert data.labels.tolist() == [0, 1, 2, 3, 9]
    assert data_loaders.load("cifar10", root=root, image_size=16).images.shape == (5, 3, 16, 16)


def test_cifar10_is_fetched_checked_and_unpacked(small_cifar10, tmp_path, monkeypatch):
    _, archive, images = small_cifar10
    root = tmp_path / "new"
    with pytest.raises(DataError, match="cifar-10-batches-py is missing or damaged: .*--data-root"):
        data_loaders.load("cifar10", root=root, download=False)

    def fetch(url, path, *, md5, hint):
        assert hashlib.md5(archive.read_bytes()).hexdigest() == md5
        path.parent.mkdir(parents=True)
        path.write_bytes(archive.read_bytes())
        return path

    monkeypatch.setattr(cifar10, "fetch", fetch)
    assert len(data_loaders.load("cifar10", root=root)) == 5
    monkeypatch.setattr(cifar10, "fetch", None)
    assert len(data_loaders.load("cifar10", "test", root=root)) == 5
