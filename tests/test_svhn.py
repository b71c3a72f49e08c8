"""SVHN's loader: small files in the real format, MATLAB 5, written here; and its offline stand-in, digits_rgb."""

import hashlib
import io
import struct
import zlib

import numpy as np
import pytest
import torch

import data_loaders
from data_loaders import DataError, svhn
from data_loaders import download as downloads


def element(kind: int, data: bytes, order: str) -> bytes:
    """A data element: tag, data, padding to 8 bytes; up to 4 bytes of data go into the tag, as in MATLAB's."""
    if len(data) <= 4:
        return struct.pack(order + "I", len(data) << 16 | kind) + data.ljust(4, b"\0")
    return struct.pack(order + "II", kind, len(data)) + data + b"\0" * (-len(data) % 8)


def matrix(name: str, array: np.ndarray, numbers: int, order: str) -> bytes:
    """An array as a miMATRIX element; `numbers` is the type in which its values are stored."""
    classes = {"u1": 9, "f8": 6}
    flags = struct.pack(order + "II", classes[array.dtype.str[1:]], 0)
    shape = struct.pack(f"{order}{array.ndim}i", *array.shape)
    values = array.astype(order + svhn.NUMBERS[numbers]).tobytes(order="F")
    parts = element(6, flags, order), element(5, shape, order), element(1, name.encode(), order)
    return element(14, b"".join(parts) + element(numbers, values, order), order)


def mat_file(arrays: dict[str, tuple[np.ndarray, int]], order: str = "<", compressed: bool = True) -> bytes:
    """The bytes of a .mat file: {name: (array, type of its stored values)}."""
    header = b"MATLAB 5.0 MAT-file, written by a test".ljust(124) + struct.pack(order + "HH", 0x0100, 0x4D49)
    elements = [matrix(name, array, numbers, order) for name, (array, numbers) in arrays.items()]
    if compressed:
        packed = [zlib.compress(e) for e in elements]
        elements = [struct.pack(order + "II", 15, len(p)) + p for p in packed]
    return header + b"".join(elements)


def small_svhn(n: int = 5):
    """X (32, 32, 3, N) bytes and y (N, 1) of class double, stored as bytes: as in the real files."""
    random = np.random.RandomState(0)
    X = random.randint(0, 256, (32, 32, 3, n)).astype(np.uint8)
    y = np.array([[1.0], [10.0], [9.0], [2.0], [10.0]])[:n]
    return X, y, mat_file({"X": (X, 2), "y": (y, 2)})


@pytest.fixture
def published(monkeypatch):
    """The small file, as if it were the published one."""
    X, y, content = small_svhn()
    md5 = hashlib.md5(content).hexdigest()
    monkeypatch.setattr(svhn, "MD5", {"train": md5, "test": md5})
    return X, y, content


def no_network(*args, **kwargs):
    raise AssertionError("nothing is downloaded here")


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compressed", [True, False])
def test_matlab_files_of_both_byte_orders_packed_or_not(order, compressed):
    X, y, _ = small_svhn()
    real = np.linspace(-1, 1, 6).reshape(2, 3)
    content = mat_file({"X": (X, 2), "y": (y, 2), "real": (real, 9)}, order, compressed)
    arrays = svhn.decode_mat(content)
    assert arrays.keys() == {"X", "y", "real"}
    assert (arrays["X"] == X).all() and (arrays["y"] == y).all() and (arrays["real"] == real).all()


def test_small_elements_share_a_word_with_their_type():
    one = np.array([[7.0]])
    assert svhn.decode_mat(mat_file({"y": (one, 2)}))["y"] == 7


def test_files_written_by_scipy_are_read_too():
    scipy_io = pytest.importorskip("scipy.io")
    X, y, _ = small_svhn()
    for compressed in (True, False):
        file = io.BytesIO()
        scipy_io.savemat(file, {"X": X, "y": y}, do_compression=compressed)
        arrays = svhn.decode_mat(file.getvalue())
        assert (arrays["X"] == X).all() and (arrays["y"] == y).all()
    read = scipy_io.loadmat(io.BytesIO(mat_file({"X": (X, 2), "y": (y, 2)})))  # and ours are what scipy takes
    assert (read["X"] == X).all() and (read["y"] == y).all()


def test_other_files_are_refused():
    with pytest.raises(ValueError, match="no|not a MATLAB file"):
        svhn.decode_mat(b"something else" * 20)


def test_addresses_and_checksums_are_torchvisions():
    from torchvision.datasets import SVHN

    for split in svhn.SPLITS:
        url, name, md5 = SVHN.split_list[split]
        assert (url, name, md5) == (f"{svhn.HOME}{name}", f"{split}_32x32.mat", svhn.MD5[split])


@pytest.mark.parametrize("folder", ["SVHN", "."])  # ours, and torchvision's
def test_images_and_labels(published, tmp_path, monkeypatch, folder):
    monkeypatch.setattr(svhn, "fetch", no_network)
    X, y, content = published
    (tmp_path / folder).mkdir(exist_ok=True)
    (tmp_path / folder / "train_32x32.mat").write_bytes(content)
    data = data_loaders.load("svhn", "train", root=str(tmp_path))
    assert data.images.shape == (5, 3, 32, 32) and data.images.dtype == torch.float32
    assert data.labels.tolist() == [1, 0, 9, 2, 0] and data.labels.dtype == torch.int64
    for n, c, h, w in ((0, 0, 0, 0), (3, 2, 7, 20), (4, 1, 31, 0)):
        assert data.images[n, c, h, w].item() == pytest.approx(X[h, w, c, n] / 255)
    assert data_loaders.load("svhn", "train", root=str(tmp_path), image_size=16).images.shape == (5, 3, 16, 16)


def test_a_missing_file_is_downloaded_with_its_checksum(published, tmp_path, monkeypatch):
    _, _, content = published
    asked = []

    def fetch(url, path, **options):
        asked.append((url, options["md5"]))
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        return path

    monkeypatch.setattr(svhn, "fetch", fetch)
    assert len(data_loaders.load("svhn", "test", root=str(tmp_path))) == 5
    assert asked == [("http://ufldl.stanford.edu/housenumbers/test_32x32.mat", svhn.MD5["test"])]
    data_loaders.load("svhn", "test", root=str(tmp_path))
    assert len(asked) == 1


@pytest.mark.parametrize("state", ["missing", "damaged"])
def test_without_a_download_the_next_step_is_said(published, tmp_path, state):
    if state == "damaged":
        (tmp_path / "SVHN").mkdir()
        (tmp_path / "SVHN" / "train_32x32.mat").write_bytes(b"half")
    with pytest.raises(DataError, match=f"{state}: .*--data-root, or pass --data digits_rgb"):
        data_loaders.load("svhn", "train", root=str(tmp_path), download=False)


def test_offline_is_one_sentence(published, tmp_path, monkeypatch):
    def offline(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.setattr(downloads, "_receive", offline)
    monkeypatch.setattr(downloads.time, "sleep", lambda seconds: None)
    with pytest.raises(DataError, match=r"could not download .*housenumbers.*digits_rgb"):
        data_loaders.load("svhn", "train", root=str(tmp_path))


# ---------------------------------------------------------------- digits_rgb


@pytest.mark.parametrize(("split", "n"), [("train", 1500), ("valid", 297), ("test", 297)])
def test_coloured_digits_come_with_the_repository(split, n, tmp_path):
    data = data_loaders.load("digits_rgb", split, root=str(tmp_path / "nothing"), download=False)
    assert data.images.shape == (n, 3, 32, 32) and data.images.dtype == torch.float32
    assert data.images.min() >= 0 and data.images.max() <= 1
    assert data.labels.unique().tolist() == list(range(10))
    assert torch.equal(data.images, data_loaders.load("digits_rgb", split).images)
    assert data_loaders.load("digits_rgb", split, image_size=16).images.shape == (n, 3, 16, 16)


def test_coloured_digits_stand_out_from_their_ground():
    """Every digit differs clearly in brightness; grounds and digits are of many colours, dark and bright."""
    colours, grey = data_loaders.load("digits_rgb").images, data_loaders.load("digits", image_size=32).images
    ground = colours[:, :, 0, 0]
    ink = (colours * grey).sum(dim=(2, 3)) / grey.sum(dim=(2, 3))
    contrast = (ink - ground).mean(dim=1)
    assert contrast.abs().min() > 0.1
    assert 0.4 < (contrast > 0).float().mean() < 0.6
    assert ground.std(dim=0).min() > 0.1 and ink.std(dim=0).min() > 0.1
