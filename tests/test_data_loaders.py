"""The loaders: the interface, MNIST's files in every state, and downloads from servers that misbehave."""

import gzip
import hashlib
import http.server
import struct
import threading

import numpy as np
import pytest
import torch

import data_loaders
from data_loaders import DataError, ResidentDataset, mnist, pad_or_shrink
from data_loaders.download import download


def numbered(n: int) -> ResidentDataset:
    return ResidentDataset(torch.arange(n).view(n, 1, 1, 1) / n, torch.arange(n))


# --- the interface ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("split", "n"), [("train", 1500), ("valid", 297), ("test", 297)])
def test_digits_come_with_the_repository(split, n, tmp_path):
    dataset = data_loaders.load("digits", split, root=tmp_path / "nothing", download=False)
    assert dataset.images.shape == (n, 1, 28, 28) and dataset.images.dtype == torch.float32
    assert dataset.images.min() == 0 and 0.9 < dataset.images.max() <= 1
    assert dataset.labels.shape == (n,) and dataset.labels.dtype == torch.int64
    assert dataset.labels.unique().tolist() == list(range(10))
    assert not (tmp_path / "nothing").exists()


def test_digits_are_scikit_learns():
    sklearn_datasets = pytest.importorskip("sklearn.datasets")
    from data_loaders.digits import FILE

    digits = sklearn_datasets.load_digits()
    with np.load(FILE) as file:
        assert (file["images"] == digits.images).all() and (file["labels"] == digits.target).all()


def test_image_size_pads_or_shrinks():
    images = torch.rand(2, 1, 28, 28)
    padded = pad_or_shrink(images, 32)
    assert padded.shape == (2, 1, 32, 32)
    assert torch.equal(padded[:, :, 2:-2, 2:-2], images) and padded.sum() == pytest.approx(images.sum().item())
    assert pad_or_shrink(images, 31).shape == (2, 1, 31, 31)
    assert pad_or_shrink(images, 14)[0, 0, 0, 0] == pytest.approx(images[0, 0, :2, :2].mean().item())
    assert pad_or_shrink(images, None) is images
    assert data_loaders.load("digits", "test", image_size=16).images.shape == (297, 1, 16, 16)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("mnits",), "no data set 'mnits': choose one of mnist, digits"), (("mnist", "dev"), "no split 'dev'")],
)
def test_a_wrong_name_is_answered_with_the_right_ones(arguments, message):
    with pytest.raises(DataError, match=message):
        data_loaders.load(*arguments)


def test_batches_cover_every_image_once_with_its_label():
    dataset = numbered(97)
    for shuffle in (False, True):
        batches = dataset.batches(10, shuffle=shuffle)
        assert len(batches) == 10
        pairs = list(batches)
        assert [len(labels) for _, labels in pairs] == [10] * 9 + [7]
        labels = torch.cat([labels for _, labels in pairs])
        images = torch.cat([images for images, _ in pairs])
        assert torch.equal(labels.sort().values, torch.arange(97))
        assert torch.equal(images.flatten(), labels / 97)
        assert torch.equal(labels, torch.arange(97)) != shuffle


def test_batches_drop_the_last_only_when_it_is_short():
    assert [len(labels) for _, labels in numbered(97).batches(10, drop_last=True)] == [10] * 9
    assert len(numbered(97).batches(10, drop_last=True)) == 9
    assert len(numbered(100).batches(10, drop_last=True)) == len(numbered(100).batches(10)) == 10
    assert len(numbered(3).batches(10, drop_last=True)) == 0


def test_each_pass_draws_a_new_order_and_a_generator_repeats_it():
    def orders(seed):
        batches = numbered(97).batches(97, shuffle=True, generator=torch.Generator().manual_seed(seed))
        return [labels.tolist() for _ in range(2) for _, labels in batches]

    first, second = orders(0)
    assert first != second
    assert orders(0) == [first, second] != orders(1)


def test_a_dataset_is_indexed_like_a_tensor():
    dataset = numbered(5)
    image, label = dataset[3]
    assert len(dataset) == 5 and image.shape == (1, 1, 1) and label == 3
    assert torch.equal(dataset[torch.tensor([4, 0])][1], torch.tensor([4, 0]))
    with pytest.raises(DataError, match="at least 1"):
        dataset.batches(0)
    with pytest.raises(ValueError, match="2 images but 3 labels"):
        ResidentDataset(torch.zeros(2, 1, 1, 1), torch.zeros(3))


# --- MNIST's files ---------------------------------------------------------------------------------------


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


@pytest.fixture
def small_mnist(tmp_path, monkeypatch):
    """A root with a small MNIST, whose checksums the loader is told; returns its folder and the arrays."""
    import torchvision

    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (11, 28, 28), dtype=np.uint8)
    labels = np.arange(11, dtype=np.uint8) % 10
    folder = tmp_path / "MNIST" / "raw"
    folder.mkdir(parents=True)
    resources = []
    for prefix in ("train", "t10k"):
        for name, array in (("images-idx3", images), ("labels-idx1", labels)):
            stem = f"{prefix}-{name}-ubyte"
            packed = gzip.compress(idx(array))
            (folder / f"{stem}.gz").write_bytes(packed)
            resources.append((f"{stem}.gz", md5(packed)))
            monkeypatch.setitem(mnist.CONTENT_MD5, stem, md5(idx(array)))
    monkeypatch.setattr(torchvision.datasets.MNIST, "resources", resources)
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", ["http://127.0.0.1:9/"])  # nobody answers there
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    return folder, images, labels


def test_mnist_is_decoded_from_the_archives_alone_and_nothing_is_written(small_mnist):
    folder, images, labels = small_mnist
    before = sorted(folder.iterdir())
    for split in ("train", "valid", "test"):
        dataset = data_loaders.load("mnist", split, root=folder.parents[1], image_size=32, download=False)
        assert dataset.images.shape == (11, 1, 32, 32)
        assert np.array_equal(dataset.images[:, 0, 2:-2, 2:-2].mul(255).round().byte().numpy(), images)
        assert dataset.labels.tolist() == labels.tolist()
    assert sorted(folder.iterdir()) == before


def test_mnist_is_read_when_only_the_unpacked_files_are_there_or_packed_again(small_mnist):
    folder, images, _ = small_mnist
    for number, archive in enumerate(sorted(folder.glob("*.gz"))):
        content = gzip.decompress(archive.read_bytes())
        if number % 2:
            archive.write_bytes(gzip.compress(content, compresslevel=1, mtime=1))
        else:
            archive.unlink()
            archive.with_suffix("").write_bytes(content)
    assert len(data_loaders.load("mnist", "train", root=folder.parents[1], download=False)) == len(images)


@pytest.mark.parametrize("harm", [lambda c: c[:-20], lambda c: c[:30] + b"?" + c[31:], lambda c: b"<html>"])
def test_a_damaged_archive_is_never_read(small_mnist, harm):
    folder, _, _ = small_mnist
    archive = folder / "train-images-idx3-ubyte.gz"
    archive.write_bytes(harm(archive.read_bytes()))
    with pytest.raises(DataError, match="is damaged: .*--data digits"):
        data_loaders.load("mnist", root=folder.parents[1], download=False)


def test_offline_the_error_names_the_file_and_the_way_out_and_leaves_no_trace(small_mnist, tmp_path):
    with pytest.raises(DataError, match="missing: .*--data-root.*--data digits"):
        data_loaders.load("mnist", root=tmp_path / "other", download=False)
    with pytest.raises(DataError, match="could not download .*train-images-idx3-ubyte.gz.*--data digits"):
        data_loaders.load("mnist", root=tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_mnist_is_downloaded_when_it_is_not_there(small_mnist, tmp_path, server, monkeypatch):
    import torchvision

    folder, images, _ = small_mnist
    server.files = {archive.name: archive.read_bytes() for archive in folder.glob("train*.gz")}
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", ["http://127.0.0.1:9/", server.address])
    assert len(data_loaders.load("mnist", root=tmp_path / "new")) == len(images)
    assert sorted(path.name for path in (tmp_path / "new" / "MNIST" / "raw").iterdir()) == sorted(server.files)
    requests = len(server.requests)
    data_loaders.load("mnist", root=tmp_path / "new")
    assert len(server.requests) == requests


# --- downloads -------------------------------------------------------------------------------------------


class Server(http.server.ThreadingHTTPServer):
    """Serves `files`; each entry of `faults` spoils one answer: a status, or a number of bytes to break off after."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.faults, self.requests, self.ranges = {}, [], [], True
        self.address = f"http://127.0.0.1:{self.server_port}/"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        name, wanted = self.path.lstrip("/"), self.headers.get("Range")
        self.server.requests.append((name, wanted))
        fault = self.server.faults.pop(0) if self.server.faults else None
        content = self.server.files.get(name)
        if content is None or fault in (403, 503):
            return self.send_error(fault or 404)
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.server.ranges else 0
        if start and start >= len(content):
            return self.send_error(416)
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start:] if fault is None else content[start : start + fault])

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = Server()
    server.files["a.bin"] = bytes(range(256)) * 400
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def fetch(server, tmp_path):
    """fetch(...) downloads a.bin with the right checksum, unless told otherwise."""

    def fetch(url=None, **options):
        options = {"sha256": hashlib.sha256(server.files["a.bin"]).hexdigest(), "pause": 0.001} | options
        return download(url or server.address + "a.bin", tmp_path / "sub" / "a.bin", **options)

    return fetch


def test_a_download_is_whole_and_happens_once(server, fetch, tmp_path):
    assert fetch().read_bytes() == server.files["a.bin"]
    fetch()
    assert len(server.requests) == 1
    assert [path.name for path in (tmp_path / "sub").iterdir()] == ["a.bin"]


def test_a_broken_connection_is_resumed_where_it_stopped(server, fetch):
    server.faults = [1000, 500]
    assert fetch().read_bytes() == server.files["a.bin"]
    assert [wanted for _, wanted in server.requests] == [None, "bytes=1000-", "bytes=1500-"]


def test_a_later_call_resumes_too(server, fetch):
    server.faults = [1000]
    with pytest.raises(DataError, match="1,000 of 102,400 bytes"):
        fetch(attempts=1)
    assert fetch().read_bytes() == server.files["a.bin"]
    assert server.requests[-1] == ("a.bin", "bytes=1000-")


def test_a_server_without_ranges_sends_it_all_again(server, fetch):
    server.faults, server.ranges = [1000], False
    assert fetch().read_bytes() == server.files["a.bin"]


def test_without_a_checksum_nothing_is_resumed_but_the_length_is_checked(server, fetch):
    server.faults = [1000]
    assert fetch(sha256=None).read_bytes() == server.files["a.bin"]
    assert [wanted for _, wanted in server.requests] == [None, None]


def test_a_stale_part_is_thrown_away(server, fetch, tmp_path):
    (tmp_path / "sub").mkdir()
    for stale in (b"x" * 100, b"x" * 200_000):  # its end does not fit; it is longer than the file (HTTP 416)
        (tmp_path / "sub" / "a.bin.part").write_bytes(stale)
        assert fetch().read_bytes() == server.files["a.bin"]
        (tmp_path / "sub" / "a.bin").unlink()


def test_a_busy_server_is_asked_again_and_a_refusal_is_final(server, fetch):
    server.faults = [503, 503]
    assert fetch().is_file() and len(server.requests) == 3
    server.requests.clear()
    with pytest.raises(DataError, match=r"none.bin \(HTTP 404 .*\): check the network .* put the file at .*a.bin"):
        fetch(server.address + "none.bin", sha256="0" * 64)
    assert len(server.requests) == 1


def test_mirrors_take_turns(server, fetch):
    assert fetch([server.address + "none.bin", server.address + "a.bin"]).is_file()


@pytest.mark.parametrize("kind", ["sha256", "md5"])
def test_a_wrong_checksum_is_an_error_and_leaves_no_file(server, fetch, tmp_path, kind):
    wrong = {"sha256": None, kind: hashlib.new(kind, b"other").hexdigest()}
    with pytest.raises(DataError, match="checksum is wrong.*, or pass --data digits"):
        fetch(attempts=2, hint="or pass --data digits", **wrong)
    assert len(server.requests) == 2
    assert list((tmp_path / "sub").iterdir()) == []


def test_a_damaged_file_is_fetched_again(server, fetch):
    path = fetch()
    path.write_bytes(b"damaged")
    assert fetch().read_bytes() == server.files["a.bin"]


def test_a_folder_that_cannot_be_written_is_said(fetch, tmp_path):
    (tmp_path / "sub").write_text("a file where the folder should be")
    with pytest.raises(DataError, match="cannot write .*choose another --data-root"):
        fetch()
