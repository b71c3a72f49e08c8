"""A rule of a handout holds at run time: vae_gan_ddpm rules torch.distributions out, by whatever name."""

import pytest
import submissions

from autograder.course import ROOT, load_assignment
from autograder.grading.exercise import sentence_of
from autograder.grading.forkserver import apart
from autograder.sandbox.messages import Failure, Look, Modules

SLUG = "vae_gan_ddpm"

SOURCES = """
# alias at module level
d = torch.distributions
def f(x):
    return d.Normal(x, 1.0).log_prob(x)
# getattr
def f(x):
    return getattr(torch, "distri" + "butions").Normal(x, 1.0).log_prob(x)
# importlib
import importlib
def f(x):
    return importlib.import_module("torch.distri" + "butions").Normal(x, 1.0).log_prob(x)
# sys.modules
import sys
def f(x):
    return sys.modules["torch.distri" + "butions"].Normal(x, 1.0).mean
# from import
from torch.distributions import Normal as N
def f(x):
    return N(x, 1.0).log_prob(x)
# submodule
from torch.distributions.normal import Normal as N
def f(x):
    return N(x, 1.0).entropy()
# subclass
class Mine(torch.distributions.Normal):
    def __init__(self, loc):
        self.loc, self.scale = loc, 1 + 0 * loc
def f(x):
    return Mine(x).entropy()
# method without its class
class Mine:
    def __init__(self, loc):
        self.loc, self.scale, self._validate_args = loc, 1 + 0 * loc, False
def f(x):
    return torch.distributions.Normal.log_prob(Mine(x), x)
# made without a call
def f(x):
    normal = object.__new__(torch.distributions.Normal)
    normal.loc, normal.scale = x, 1 + 0 * x
    return normal.variance
# table of divergences
from torch.distributions import kl, normal
class Mine:
    def __init__(self, loc):
        self.loc, self.scale = loc, 1 + 0 * loc
def f(x):
    return kl._KL_REGISTRY[normal.Normal, normal.Normal](Mine(x), Mine(x))
# fresh copy
import importlib
def f(x):
    return importlib.reload(torch.distributions.normal).Normal(x, 1.0).log_prob(x)
# at load time
N = torch.distributions.Normal(0.0, 1.0)
def f(x):
    return N.log_prob(x)
# helper file
import my_helper
def f(x):
    return my_helper.density(x)
# method put into a class
def density(self, x):
    return torch.distributions.Normal(x, 1.0).log_prob(x)
class C:
    pass
C.density = density
def f(x):
    return C().density(x)
"""
WAYS = dict(part.split("\n", 1) for part in SOURCES.split("\n# ")[1:])
HELPER = "import torch.distributions as d\ndef density(x):\n    return d.Normal(x, 1.0).log_prob(x)\n"


def taken_apart(forbidden: tuple[str, ...]) -> dict:
    """Whether f(ones) gives a value in the sandbox, {way: "a value" or Failure}; for a process of its own."""
    import torch

    from autograder.grading.grade import single_threaded
    from autograder.sandbox.client import Sandbox

    single_threaded()
    assignment = load_assignment(SLUG)
    found = {}
    with Sandbox(assignment.given, ROOT) as sandbox:
        helper = sandbox.extract("my_helper.py", HELPER.encode(), [], []).code
        for way, source in WAYS.items():
            code = sandbox.extract("m.py", f"import torch\n\n{source}\n".encode(), ["f"], []).code
            sandbox.provide(Modules({"m": [code]}, {"my_helper": [helper]}, forbidden=forbidden))
            x = torch.ones(3)
            seen = sandbox.look(Look("m", lambda m, x=x: m.f(x)))
            found[way] = seen if isinstance(seen, Failure) else "a value"
    return found


@pytest.fixture(scope="module")
def ruled_out() -> dict:
    return apart(taken_apart, ("torch.distributions",))


@pytest.fixture(scope="module")
def allowed() -> dict:
    return apart(taken_apart, ())


@pytest.mark.parametrize("way", WAYS)
def test_what_is_ruled_out_is_refused_by_whatever_name(way, ruled_out):
    assert isinstance(ruled_out[way], Failure), ruled_out[way]
    assert "rules torch.distributions out" in sentence_of(ruled_out[way])


@pytest.mark.parametrize("way", WAYS)
def test_elsewhere_it_is_as_it_was(way, allowed):
    assert allowed[way] == "a value"


def test_a_right_answer_by_a_forbidden_way_earns_nothing(tmp_path):
    """Through the whole grader: what no look at the syntax finds."""
    files = submissions.reference(SLUG)
    files["vae.py"] += """

d = torch.distributions


def divergence(self):
    q, p = d.Normal(self.mean, self.std), d.Normal(torch.zeros_like(self.mean), torch.ones_like(self.std))
    return d.kl_divergence(q, p).sum(dim=1)


DiagonalGaussianDistribution.kl = divergence
"""
    exercises = load_assignment(SLUG).exercises.values()
    (exercise,) = [spec for spec in exercises if spec.target == "DiagonalGaussianDistribution.kl"]
    verdict = submissions.grade_files(tmp_path / "files", files, SLUG, only=frozenset({exercise.id}))
    assert verdict.score == 0
    assert all("torch.distributions" in output for output in verdict.outputs), verdict.outputs
