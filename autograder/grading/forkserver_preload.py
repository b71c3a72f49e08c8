"""What the fork server (forkserver.py) imports before it forks: everything slow, nothing secret."""

import gc

from autograder.grading.grade import single_threaded

single_threaded()

from autograder.grading import explain, hugepages, submission  # noqa: E402, F401
from autograder.sandbox import client  # noqa: E402, F401

hugepages.collapse()
gc.freeze()  # so that no collection in a grade walks, and so copies, what it inherited
