# @title First cell: run it before all else, on your own machine, on Colab, on Kaggle. Running it again does no harm.
SMOKE = False  # @param {type:"boolean"}
# SMOKE = True: tiny settings and offline data, only to see within minutes that everything runs.

import os
import shutil
import subprocess
import sys
from pathlib import Path

SLUG, FIRST_FILE = "@SLUG@", "@FILE@"
REPOSITORY = "@REPOSITORY@"
BRANCH, NAME = "@BRANCH@", "@NAME@"


def find(root):
    """The assignment's folder: `root` itself, or one in it."""
    places = [Path(root, place).resolve() for place in (".", SLUG, f"assignment/{SLUG}", f"{NAME}/{SLUG}")]
    return next((p for p in places if (p / "assignment.toml").is_file() and (p / FIRST_FILE).is_file()), None)


def fetch(home):
    """Bring this assignment from the course's repository; what lies in `home` already stays as it is."""
    clone = home / NAME
    if (clone / ".git").is_dir():  # from another assignment: its folder, with your work, is not touched
        commands = [["fetch", "--depth", "1", REPOSITORY, BRANCH], ["checkout", "FETCH_HEAD", "--", SLUG]]
        commands = [["-C", str(clone), *command] for command in commands]
    else:
        commands = [["clone", "--depth", "1", "--branch", BRANCH, REPOSITORY, str(clone)]]
    for command in commands:
        no_password = os.environ | {"GIT_TERMINAL_PROMPT": "0"}  # a private repository says no at once
        done = subprocess.run(["git", *command], env=no_password, capture_output=True, text=True)
        if done.returncode:
            why = (done.stderr.strip().splitlines() or ["git gave no reason"])[-1]
            raise FileNotFoundError(
                f"{REPOSITORY} gave no folder {SLUG} ({why}). If the repository is private, or not published yet, take "
                f"{SLUG}.zip from your course's page, upload it to {home}, and run this cell again."
            )


home, cloud = Path.cwd(), False
if "google.colab" in sys.modules:
    home, cloud = Path("/content"), True
    try:
        from google.colab import drive

        drive.mount("/content/drive")
        home = Path("/content/drive/MyDrive")  # your files and checkpoints outlive the session there
    except Exception as error:
        print(f"No Google Drive ({error}): download your files and runs/ before the session ends.")
elif "KAGGLE_KERNEL_RUN_TYPE" in os.environ:
    home, cloud = Path("/kaggle/working"), True
folder = next(filter(None, map(find, [home, *home.parents])), None)
if folder is None and cloud:
    uploaded = [path for path in (home / f"{SLUG}.zip", Path("/content", f"{SLUG}.zip")) if path.is_file()]
    attached = [path.parent for path in Path("/kaggle/input").glob(f"**/{SLUG}/assignment.toml")]
    if uploaded:
        shutil.unpack_archive(uploaded[0], home)
    elif attached:
        shutil.copytree(attached[0], home / SLUG)
    else:
        fetch(home)
    folder = find(home)
if folder is None:
    raise FileNotFoundError(f"No folder {SLUG} with {FIRST_FILE} here: unzip {SLUG}.zip, then open the notebook in it.")

sys.path[:0] = [str(folder), str(folder.parents[1])]
from student.notebook import choose, curves, figures, start

start(folder, install=cloud)
LOOKS = "runs/smoke-looks" if SMOKE else "runs/looks"  # where this notebook's small figures go
