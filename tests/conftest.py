"""For every test of this repository: one torch thread, because graders are forked from processes that hold torch."""

import sys
from pathlib import Path

import pytest

from autograder.grading.grade import single_threaded

single_threaded()
sys.path.insert(0, str(Path(__file__).parent))  # so that tests share helpers: import submissions

# Left out by `make test T=fast`: files that grade through the sandbox, train, build, or run notebooks.
SLOW = {
    "test_accuracy", "test_arrivals", "test_attacks", "test_batch", "test_benchmarks", "test_build", "test_explain",
    "test_looks", "test_new_exercise", "test_notebooks", "test_prairielearn", "test_release", "test_site",
    "test_student_side", "test_student_tools", "test_training", "test_workflows",
}  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.stem in SLOW:
            item.add_marker("slow")
