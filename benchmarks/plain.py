"""The hidden tests as gradescope-utils runs them: one process, without isolation, without explanations.

    python benchmarks/plain.py vae_ddpm_cfg solutions/vae_ddpm_cfg results.json [Q1.1 Q1.2 ...]

What a grade is compared with. No submission of a stranger may ever be run in this way: it shares a process with the
tests, the solutions and its own score.
"""

import sys
import unittest
from pathlib import Path

from gradescope_utils.autograder_utils.json_test_runner import JSONTestRunner

from autograder.grading.grade import load_hidden_tests, single_threaded


def main(slug: str, folder: str, output: str, *only: str) -> None:
    single_threaded()
    from autograder.course import load_assignment
    from autograder.grading.results import expected_tests
    from autograder.grading.runner import LocalRunner, Reference

    assignment = load_assignment(slug)
    classes = load_hidden_tests(assignment)
    runner = LocalRunner(Reference(assignment), Path(folder).resolve())
    suite = unittest.TestSuite()
    for test in expected_tests(assignment):
        if not only or test.exercise.id in only:
            case = classes[test.class_name](test.method)
            case.runner, case.module = runner, test.exercise.module
            suite.addTest(case)
    with open(output, "w", encoding="utf-8") as file:
        JSONTestRunner(stream=file, visibility="visible").run(suite)


if __name__ == "__main__":
    if len(sys.argv) < 4:
        print(__doc__)
        sys.exit("--help" not in sys.argv)
    main(*sys.argv[1:])
