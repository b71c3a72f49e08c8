# @title Set up: on Colab, on Kaggle and on your own machine. Run this cell first; running it again does no harm.
import os
import shutil
import subprocess
import sys
from pathlib import Path

SLUG, FIRST_FILE = "@SLUG@", "@FILE@"
REPOSITORY, BRANCH = "@REPOSITORY@", "@BRANCH@"


def find(root):
    """The assignment's folder: `root` itself, or one in it."""
    inside = (".", SLUG, f"assignment/{SLUG}", f"{REPOSITORY.rpartition('/')[2]}/{SLUG}")
    places = [Path(root, place).resolve() for place in inside]
    return next((p for p in places if (p / "assignment.toml").is_file() and (p / FIRST_FILE).is_file()), None)


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
        subprocess.run(["git", "clone", "--depth", "1", "--branch", BRANCH, REPOSITORY], cwd=home, check=True)
    folder = find(home)
if folder is None:
    raise FileNotFoundError(f"No folder {SLUG} with {FIRST_FILE} here: unzip {SLUG}.zip, then open the notebook in it.")

sys.path[:0] = [str(folder), str(folder.parents[1])]
from student.notebook import figures, start

start(folder, install=cloud)
