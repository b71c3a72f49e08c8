"""For every test of this repository: one torch thread, because graders are forked from processes that hold torch."""

import sys
from pathlib import Path

from autograder.grading.grade import single_threaded

single_threaded()
sys.path.insert(0, str(Path(__file__).parent))  # so that tests share helpers: import submissions
