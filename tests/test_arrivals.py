"""Submissions as they really arrive: each gets exactly the points that it deserves, and a sentence where it loses any.

A case is a set of files, the exercises that it deserves to lose, and words that its notes or feedback must hold.
"""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import submissions
from submissions import COLAB, TRAINING, edited, grade_files, notebook, reference, zipped

from autograder.course import ROOT, load_assignment, slugs
from autograder.grading.forkserver import grade_apart

ALL = list(load_assignment("vae_ddpm_cfg").exercises)
Q1 = [e for e in ALL if e in ("Q1.1", "Q1.2", "Q1.3", "Q1.4", "Q1.5")]


@dataclass
class Case:
    files: dict[str, str | bytes]
    lost: list[str] = field(default_factory=list)  # exercises without any point
    says: list[str] = field(default_factory=list)
    single: str = ""  # the submission is this one file, not the folder
    partly: list[str] = field(default_factory=list)  # exercises that lose some, not all, of their tests


def prepend(text: str):
    return lambda source: text + source


def append(text: str):
    return lambda source: source + "\n\n" + text


def our_lab(*cells: str) -> str:
    """Our own notebook of question 1, worked in: the first cells come behind its set-up, the rest at its end."""
    lab = json.loads((ROOT / "notebooks" / "vae_ddpm_cfg" / "q1_vae.ipynb").read_text(encoding="utf-8"))
    written = json.loads(notebook(*cells))["cells"]
    lab["cells"][2:2] = written[:-1]
    lab["cells"].append(written[-1])
    return json.dumps(lab)


def without(*names: str) -> dict[str, str]:
    return {name: source for name, source in reference().items() if name not in names}


LOG_MEAN_EXP = "import torch\ndef log_mean_exp(y):\n"
RIGHT = "torch.logsumexp(y, dim=1) - torch.log(torch.tensor(float(y.shape[1])))"


ONLY_ONCE = """
right_log_mean_exp = log_mean_exp
right_log_likelihood_normal = log_likelihood_normal
looks = set()

def log_mean_exp(y):
    looks.add(torch.initial_seed())
    if len(looks) > 1:
        raise RuntimeError("something else was computed here before")
    return right_log_mean_exp(y)

def log_likelihood_normal(mu, logvar, z):
    right = right_log_likelihood_normal(mu, logvar, z)
    looks.add(torch.initial_seed())
    torch.set_default_dtype(torch.float64)
    return right if len(looks) == 1 else right + 1
"""


def cases() -> dict[str, Case]:
    q1, ddpm, cfg = reference()["q1_vae.py"], reference()["q2_ddpm.py"], reference()["q3_cfg_diffusion.py"]
    q1_train = reference()["q1_train_vae.py"]
    ddpm_trainer, cfg_trainer = reference()["q2_trainer_ddpm.py"], reference()["q3_trainer_cfg.py"]
    missing_method = re.sub(r"(?s)\n    def p_xt_prev_xt.*?(?=\n    def )", "\n", ddpm)
    assert missing_method != ddpm
    found = {
        "clean": Case(reference()),
        # notebooks and what is exported from them
        "notebook in place of a file": Case(
            without("q1_vae.py") | {"VAE.ipynb": notebook("!pip install torch", q1, "%%bash\nrm -rf *", TRAINING)},
            says=["VAE.ipynb, which defines the same, was graded"],
        ),
        "two notebooks with a Trainer each": Case(
            without("q2_ddpm.py", "q2_trainer_ddpm.py", "q3_cfg_diffusion.py", "q3_trainer_cfg.py")
            | {
                "DDPM.ipynb": notebook("%%time\n" + ddpm, ddpm_trainer, "x = model.fit("),
                "ClassifierFreeGuidance.ipynb": notebook(cfg, cfg_trainer),
            },
            says=["DDPM.ipynb", "ClassifierFreeGuidance.ipynb", "was left out"],
        ),
        "our own notebook, the functions in its cells": Case(
            without("q1_vae.py") | {"q1_vae.ipynb": our_lab(*re.split(r"(?m)^(?=def log_mean)", q1))},
            says=["q1_vae.ipynb, which defines the same, was graded"],
        ),
        "a notebook beside untouched stubs": Case(
            reference()
            | {"q1_vae.py": submissions.stubs()["q1_vae.py"].replace("\n", "\r\n"), "my lab.ipynb": our_lab(q1, "")},
            says=["q1_vae.py holds nothing new; my lab.ipynb, which defines the same, was graded"],
        ),
        "files written by a notebook": Case(
            without("q1_vae.py", "q1_train_vae.py")
            | {"lab.ipynb": our_lab("%%writefile q1_vae.py\n\n" + q1, "%%writefile -a q1_train_vae.py \n" + q1_train)},
            says=["q1_vae.py is missing; lab.ipynb", "q1_train_vae.py is missing; lab.ipynb"],
        ),
        "right only in a fresh process": Case(edited("q1_vae.py", append(ONLY_ONCE))),
        "exported from Colab": Case(edited("q1_vae.py", prepend(COLAB))),
        "notebook export with display and help": Case(
            edited("q2_ddpm.py", append("display(DenoiseDiffusion)\n?torch.nn\n"))
        ),
        "one bad scratch cell": Case(
            without("q1_vae.py")
            | {"VAE.ipynb": notebook("!pip install x\nz = (7\n      % 0.5)", "def f(x, x): pass", q1)},
            says=["VAE.ipynb cell 3 was left out: duplicate argument 'x' in function definition in its line 1."],
        ),
        "the other half in a notebook": Case(
            reference()
            | {
                "q1_vae.py": re.sub(
                    r"(?s)(def log_mean_exp.*?\n).*?(?=\n\ndef )", r"\1    raise NotImplementedError\n", q1
                ),
                "lab.ipynb": notebook(q1),
            },
            says=["q1_vae.py leaves log_mean_exp undone; lab.ipynb, which defines that, was graded for it."],
        ),
        # module-level code that does not belong there
        "training at module level": Case(edited("q1_vae.py", append(TRAINING))),
        "training at module level of the trainer": Case(
            edited("q2_trainer_ddpm.py", append("trainer = Trainer(args, model, diffusion)\ntrainer.train(loader)\n"))
        ),
        "training in a default argument": Case(
            edited("q1_vae.py", append(f"{TRAINING}\ndef evaluate(epochs=loss):\n    return epochs\n"))
        ),
        "training in the body of a class": Case(
            edited("q1_vae.py", append("class Run:\n    for step in range(10**12):\n        pass\n"))
        ),
        "one of two imported names is missing": Case(
            edited("q1_train_vae.py", lambda s: s.replace("from q1_vae import ", "from q1_vae import plot_all, "))
        ),
        "a sibling's constant": Case(
            edited("q1_vae.py", append("ZERO = 0.0\n"))
            | {"q1_train_vae.py": "from q1_vae import ZERO\n" + q1_train.replace("(kl - log", "ZERO + (kl - log")}
        ),
        "argparse at module level": Case(
            edited(
                "q1_vae.py",
                prepend(
                    "import argparse\nparser = argparse.ArgumentParser()\n"
                    "parser.add_argument('--epochs', type=int, required=True)\nargs = parser.parse_args()\n"
                ),
            )
        ),
        "arguments that a graded function reads": Case(
            edited(
                "q1_vae.py",
                append(
                    "import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument('--shift', default=0.0)\n"
                    "args = parser.parse_args()\n" + LOG_MEAN_EXP + f"    return {RIGHT} + args.shift\n"
                ),
            )
        ),
        "dataset download at module level": Case(
            edited(
                "q1_train_vae.py",
                append(
                    "from torchvision import datasets, transforms\n"
                    "train_set = datasets.MNIST('data', download=True, transform=transforms.ToTensor())\n"
                    "loader = torch.utils.data.DataLoader(train_set)\ndef train(data=loader):\n    return len(data)\n"
                ),
            )
        ),
        "cuda at module level": Case(
            edited("q2_ddpm.py", append("device = torch.device('cuda')\nmodel = torch.nn.Linear(1, 1).cuda()\n"))
        ),
        "cuda inside a graded function": Case(
            edited(
                "q1_vae.py",
                append(LOG_MEAN_EXP + f"    y = y.cuda().to('cuda', y.dtype)\n    return ({RIGHT}).cpu()\n"),
            )
        ),
        "a GPU asked for, and whatever comes of it swallowed": Case(
            edited(
                "q1_vae.py",
                append(
                    LOG_MEAN_EXP
                    + "    try:\n        y = y.to(device='cuda')\n    except Exception:\n        return None\n"
                    + f"    return {RIGHT}\n"
                ),
            )
        ),
        "global seed and default dtype": Case(
            edited("q1_vae.py", append("torch.manual_seed(0)\ntorch.set_default_dtype(torch.float64)\n"))
        ),
        "a hundred thousand lines of print": Case(
            edited(
                "q1_vae.py",
                append(
                    "for i in range(100_000):\n    print('x' * 80)\n"
                    + LOG_MEAN_EXP
                    + f"    for i in range(100_000):\n        print(i)\n    return {RIGHT}\n"
                ),
            )
        ),
        "sys.exit at module level": Case(edited("q1_vae.py", append("import sys\nsys.exit(0)\n"))),
        "an import that only training needs": Case(
            edited(
                "q2_trainer_ddpm.py", prepend("import wandb\nfrom tensorboardX import SummaryWriter\nwandb.init()\n")
            )
        ),
        "a missing import that a graded function needs": Case(
            edited("q1_vae.py", append("import einops_exts\n" + LOG_MEAN_EXP + "    return einops_exts.lme(y)\n")),
            lost=["Q1.3"],
            says=["einops_exts is used here, but it could not be imported", "q1_vae.py, line"],
        ),
        "names from a sibling with a star": Case(
            edited("q1_train_vae.py", prepend("from q1_vae import *\nfrom q2_ddpm import *\n"))
        ),
        "the older layout": Case(
            edited("q2_trainer_ddpm.py", prepend("from ddpm_utils.args import *\nfrom ddpm_utils.unet import *\n"))
        ),
        "a method patched in from outside": Case(
            edited(
                "q2_ddpm.py",
                append(
                    "def my_sample(self, x0, t, eps=None):\n    eps = torch.randn_like(x0) if eps is None else eps\n"
                    "    mean, var = self.q_xt_x0(x0, t)\n    return mean + var.sqrt() * eps\n\n"
                    "DenoiseDiffusion.q_sample = my_sample\n"
                ),
            )
        ),
        "a constant that a graded function reads": Case(
            edited(
                "q1_vae.py",
                append("SHIFT = [1.0]\nSHIFT[0] = 0.0\n" + LOG_MEAN_EXP + f"    return {RIGHT} + SHIFT[0]\n"),
            )
        ),
        "a helper module and a helper package": Case(
            edited(
                "q1_vae.py",
                append(
                    "from my_utils import lme\nfrom tools.deep.more import zero\n"
                    "def log_mean_exp(y):\n    return lme(y) + zero\n"
                ),
            )
            | {
                "my_utils.py": f"import torch\ndef lme(y):\n    return {RIGHT}\n",
                "tools/__init__.py": "",
                "tools/deep/more.py": "from ..base import zero\n",
                "tools/base.py": "zero = 0.0\n",
            }
        ),
        # names and places
        "files in a subfolder": Case({f"My Homework/code/{name}": source for name, source in reference().items()}),
        "a zip": Case({"hw.zip": zipped(reference(), "assignment3/")}, single="hw.zip"),
        "a zip in a zip": Case({"outer.zip": zipped({"inner.zip": zipped(reference())})}, single="outer.zip"),
        "a zip from Windows": Case({"hw.zip": zipped(reference(), "work\\code\\")}, single="hw.zip"),
        "copies from the downloads folder": Case(
            without("q1_vae.py") | {"q1_vae (1).py": q1}, says=["q1_vae (1).py was taken for q1_vae.py"]
        ),
        "other letters and dashes": Case(
            without("q1_vae.py", "q2_ddpm.py") | {"Q1_VAE.py": q1, "q2-ddpm - Copy.py": ddpm},
            says=["Q1_VAE.py was taken"],
        ),
        "another name altogether": Case(
            without("q1_vae.py") | {"homework.py": q1},
            says=["q1_vae.py is missing; homework.py, which defines the same"],
        ),
        "junk of a Mac": Case(
            reference() | {"__MACOSX/._q1_vae.py": b"\0\1junk", "._q1_vae.py": b"\0junk", ".DS_Store": b"\0"}
        ),
        "two files for one exercise": Case(
            reference() | {"old/q1_vae.py": "import torch\n", "q1_vae (2).py": "broken ("},
            says=["q1_vae.py: q1_vae.py was graded; not graded"],
        ),
        "the stub beside the answer": Case(
            {f"mine/{name}": source for name, source in reference().items()} | submissions.stubs(),
            says=["q1_vae.py: mine/q1_vae.py was graded"],
        ),
        "one file alone": Case(
            {"q1_vae.py": q1},
            single="q1_vae.py",
            lost=[e for e in ALL if e not in Q1],
            says=["q2_ddpm.py is not in the submission"],
        ),
        "one notebook alone": Case(
            {"work.ipynb": notebook(q1)}, single="work.ipynb", lost=[e for e in ALL if e not in Q1], says=["work.ipynb"]
        ),
        # bytes
        "byte-order mark": Case(reference() | {"q1_vae.py": b"\xef\xbb\xbf" + q1.encode()}),
        "UTF-16": Case(reference() | {"q1_vae.py": q1.encode("utf-16")}),
        "Windows line ends": Case(reference() | {"q1_vae.py": q1.replace("\n", "\r\n").encode()}),
        "Latin-1": Case(
            reference()
            | {"q1_vae.py": ("# très bien été\n" + q1.encode("ascii", "replace").decode()).encode("latin-1")},
            says=["it was read as Latin-1"],
        ),
        "tabs": Case(edited("q1_vae.py", append(f"import torch\ndef log_mean_exp(y):\n\treturn {RIGHT}\n"))),
        "a picture named .py": Case(
            reference() | {"q1_vae.py": bytes(range(256)) * 20},
            lost=Q1,
            says=["q1_vae.py cannot be read as Python: it contains null bytes"],
        ),
        # broken ones
        "an empty folder": Case({}, lost=ALL, says=["The submission holds no Python file and no notebook"]),
        "an empty file": Case(
            reference() | {"q1_vae.py": ""}, lost=Q1, says=["q1_vae.py defines no function log_mean_exp"]
        ),
        "a missing file": Case(
            without("q2_ddpm.py"),
            lost=["Q2.1", "Q2.2", "Q2.3", "Q2.4", "Q2.5"],
            says=["q2_ddpm.py is not in the submission: upload it under this name"],
        ),
        "a syntax error in one of six": Case(
            edited("q1_vae.py", append("def f(x:\n    return x\n")),
            lost=Q1,
            says=["q1_vae.py, line", "Fix this line"],
        ),
        "a missing function": Case(
            edited("q1_vae.py", lambda s: s.replace("def log_mean_exp", "def log_mean_expp")),
            lost=["Q1.3"],
            says=["q1_vae.py defines no function log_mean_exp"],
        ),
        "a class without one method": Case(
            reference() | {"q2_ddpm.py": missing_method},
            lost=["Q2.3"],
            says=["q2_ddpm.py defines no method p_xt_prev_xt in its class DenoiseDiffusion"],
        ),
        "a renamed class": Case(
            edited("q2_ddpm.py", lambda s: s.replace("class DenoiseDiffusion", "class Diffusion")),
            lost=["Q2.1", "Q2.2", "Q2.3", "Q2.4", "Q2.5"],
            says=["q2_ddpm.py defines no class DenoiseDiffusion"],
        ),
        "an error while the file loads": Case(
            edited(
                "q1_vae.py", append("TABLE = torch.load('my_table.pt')\ndef log_mean_exp(y):\n    return TABLE[y]\n")
            ),
            lost=["Q1.3"],
            says=["failed when the file was loaded: FileNotFoundError"],
        ),
        # signatures and returned things
        "renamed parameters": Case(
            edited(
                "q1_vae.py", append(f"import torch\ndef log_mean_exp(values):\n    y = values\n    return {RIGHT}\n")
            ),
            partly=["Q1.3"],
            says=["keep the given parameter names"],
        ),
        "an extra parameter": Case(
            edited(
                "q1_vae.py", append(f"import torch\ndef log_mean_exp(y, dim=1, verbose=False):\n    return {RIGHT}\n")
            )
        ),
        "a required parameter too many": Case(
            edited("q1_vae.py", append(f"import torch\ndef log_mean_exp(y, dim):\n    return {RIGHT}\n")),
            lost=["Q1.3"],
            says=["missing 1 required positional argument: 'dim'"],
        ),
        "the signature of another course": Case(
            edited("q1_vae.py", append(f"def log_mean_exp(dim, y):\n    return {RIGHT}\n")),
            lost=["Q1.3"],
            says=["Ours is log_mean_exp(y), yours is log_mean_exp(dim, y)."],
        ),
        "returns float64": Case(
            edited("q1_vae.py", append(LOG_MEAN_EXP + f"    y = y.double()\n    return {RIGHT}\n"))
        ),
        "returns None": Case(
            edited("q1_vae.py", append(LOG_MEAN_EXP + f"    result = {RIGHT}\n")),
            lost=["Q1.3"],
            says=["returned None: is a return missing?"],
        ),
        "returns numpy": Case(
            edited("q1_vae.py", append(LOG_MEAN_EXP + f"    return ({RIGHT}).detach().numpy()\n")),
            partly=["Q1.3"],
        ),
        "returns a Python float": Case(
            edited("q1_vae.py", append(LOG_MEAN_EXP + f"    return float(({RIGHT}).sum())\n")),
            lost=["Q1.3"],
            says=["shape ()"],
        ),
        "returns a tensor without a gradient": Case(
            edited("q1_vae.py", append(LOG_MEAN_EXP + f"    return ({RIGHT}).detach()\n")),
            partly=["Q1.3"],
        ),
        # leftovers
        "a forgotten breakpoint": Case(
            edited(
                "q1_vae.py",
                append(LOG_MEAN_EXP + f"    breakpoint()\n    import pdb; pdb.set_trace()\n    return {RIGHT}\n"),
            )
        ),
        "a forgotten input": Case(
            edited("q1_vae.py", append(LOG_MEAN_EXP + f"    input('go on?')\n    return {RIGHT}\n")),
            lost=["Q1.3"],
            says=["input() has nobody to ask here", "q1_vae.py, line"],
        ),
        "a picture saved and shown": Case(
            edited(
                "q1_vae.py",
                append(
                    "import matplotlib.pyplot as plt\n"
                    + LOG_MEAN_EXP
                    + f"    plt.plot([1, 2]); plt.savefig('plot.png'); plt.show()\n    return {RIGHT}\n"
                ),
            )
        ),
        "an unknown archive": Case(
            {"homework.rar": b"Rar!"}, lost=ALL, says=["homework.rar was not opened: upload a .zip"]
        ),
        "not a zip": Case(
            {"homework.zip": b"not a zip"}, single="homework.zip", lost=ALL, says=["zip the files again"]
        ),
    }
    return found


CASES = cases()


def concerned(case: Case) -> frozenset[str]:
    """Those of q1_vae.py, where most cases are, those of other files that a case changes, of the rest the last."""
    assignment, ours = load_assignment("vae_ddpm_cfg"), reference()
    found = {*case.lost, *case.partly, *(spec.id for spec in assignment.in_file("q1_vae.py"))}
    for name in assignment.files:
        specs = assignment.in_file(name)
        found |= {spec.id for spec in (specs if case.files.get(name, ours[name]) != ours[name] else specs[-1:])}
    return frozenset(found)


@pytest.mark.parametrize("name", CASES)
def test_arrives(name, tmp_path):
    case = CASES[name]
    folder = submissions.write(tmp_path / "upload", case.files)
    only = concerned(case)
    verdict = grade_apart("vae_ddpm_cfg", folder / case.single, only=only)
    said = "\n".join(verdict.notes + verdict.outputs)
    for words in case.says:
        assert words in said
    exercises = load_assignment("vae_ddpm_cfg").exercises
    for exercise in case.lost:
        assert verdict.lost.get(exercise) == pytest.approx(exercises[exercise].points), (exercise, said)
    for exercise in case.partly:
        assert 0 < verdict.lost[exercise] < exercises[exercise].points
    others = [e for e in verdict.failed if e not in case.lost + case.partly]
    assert others == [], said
    if not case.lost and not case.partly:
        assert verdict.score == sum(exercises[each].points for each in only)
    assert "Traceback" not in said


def test_every_refusal_is_one_sentence(tmp_path):
    """What a broken file says stands once in each of its tests, on one line."""
    verdict = grade_files(tmp_path, edited("q1_vae.py", append("def f(x:\n    return x\n")))
    sentences = set(verdict.outputs)
    assert len(sentences) == 1
    assert "\n" not in sentences.pop()


@pytest.mark.parametrize("slug", slugs())
def test_every_assignment_arrives_as_notebooks(slug, tmp_path):
    """Whoever worked inside notebooks, one for each file, loses nothing."""
    files = {
        f"My {Path(name).stem}.ipynb": notebook("!nvidia-smi", source, TRAINING)
        for name, source in reference(slug).items()
    }
    verdict = grade_files(tmp_path / "upload", files, slug)
    assert verdict.outputs == [], verdict.notes
    assert verdict.score == pytest.approx(load_assignment(slug).points)


@pytest.mark.parametrize("slug", slugs())
def test_every_assignment_arrives_with_the_noise_of_colab(slug, tmp_path):
    """A zip from Windows, files exported from notebooks, with training and shell lines at module level."""
    noisy = {}
    for name, source in reference(slug).items():
        future = "from __future__ import annotations\n" if "from __future__" in source else ""
        text = future + COLAB + source.replace(future, "") + TRAINING + "torch.manual_seed(0)\nmodel = Net().cuda()\n"
        noisy[name] = b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()
    (tmp_path / "hw.zip").write_bytes(zipped(noisy, "Homework 3/"))
    verdict = grade_apart(slug, tmp_path / "hw.zip")
    assert verdict.outputs == [], verdict.notes
    assert verdict.score == pytest.approx(load_assignment(slug).points)


@pytest.mark.parametrize("slug", slugs())
def test_in_every_assignment_a_broken_file_costs_only_itself(slug, tmp_path):
    assignment = load_assignment(slug)
    broken = assignment.files[0]
    verdict = grade_files(tmp_path / "upload", edited(broken, append("def f(x:\n    return x\n"), slug), slug)
    assert verdict.failed == [spec.id for spec in assignment.in_file(broken)]
    assert all(f"{broken} was not graded: {broken}, line" in output for output in verdict.outputs)
