"""Finds your files; all else is in student/public_tests.py, beside this assignment or at the repository's root."""

import sys
from pathlib import Path

ASSIGNMENT = Path(__file__).resolve().parents[1]
sys.path += [str(ASSIGNMENT), str(ASSIGNMENT.parents[1])]

from student.public_tests import find_files, pytest_runtest_call, student  # noqa: E402

find_files(ASSIGNMENT)
