"""Looks carry data: what travels into the sandbox with a hidden test's look, read off the pickles themselves.

A submission can find whatever a look carries: a class, a function, a number in a frame. So nothing may travel that
answers an exercise, this one or another. Three things are asked of every look of every hidden test:

- what travels by value beside the look itself is on the list below, by name;
- a stand-in, put in the place of the exercise that it stands for, earns at most half of its points: it is known, but
  wrong (an affine map with secret coefficients, say);
- what travels by name is a library's, or of look_tools.py or stand_ins.py, which hold no answer.

Whoever adds a name has read the function, and says by adding it that a student would learn no answer from it.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import Any

import cloudpickle
import pytest

from autograder.course import slugs
from autograder.quality.bench import Bench
from autograder.sandbox.messages import Look
from autograder.sandbox.stand_ins import replaced

# Recorders, builders of the student's own objects, simple maps in the place of networks and of other exercises.
LISTED = {
    "vae_ddpm_cfg": """
        CfgLoss.test_draws_noise.<locals>.noisy Loss.test_training.<locals>.noisy
        Known.__init__.<locals>.alpha_lambda Known.__init__.<locals>.divergence Known.__init__.<locals>.likelihood
        Known.__init__.<locals>.mu_p_theta Known.__init__.<locals>.p_xt_prev_xt Known.__init__.<locals>.q_sample
        Known.__init__.<locals>.q_xt_x0 Known.__init__.<locals>.sigma_lambda Known.__init__.<locals>.sigma_q
        Known.__init__.<locals>.sigma_q_x Known.__init__.<locals>.var_p_theta
        Probe Simple.__init__.<locals>.alpha_lambda Simple.__init__.<locals>.get_lambda
        Simple.__init__.<locals>.q_sample Simple.__init__.<locals>.sigma_lambda calls derivatives diffusion draws
        moments predictions shown watched weighted_distance.<locals>.stand_in
    """,
    "vae_gan_ddpm": """
        Coefficients Criterion Critic Maker Network Oracle left_behind built known_step linear parameters_of
        shifted shifted_draw stand_ins.<locals>.decode stand_ins.<locals>.distribution stand_ins.<locals>.encode
        stand_ins.<locals>.kl stand_ins.<locals>.mode stand_ins.<locals>.nll stand_ins.<locals>.sample trained
    """,
    "vae_gan_flows": """
        Critic Data Net Point Slope Steps derivatives joined penalty plain play stand_ins.<locals>.jsd
        stand_ins.<locals>.ogp stand_ins.<locals>.r1gp stand_ins.<locals>.w1
        stand_ins_of_the_step.<locals>.apply_exponential_moving_average stand_ins_of_the_step.<locals>.make_losses
        TrainStep.test_fresh_batches.<locals>.enough together weighted_distance.<locals>.stand_in
    """,
    "ddim_score": """
        Affine Batch Coefficients Field Linear Network shifted_mix stand_ins.<locals>.add_noise
        stand_ins.<locals>.langevin_sampling stand_ins.<locals>.score_matching_loss steps_of unit_field watched
    """,
    "theory": """
        DiffusionBound.test_kl_terms.<locals>.stand_in DiracGan.test_verdict.<locals>.stand_in
        JointBound.is_bound.<locals>.stand_in JointBound.is_gap.<locals>.stand_in
        KLOfGaussians.test_p_q.<locals>.stand_in RadialFlow.inverts.<locals>.direction
        RadialFlow.inverts.<locals>.radius
        Linear.__init__.<locals>.jacobian Linear.__init__.<locals>.jacobian_r1 Linear.__init__.<locals>.velocity
        Linear.__init__.<locals>.velocity_r1
        RegularizedDiracGan.is_verdict.<locals>.stand_in VaeAndDiffusion.test_ddpm_part.<locals>.stand_in build_chain
        build_joint expect_length leaves listed real spectrum table verdicts
    """,
}

LIBRARIES = ("torch", "numpy", "collections", "_collections", "builtins", "types", "typing", "functools", "cloudpickle")
ENGINE = ("autograder.sandbox.look_tools", "autograder.sandbox.stand_ins", "autograder.sandbox.wire")


class Opened(cloudpickle.Pickler):
    """Writes down every function and class that is pickled, and how."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO())
        self.by_value: set[str] = set()
        self.by_name: set[str] = set()

    def reducer_override(self, thing: Any) -> Any:
        answer = super().reducer_override(thing)
        kind = thing if isinstance(thing, FunctionType | type) else type(thing)
        name = f"{kind.__module__}.{kind.__qualname__}"
        if isinstance(thing, ModuleType) or name.startswith((*ENGINE, *LIBRARIES)):
            self.by_name.add(name)
        elif kind is not thing:
            pass  # an instance: its class travels too
        elif answer is NotImplemented:
            self.by_name.add(name)
        elif not kind.__qualname__.endswith(("<lambda>", "<locals>.look")):
            self.by_value.add(kind.__qualname__)
        return answer


@dataclass
class Luggage:
    """What the looks of one assignment's hidden tests carry."""

    by_value: dict[str, str] = field(default_factory=dict)  # name -> a test
    by_name: dict[str, str] = field(default_factory=dict)
    stand_ins: dict[tuple[str, str, str], Any] = field(default_factory=dict)  # (module, target, name) -> function


def luggage(bench: Bench) -> Luggage:
    """Run every hidden test on the reference, and open what its looks carry."""
    found = Luggage()
    with bench.runner([]) as runner:
        take = runner.student
        for test in bench.tests([]):

            def student(look: Look, test=test) -> Any:
                opened = Opened()
                opened.dump((look.function, dict(look.replacing)))
                found.by_value.update(dict.fromkeys(opened.by_value, test.number))
                found.by_name.update(dict.fromkeys(opened.by_name, test.number))
                for target, stand_in in look.replacing.items():
                    name = getattr(stand_in, "__qualname__", repr(stand_in))
                    found.stand_ins[look.module, target, name] = stand_in
                return take(look)

            runner.student = student
            case = bench.classes[test.class_name](test.method)
            case.runner, case.module = runner, test.exercise.module
            case.setUp()
            getattr(case, test.method)()
            case.tearDown()
    return found


@pytest.fixture(scope="module", params=slugs())
def opened(request) -> Iterator[tuple[Bench, Luggage]]:
    bench = Bench(request.param)
    yield bench, luggage(bench)


def test_what_travels_is_on_the_list(opened):
    bench, found = opened
    listed = set(LISTED.get(bench.assignment.slug, "").split())
    classes = {name for name in listed if name.rpartition(".")[2][:1].isupper()}
    unlisted = {
        name: test
        for name, test in found.by_value.items()
        if name not in listed and name.rpartition(".")[0] not in classes  # methods belong to their classes
    }
    assert unlisted == {}, "a look carries these into the sandbox: is one of them an answer? (see the top of this file)"
    assert listed <= set(found.by_value), "these names are on the list, and no look carries them"


def test_what_travels_by_name_is_no_answer(opened):
    _, found = opened
    assert {name: test for name, test in found.by_name.items() if not name.startswith((*ENGINE, *LIBRARIES))} == {}


def test_a_stand_in_is_known_but_wrong(opened):
    """In the place of the exercise that it stands for, it earns no more than half of the points."""
    bench, found = opened
    too_good = []
    for (module, target, name), stand_in in found.stand_ins.items():
        tests = [test for test in bench.tests([]) if test.exercise.target == target]
        own = [test for test in tests if test.exercise.module == module] or tests
        if not own:
            continue
        with bench.runner([]) as runner:
            subject = runner.subject[own[0].exercise.module]
            with replaced(subject, {target: stand_in}):
                failed = {kill.test for kill in bench.failures(own, runner)}
        weights = {
            test.number: getattr(getattr(bench.classes[test.class_name], test.method), "__weight__", 1) for test in own
        }
        share = 1 - sum(weights[number] for number in failed) / sum(weights.values())
        if share > 0.5:
            too_good.append(f"{name} in the place of {target} earns {share:.0%}")
    assert too_good == []


def test_a_carried_answer_is_found():
    """The check itself: classes, functions and closures that a look takes along are seen."""

    class Moments:
        def marginal(self): ...

    def answer(x):
        return x

    pickler = Opened()
    pickler.dump(lambda module: (Moments(), answer))
    names = {name.rpartition(".")[2] for name in pickler.by_value}
    assert {"Moments", "answer", "marginal"} <= names
