"""Wrong answers that somebody foresaw: each must be caught, hurt no other exercise, and be told by its sentence."""

from autograder.course import Assignment, CourseError, load_assignment
from autograder.grading.forkserver import Verdict
from autograder.grading.variants import Variant, misconceptions
from autograder.quality.bench import grade_variants


def known_misconceptions(assignment: Assignment, only: str = "") -> list[Variant]:
    """All misconceptions of an assignment; `only` restricts them to an exercise, a file or a name."""
    every = [m for module in assignment.modules for m in misconceptions(assignment, module)]
    return [m for m in every if not only or only in (m.exercise, m.module, m.name)]


def judge(variant: Variant, verdict: Verdict) -> str:
    """What is wrong with the tests, given the verdict on a misconception; empty when nothing is."""
    if variant.exercise not in verdict.failed:
        return "not caught"
    others = [exercise for exercise in verdict.failed if exercise != variant.exercise]
    if others:
        return f"also costs {', '.join(others)}"
    if variant.name not in verdict.explained_by:
        return f"not explained (said: {', '.join(dict.fromkeys(verdict.explained_by)) or 'nothing'})"
    return ""


def refuse_wrong_reference(slug: str) -> None:
    """Nothing can be measured with a solution that its own tests refuse.

    Raises:
        CourseError: with what the tests say.
    """
    (verdict,) = grade_variants(slug, [[]])
    if verdict.outputs:
        said = "\n  ".join(verdict.outputs[:8])
        raise CourseError(f"the solutions of {slug} fail their own tests, {', '.join(verdict.failed)}:\n  {said}")


def print_misconceptions(slug: str, only: str) -> int:
    """Print one row a misconception. Returns how many are not as they should be."""
    variants = known_misconceptions(load_assignment(slug), only)
    if not variants:
        raise CourseError(f"{slug} has no misconception, exercise or file {only!r}.")
    refuse_wrong_reference(slug)
    problems = 0
    for variant, verdict in zip(variants, grade_variants(slug, [[v] for v in variants]), strict=True):
        problem = judge(variant, verdict)
        problems += bool(problem)
        mark, lost = "FAIL" if problem else "ok  ", sum(verdict.lost.values())
        print(f"{mark} {variant.exercise:6} {variant.name:45} -{lost:<5.2f} {problem}", flush=True)
        if problem:
            for output in verdict.outputs[:4]:
                print(f"            {output}")
    print(f"{len(variants)} misconceptions, {len(variants) - problems} caught, alone and explained")
    return problems
