"""What `make` runs first: everything that requirements.lock pins, into .venv. Standard library only.

    python3 install.py                  the default build of torch: on Linux with CUDA, 6 GB in all
    python3 install.py --torch cpu      the CPU build, from PyTorch's own index: 1.3 GB in all
    python3 install.py --torch cu126    another of its builds; or the address of an index, or a folder of wheels

The choice is kept in .venv/ready for the next time. uv is used where it is there (several times as fast), else pip.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
INDEX = "https://download.pytorch.org/whl/"
TORCH = ("torch", "torchvision")
ONLY_CUDA = ("nvidia-", "cuda-", "triton")  # what the default build of torch brings, and no other one needs


def split_lock(lock: str) -> tuple[list[str], list[str]]:
    """The lines of a lock file that pin torch and torchvision, and those that every build of them needs.

    Raises:
        SystemExit: if torch or torchvision is not pinned.
    """
    lines = [line for line in lock.splitlines() if line and not line.startswith("#")]
    torch = [line for line in lines if re.match(rf"({'|'.join(TORCH)})==", line)]
    if len(torch) != len(TORCH):
        sys.exit(f"requirements.lock does not pin {' and '.join(TORCH)}: run make lock.")
    return torch, [line for line in lines if line not in torch and not line.startswith(ONLY_CUDA)]


def source_of(build: str) -> list[str]:
    """pip's and uv's arguments for the place of a build: a name in PyTorch's index, an address, or a folder."""
    if Path(build).is_dir():
        return ["--no-index", "--find-links", str(Path(build).resolve())]
    return ["--index-url", build if "://" in build else INDEX + build]


def commands(build: str, lock: Path, venv: Path, uv: str | None) -> list[list[str]]:
    """What is run, in this order. The lock file is complete, so nothing is resolved again (--no-deps)."""
    python = str(venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    if uv:
        make = [uv, "venv", "--quiet", "--allow-existing", "--seed", "--python", sys.executable, str(venv)]
        install = [uv, "pip", "install", "--quiet", "--python", python, "--no-deps"]
    else:
        make = [sys.executable, "-m", "venv", str(venv)]
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    packages = [[*install, "--requirement", str(lock)]]
    if build:
        torch, rest = split_lock(lock.read_text(encoding="utf-8"))
        packages = [[*install, *source_of(build), *torch], [*install, *rest]]
    return [make, *packages, [*install, "--editable", str(ROOT)]]


def main() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 (this file runs before anything is installed)
        sys.exit(f"Python 3.11 or later is needed, this is {sys.version.split()[0]}: try make PYTHON=python3.12")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--torch", default="", metavar="BUILD", help="cpu, cu126, ..., an index, or a folder of wheels")
    parser.add_argument("--lock", type=Path, default=ROOT / "requirements.lock", help=argparse.SUPPRESS)
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv", help=argparse.SUPPRESS)
    options = parser.parse_args()
    ready = options.venv / "ready"
    build = options.torch or (ready.read_text(encoding="utf-8").strip() if ready.is_file() else "")
    for command in commands(build, options.lock, options.venv, shutil.which("uv")):
        if (status := subprocess.run(command, check=False).returncode) != 0:
            sys.exit(f"The installation stopped with status {status} at: {' '.join(command[:8])} ...")
    ready.write_text(f"{build}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
