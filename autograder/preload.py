"""What the fork server of farm.py imports before it forks: everything slow, nothing secret."""

from autograder.engine import single_threaded

single_threaded()

from autograder import desk, hugepages, reader, sandbox  # noqa: E402, F401

hugepages.collapse()
