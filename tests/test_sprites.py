"""The sprites' loader, on small files of the published form written here; and its offline stand-in, drawn_sprites."""

import hashlib

import numpy as np
import pytest
import torch

import data_loaders
from data_loaders import DataError, sprites
from data_loaders import download as downloads


@pytest.fixture(autouse=True)
def no_settings(monkeypatch, tmp_path_factory):
    for name in ("SPRITES_HOME", "SPRITES_SHA256"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sprites, "COURSE", tmp_path_factory.mktemp("course") / "course.toml")


@pytest.fixture
def arrays():
    """Images (N, 16, 16, 3) of bytes and one-hot labels (N, 5), as published."""
    random = np.random.RandomState(0)
    return random.randint(0, 256, (7, 16, 16, 3)).astype(np.uint8), np.eye(5)[[0, 4, 2, 2, 1, 3, 0]]


def write(folder, images, labels):
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / sprites.IMAGES, images)
    np.save(folder / sprites.LABELS, labels)
    return [hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in (sprites.IMAGES, sprites.LABELS)]


@pytest.mark.parametrize("folder", ["sprites", "."])
def test_images_and_labels(arrays, tmp_path, folder):
    write(tmp_path / folder, *arrays)
    data = data_loaders.load("sprites", root=str(tmp_path), download=False)
    assert data.images.shape == (7, 3, 16, 16) and data.images.dtype == torch.float32
    assert data.labels.tolist() == [0, 4, 2, 2, 1, 3, 0] and data.labels.dtype == torch.int64
    for n, c, h, w in ((0, 0, 0, 0), (3, 2, 7, 11), (6, 1, 15, 0)):
        assert data.images[n, c, h, w].item() == pytest.approx(arrays[0][n, h, w, c] / 255)
    assert data_loaders.load("sprites", root=str(tmp_path), image_size=32).images.shape == (7, 3, 32, 32)


def test_labels_may_be_numbers(arrays, tmp_path):
    write(tmp_path, arrays[0], np.array([3, 1, 4, 1, 0, 2, 2]))
    assert data_loaders.load("sprites", root=str(tmp_path)).labels.tolist() == [3, 1, 4, 1, 0, 2, 2]


@pytest.mark.parametrize("where", ["environment", "course.toml"])
def test_the_home_is_configured(arrays, tmp_path, monkeypatch, where):
    checksums = write(tmp_path / "server", *arrays)
    asked = []

    def fetch(url, path, **options):
        asked.append((url, options["sha256"]))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((tmp_path / "server" / path.name).read_bytes())
        return path

    monkeypatch.setattr(sprites, "fetch", fetch)
    if where == "environment":
        sprites.COURSE.write_text('[data.sprites]\nhome = "https://example.org/elsewhere"\n')
        monkeypatch.setenv("SPRITES_HOME", "https://example.org/sprites/")
        monkeypatch.setenv("SPRITES_SHA256", ",".join(checksums))
    else:
        sprites.COURSE.write_text(f'[data.sprites]\nhome = "https://example.org/sprites/"\nsha256 = {checksums}\n')
    for _ in range(2):  # the second time the files are there
        assert len(data_loaders.load("sprites", root=str(tmp_path / "data"))) == 7
    names = (sprites.IMAGES, sprites.LABELS)
    assert asked == [(f"https://example.org/sprites/{n}", c) for n, c in zip(names, checksums, strict=True)]


def test_without_a_home_the_next_step_is_said(tmp_path):
    with pytest.raises(DataError, match="missing, and course.toml names no place .* SPRITES_HOME .*drawn_sprites"):
        data_loaders.load("sprites", root=str(tmp_path))
    sprites.COURSE.write_text('[data.sprites]\nhome = "https://example.org/sprites"\n')
    with pytest.raises(DataError, match="missing: put the file there by hand, or pass"):
        data_loaders.load("sprites", root=str(tmp_path), download=False)


def test_a_wrong_checksum_is_damage(arrays, tmp_path, monkeypatch):
    write(tmp_path / "sprites", *arrays)
    monkeypatch.setenv("SPRITES_SHA256", f"{'0' * 64},{'1' * 64}")
    with pytest.raises(DataError, match="damaged"):
        data_loaders.load("sprites", root=str(tmp_path), download=False)
    monkeypatch.setenv("SPRITES_SHA256", "0" * 64)
    with pytest.raises(DataError, match="two checksums"):
        data_loaders.load("sprites", root=str(tmp_path))


def test_other_files_are_refused(arrays, tmp_path):
    write(tmp_path, arrays[0].astype(np.float32), arrays[1])
    with pytest.raises(DataError, match="another file"):
        data_loaders.load("sprites", root=str(tmp_path))
    write(tmp_path, arrays[0], arrays[1][:3])
    with pytest.raises(DataError, match="does not belong"):
        data_loaders.load("sprites", root=str(tmp_path))
    (tmp_path / sprites.IMAGES).write_bytes(b"<html>not found</html>")
    with pytest.raises(DataError, match="no .npy file"):
        data_loaders.load("sprites", root=str(tmp_path))


def test_offline_is_one_sentence(tmp_path, monkeypatch):
    def offline(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.setattr(downloads, "_receive", offline)
    monkeypatch.setattr(downloads.time, "sleep", lambda seconds: None)
    monkeypatch.setenv("SPRITES_HOME", "https://example.org/sprites")
    with pytest.raises(DataError, match=r"could not download https://example.org/sprites/.*drawn_sprites"):
        data_loaders.load("sprites", root=str(tmp_path))


# ---------------------------------------------------------------- drawn_sprites


def test_drawn_sprites_come_with_the_repository(tmp_path):
    data = data_loaders.load("drawn_sprites", root=str(tmp_path / "nothing"), download=False)
    assert data.images.shape == (6000, 3, 16, 16) and data.images.dtype == torch.float32
    assert data.images.min() >= 0 and data.images.max() <= 1
    assert data.labels.bincount().tolist() == [1200] * 5
    assert torch.equal(data.images, data_loaders.load("drawn_sprites").images)
    assert data_loaders.load("drawn_sprites", image_size=32).images.shape == (6000, 3, 32, 32)


def test_drawn_sprites_are_many_and_do_not_touch_the_global_random_state():
    np.random.seed(3)
    state = np.random.get_state()[1].copy()
    images = data_loaders.load("drawn_sprites").images
    assert (np.random.get_state()[1] == state).all()
    assert len(images.flatten(1).unique(dim=0)) > 5900
    white = (images == 1).all(dim=1).float().mean()
    assert 0.3 < white < 0.75, "a white ground, and something on it"
