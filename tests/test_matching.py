"""Which upload is which file, what is kept of it, and what is said where something is wrong. No grade is taken here:
what would be graded is compared, statement by statement, with the reference's own code."""

import ast
import subprocess
import sys

import hypothesis
import pytest
import submissions
from hypothesis import strategies
from submissions import TRAINING, edited, notebook, reference, stubs

from autograder.course import ROOT, load_assignment
from autograder.grading.matching import plain_name
from autograder.grading.signatures import fits, misfits, signature_hint
from autograder.sandbox.extract import extract

Q1 = reference()["q1_vae.py"]
TARGETS = [spec.target for spec in load_assignment("vae_ddpm_cfg").in_file("q1_vae.py")]


def decided(tmp_path, files, slug="vae_ddpm_cfg"):
    return submissions.understood(submissions.write(tmp_path / "upload", files), slug)


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    """{slug: {module: what the reference's graded statements do}}"""
    folder = tmp_path_factory.mktemp("clean")
    return {
        slug: submissions.understood(submissions.write(folder / slug, reference(slug)), slug)[1]
        for slug in ("vae_ddpm_cfg", "vae_gan_ddpm")
    }


def without(*names, slug="vae_ddpm_cfg"):
    return {name: source for name, source in reference(slug).items() if name not in names}


# ---------------------------------------------------------------- one bad cell costs that cell


BAD_CELLS = {
    "the same argument twice": ("x = 1\ndef f(x, x):\n    return x", "duplicate argument 'x'", 2),
    "a late global": ("def f():\n    print(EPOCHS)\n    global EPOCHS", "prior to global declaration", 3),
    "a nonlocal at the top": ("nonlocal x", "nonlocal declaration not allowed", 1),
    "a return outside": ("x = 1\nreturn x", "'return' outside function", 2),
    "a break outside": ("def f():\n    break", "'break' outside loop", 2),
    "a yield outside": ("yield 3", "'yield' outside function", 1),
    "await in a plain function": ("def f():\n    await g()", "'await' outside async function", 2),
    "an unfinished line": ("!pip install torch\n\nmodel.fit(", "'(' was never closed", 3),
    "two stars": ("f(**a, *b)", "iterable argument unpacking follows", 1),
    "too deep": ("(" * 300 + ")" * 300, "too many nested parentheses", 1),
    "a null character": ("x = '\0'", "null bytes", None),
    "half a character": ("x = '\ud800'", "surrogates not allowed", None),
}


@pytest.mark.parametrize("name", BAD_CELLS)
def test_whatever_is_wrong_in_a_cell_costs_that_cell(name, tmp_path, clean):
    cell, problem, line = BAD_CELLS[name]
    submission, found = decided(
        tmp_path, without("q1_vae.py") | {"VAE.ipynb": notebook("print(1)", cell, Q1, TRAINING)}
    )
    assert submission.refusals == {}
    assert found == clean["vae_ddpm_cfg"]
    (note,) = [note for note in submission.notes if "was left out" in note]
    assert note.startswith("VAE.ipynb cell 3 was left out: ") and problem in note
    assert line is None or note.endswith(f"in its line {line}.")


IPYTHON_CELLS = {
    "an expression goes on with %": "!pip install torch\nscale = (7\n      % 0.5)\ndef f():\n    return scale",
    "a bare pip": "pip install einops wandb\nimport torch",
    "a bare pip with options": "pip install -q 'torch>=2' git+https://example.org/x.git",
    "other bare commands": "cd data\nls -l\nmatplotlib inline\nload_ext autoreload",
    "lines that go on": "!pip install \\\n  torch \\\n  numpy\n%matplotlib inline",
    "questions": "torch?\n?torch\nF.relu??",
    "values of commands": "files = !ls\nwhere = %pwd\n%env A=1\n%timeit sum(range(3))",
    "prompts": ">>> x = 1\n>>> for i in range(3):\n...     x += i",
    "numbered prompts": "In [3]: x = 1\nIn [4]: y = x",
    "indented": "    x = 1\n    y = 2",
    "await": "data = await load()",
}


@pytest.mark.parametrize("name", IPYTHON_CELLS)
def test_what_only_ipython_understands_costs_nothing(name, tmp_path, clean):
    """Neither in a cell of its own nor in one with the answers."""
    cell = IPYTHON_CELLS[name]
    for cells in ([cell, Q1], [f"{cell}\n\n{Q1}"] if name not in ("indented", "prompts", "numbered prompts") else [Q1]):
        submission, found = decided(tmp_path, without("q1_vae.py") | {"VAE.ipynb": notebook(*cells)})
        assert submission.refusals == {}
        assert found == clean["vae_ddpm_cfg"]
        assert not any("left out" in note for note in submission.notes)


def test_lines_keep_their_numbers():
    """Empty lines at the top, commands over several lines: what follows is where the student sees it."""
    text = "\n\n!pip install \\\n  torch\npip install x\n%time y = 1\ndef f(a):\n    return a.q\n"
    found = extract("exported.py", text.encode(), ["f", "y"])
    assert found.error is None
    assert [tree.lineno for tree in ast.parse("\n" * 6 + "def f(a): pass").body] == [7]
    assert "f: a" in found.signatures and found.definitions == ["y", "f"]
    wrong = extract("exported.py", (text + "x = = 1").encode(), ["f"])
    assert wrong.error.startswith("exported.py, line 9: invalid syntax")


def test_a_broken_file_stays_refused_with_file_and_line():
    for name in ("the same argument twice", "a late global", "an unfinished line"):
        cell, problem, line = BAD_CELLS[name]
        error = extract("q1_vae.py", f"{Q1}\n{cell}".encode(), TARGETS).error
        assert error.startswith(f"q1_vae.py, line {Q1.count(chr(10)) + 1 + line}: ") and problem in error


def test_a_lost_cell_is_named_where_its_definition_is_missed(tmp_path):
    cells = Q1.split("def log_mean_exp")
    bad = f"def log_mean_exp{cells[1]}\n\ndef scratch(x, x):\n    pass\n"
    submission, _ = decided(tmp_path, without("q1_vae.py") | {"q1_vae.ipynb": notebook(cells[0], bad)})
    assert submission.refusals["Q1.3"].startswith(
        "q1_vae.ipynb defines no function log_mean_exp: q1_vae.ipynb cell 3 was left out: duplicate argument 'x'"
    )


def test_ipython_is_imported_only_where_plain_python_does_not_do():
    """And reading a file needs neither torch nor anything that only Linux has: the students' check reads them too."""
    program = """
import sys
sys.modules.update(dict.fromkeys(["torch", "numpy", "resource", "fcntl", "ctypes", "pwd", "grp"]))
from autograder.grading import matching, upload
from autograder.sandbox.extract import extract
plain = extract("a.py", b"import torch\\ndef f():\\n    return torch.ones(1)\\n", ["f"])
assert plain.definitions == ["f"] and not plain.error and "IPython" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


# ---------------------------------------------------------------- which file is which


def test_one_shared_name_makes_no_other_file(tmp_path):
    """vae.py and gan.py both have an `interpolate`; the notebook of the one is not graded for the other."""
    files = {"my_vae.ipynb": notebook(reference("vae_gan_ddpm")["vae.py"])}
    submission, found = decided(tmp_path, files, "vae_gan_ddpm")
    assert submission.taken == {"vae.py": "my_vae.ipynb"} and set(found) == {"vae"}
    assert submission.refusals["gan.py"] == (
        "There is no gan.py, and my_vae.ipynb defines only interpolate, not make_optimizers, make_criterion,"
        " discriminator_train and 2 more."
    )


@pytest.mark.parametrize("name", ["scratch.py", "scratch.ipynb"])
def test_a_file_with_one_function_is_not_taken_for_a_whole(name, tmp_path):
    text = "import torch\ndef log_mean_exp(y):\n    return y\n"
    files = without("q1_vae.py") | {name: notebook(text) if name.endswith("ipynb") else text}
    submission, _ = decided(tmp_path, files)
    assert "q1_vae.py" not in submission.taken and "q1_vae.py" in submission.refusals


def test_a_half_done_notebook_is_taken_by_its_name_or_by_names_that_tell(tmp_path):
    some = Q1[: Q1.index("def log_mean_exp")]  # two of five
    submission, _ = decided(tmp_path, without("q1_vae.py") | {"Q1-VAE.ipynb": notebook(some)})
    assert submission.taken["q1_vae.py"] == "Q1-VAE.ipynb"
    assert set(submission.refusals) == {"Q1.3", "Q1.4", "Q1.5"}
    theory = reference("theory")["answers.py"]
    part = theory[: theory.index("def mixture_slope")]
    submission, _ = decided(tmp_path / "theory", {"homework.ipynb": notebook(part)}, "theory")
    assert submission.taken == {"answers.py": "homework.ipynb"} and "Q1a" not in submission.refusals


def test_a_definition_counts_for_one_file(tmp_path, clean):
    """DDPM's notebook holds a Trainer; the guided one's Trainer is not there, so it is not graded at all."""
    files = without("q2_ddpm.py", "q2_trainer_ddpm.py", "q3_trainer_cfg.py")
    ours = reference()
    files |= {"DDPM.ipynb": notebook(ours["q2_ddpm.py"], ours["q2_trainer_ddpm.py"])}
    submission, _ = decided(tmp_path, files)
    assert submission.taken["q2_trainer_ddpm.py"] == "DDPM.ipynb" and "q3_trainer_cfg.py" not in submission.taken
    assert (
        "DDPM.ipynb defines only" in submission.refusals["q3_trainer_cfg.py"]
        or "does not define" in (submission.refusals["q3_trainer_cfg.py"])
    )


def test_two_trainers_in_one_notebook_go_to_two_files(tmp_path, clean):
    submission, found = decided(tmp_path, {"all.ipynb": notebook(*reference().values())})
    assert submission.refusals == {}
    for module in ("q2_trainer_ddpm", "q3_trainer_cfg"):
        (deed,) = [deed for deed in found[module] if isinstance(deed, tuple) and "Trainer" in deed[0]]
        assert deed in clean["vae_ddpm_cfg"][module]


def test_a_notebook_that_imports_its_answers_says_which_file_is_missing(tmp_path):
    files = without("q1_vae.py") | {"lab.ipynb": notebook("import torch\n", "\nfrom q1_vae import *\nlog_mean_exp(3)")}
    submission, _ = decided(tmp_path, files)
    sentence = submission.refusals["q1_vae.py"]
    assert sentence == (
        "q1_vae.py is not in the submission, and lab.ipynb cell 3, line 2 imports from it: upload it as well."
    )


def test_nobody_who_uploads_a_notebook_is_told_to_rename_something(tmp_path):
    bad = f"{Q1}\ndef f(x, x):\n    pass"
    for name in ("q1_vae.ipynb", "q1.ipynb", "work.ipynb"):
        submission, _ = decided(tmp_path / name, without("q1_vae.py") | {name: notebook(bad)})
        sentence = submission.refusals["q1_vae.py"]
        assert f"{name} cell 2 was left out: duplicate argument 'x'" in sentence
        assert "rename" not in sentence and "is not in the submission" not in sentence


def test_what_a_file_leaves_undone_comes_from_the_notebook(tmp_path, clean):
    half = Q1[: Q1.index("def log_mean_exp")] + stubs()["q1_vae.py"][stubs()["q1_vae.py"].index("def log_mean_exp") :]
    submission, found = decided(tmp_path, without("q1_vae.py") | {"q1_vae.py": half, "lab.ipynb": notebook(Q1)})
    assert submission.taken["q1_vae.py"] == "q1_vae.py"
    assert (
        "q1_vae.py leaves log_mean_exp, kl_gaussian_gaussian_analytic, kl_gaussian_gaussian_mc undone; lab.ipynb, which"
        " defines that, was graded for it."
    ) in submission.notes
    for target in TARGETS:
        (*_, deed) = [deed for deed in found["q1_vae"] if isinstance(deed, tuple) and target in deed[0]]
        assert deed in clean["vae_ddpm_cfg"]["q1_vae"]


def test_a_finished_file_is_never_touched_by_a_notebook(tmp_path, clean):
    other = "import torch\ndef log_mean_exp(y):\n    return 0 * y\n"
    submission, found = decided(tmp_path, reference() | {"q1_vae.ipynb": notebook(other)})
    assert found == clean["vae_ddpm_cfg"]
    assert "q1_vae.ipynb was not graded: the files that were are listed below." in submission.notes


def test_a_broken_file_beside_a_whole_notebook(tmp_path, clean):
    submission, found = decided(tmp_path, reference() | {"q1_vae.py": "def f(:", "lab.ipynb": notebook(Q1)})
    assert found == clean["vae_ddpm_cfg"]
    assert any(n.startswith("q1_vae.py cannot be read (q1_vae.py, line 1: ") for n in submission.notes)


@pytest.mark.parametrize("name", ["q1_vae.py", "Q1-VAE (2).py", "q1_vae - Copy.py", "q1 vae copy.py", "Q1_vae(1).PY"])
def test_names_that_mean_the_same(name):
    assert plain_name(f"folder/{name}") == "q1_vae.py"


# ---------------------------------------------------------------- what counts as there


def test_an_answer_from_a_helper_file_is_there(tmp_path):
    files = edited(
        "q1_vae.py", lambda s: s.replace("def log_mean_exp", "def lme") + "\nfrom mine import log_mean_exp\n"
    )
    submission, _ = decided(tmp_path, files | {"mine.py": "def log_mean_exp(y):\n    return y\n"})
    assert submission.refusals == {}


def test_a_method_may_be_inherited(tmp_path):
    base = "class Base:\n    def p_sample(self, xt, t, set_seed=False):\n        return xt\n"
    ddpm = (
        reference()["q2_ddpm.py"]
        .replace("def p_sample", "def other")
        .replace("DenoiseDiffusion:", "DenoiseDiffusion(Base):")
    )
    assert ddpm != reference()["q2_ddpm.py"]
    for files in ({"q2_ddpm.py": base + ddpm}, {"q2_ddpm.py": "from base import Base\n" + ddpm, "base.py": base}):
        submission, _ = decided(tmp_path, reference() | files)
        assert submission.refusals == {}


@pytest.mark.parametrize(
    "text",
    [
        "try:\n    import numba\n    def log_mean_exp(y): return y\nexcept ImportError:\n    log_mean_exp = None",
        "import torch\nlog_mean_exp = torch.jit.script(lme)",
        "if True:\n    def log_mean_exp(y): return y",
    ],
)
def test_a_function_may_be_defined_in_other_ways(text, tmp_path):
    submission, _ = decided(
        tmp_path, edited("q1_vae.py", lambda s: s.replace("def log_mean_exp", "def lme") + f"\n{text}\n")
    )
    assert submission.refusals == {}


# ---------------------------------------------------------------- signatures of other courses


@pytest.mark.parametrize(
    "theirs, ours, fit",
    [
        ("self, x, t", "self, x, t", True),
        ("x, t", "y, t", True),  # other names: only calls by keyword differ
        ("x, t, verbose=...", "x, t", True),
        ("*args, **kwargs", "x, t", True),
        ("x_start, t, coefficients, noise=...", "schedule, x_start, t, noise=None", False),
        ("x, t", "x, t, noise=None", False),
        ("x, t, dim", "x, t", False),
        ("n, save_rate=...", "model, schedule, shape, noise=None", False),
    ],
)
def test_whether_a_signature_fits(theirs, ours, fit):
    differing = misfits([f"f: {theirs}"], {"f": ours})
    hint = signature_hint("The value is wrong.", "f", differing, failed=True)
    assert bool(hint) == (not fit)
    assert fit or f"Ours is f({ours}), yours is f({theirs})." in hint
    assert fits(["x"], ["x"])


def test_a_call_that_does_not_fit_says_what_ours_takes():
    differing = misfits(["A.f: self, values"], {"A.f": "self, y, noise=None"})
    for said in ("A.f() got an unexpected keyword argument 'y'", "f() takes 2 positional arguments but 3 were given"):
        hint = signature_hint(f"It raised TypeError: {said}.", "other", differing, failed=True)
        assert hint == "Ours is A.f(y, noise=None), yours is A.f(values)."
    assert not signature_hint("It raised TypeError: g() takes 1 positional argument", "other", differing, failed=True)


# ---------------------------------------------------------------- whatever else is there


NOISE = [
    *IPYTHON_CELLS.values(),
    *(cell for cell, _, _ in BAD_CELLS.values()),
    TRAINING,
    "%%bash\nls",
    "%%html\n<b>",
    "",
]
NOISE += [
    "import os\nimport torch.nn.functional as G",
    "x_1 = 3\nx_1 += 1",
    "class Scratch:\n    def f(self):\n        pass",
]
NOISE += [
    "def my_own_helper(x=len('a')):\n    return x",
    "for _ in range(3): print(_)",
    "torch.manual_seed(0)",
    "assert 1",
]
noise = strategies.lists(strategies.sampled_from(NOISE) | strategies.text(max_size=30), max_size=4)
few = hypothesis.settings(
    max_examples=40,
    derandomize=True,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
STATEMENTS = [ast.get_source_segment(Q1, s) for s in ast.parse(Q1).body]
IMPORTS = [s for s in STATEMENTS if s.startswith(("import", "from"))]
OTHERS = [s for s in STATEMENTS if s not in IMPORTS]


def kept_of(cells):
    found = extract("lab.ipynb", notebook(*cells).encode(), TARGETS)
    assert found.error is None and set(TARGETS) <= set(found.definitions), found.notes
    return submissions.deeds([found.code])


@few
@hypothesis.given(noise, noise, noise)
def test_no_noise_in_other_cells_changes_what_is_graded(before, between, after):
    assert kept_of([*before, *IMPORTS, *between, *OTHERS, *after]) == kept_of([Q1])


@few
@hypothesis.given(strategies.permutations(IMPORTS), strategies.integers(1, len(OTHERS)))
def test_no_order_of_imports_changes_what_is_graded(imports, size):
    cells = ["\n\n".join(OTHERS[i : i + size]) for i in range(0, len(OTHERS), size)]
    assert kept_of([*imports, *cells]) == kept_of([Q1])


names = strategies.from_regex(r"my_[a-z]{1,6}", fullmatch=True)
DEFINITIONS = [
    "def {}(x, y=3):\n    return log_mean_exp(x)",
    "class {}:\n    a = 1",
    "{} = [1, 2]",
    "{} = lambda y: y",
    "async def {}(): ...",
]


@few
@hypothesis.given(
    strategies.lists(strategies.tuples(names, strategies.sampled_from(DEFINITIONS), strategies.integers(0, 9)))
)
def test_no_extra_definition_changes_what_is_graded(extra):
    cells = [Q1.split("def ")[0], *OTHERS]
    for name, form, place in extra:
        cells.insert(1 + place % len(cells), form.format(name))
    assert kept_of(cells) == kept_of([Q1])
