"""Claim: an epoch of the VAE from tensors resident in memory is at least 1.7x as fast as the usual loop.

    python benchmarks/vae_epoch.py --data-root data

The usual loop is what most notebooks have: torchvision's MNIST, ToTensor on each image, a DataLoader, plain
Adam. Ours is the loop of q1_train_vae.py: resident tensors, a permutation index, fused Adam. Model, loss and
batch size are the same. The loops take turns within one run, so that a busy machine slows down both; compare
the ratio, not the seconds.
"""

import argparse
import gzip
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import machine
import torch
import torchvision

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "solutions" / "vae_ddpm_cfg")]

import q1_train_vae  # noqa: E402

import data_loaders  # noqa: E402

CLAIM = 1.7


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--data-root", default="data", help="folder of the MNIST files")
    parser.add_argument("--rounds", type=int, default=3, help="epochs of each loop, after one to warm up")
    parser.add_argument("--batch-size", type=int, default=128, help="images in one step")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="for both loops")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)

    try:
        resident = data_loaders.load("mnist", "train", root=arguments.data_root)
    except data_loaders.DataError as error:
        sys.exit(f"error: {error}")
    with tempfile.TemporaryDirectory() as folder:
        unpack(Path(arguments.data_root) / "MNIST" / "raw", Path(folder) / "MNIST" / "raw")
        usual = torchvision.datasets.MNIST(folder, train=True, transform=torchvision.transforms.ToTensor())
    loops = {
        "usual: DataLoader, ToTensor per item, Adam": (
            torch.utils.data.DataLoader(usual, batch_size=arguments.batch_size, shuffle=True),
            False,
        ),
        "ours: resident tensors, index, fused Adam": (
            resident.batches(arguments.batch_size, shuffle=True),
            True,
        ),
    }
    seconds = {name: [] for name in loops}
    for number in range(arguments.rounds + 1):
        for name, (batches, fused) in loops.items():
            torch.manual_seed(number)
            model = q1_train_vae.VAE()
            optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=fused)
            start = time.perf_counter()
            q1_train_vae.train_epoch(model, batches, optimizer)
            if number:  # the first round warms up
                seconds[name].append(time.perf_counter() - start)

    print(f"{machine.describe()}, torchvision {torchvision.__version__}, {arguments.threads} threads")
    print(f"epochs of {len(resident):,} images, batch {arguments.batch_size}, {arguments.rounds} of each, in turn")
    for name, times in seconds.items():
        every = ", ".join(f"{t:.2f}" for t in times)
        print(f"  {name:44s} median {statistics.median(times):5.2f} s   ({every})")
    before, after = (statistics.median(times) for times in seconds.values())
    verdict = "holds" if before / after >= CLAIM else "DOES NOT HOLD"
    print(f"ratio {before / after:.2f}; the claim of at least {CLAIM} {verdict}")


def unpack(source: Path, target: Path) -> None:
    """Decompress MNIST's archives for torchvision, which reads the unpacked files; `source` stays as it is."""
    target.mkdir(parents=True)
    for archive in source.glob("*.gz"):
        with gzip.open(archive) as packed, (target / archive.stem).open("wb") as file:
            shutil.copyfileobj(packed, file)
    for file in source.glob("*-ubyte"):
        shutil.copy(file, target)


if __name__ == "__main__":
    main()
