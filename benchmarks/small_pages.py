"""What the fork server imports (autograder/preload.py), without collapsing its memory into huge pages: for batch.py."""

from autograder import hugepages

hugepages.collapse = lambda: None

from autograder import preload  # noqa: E402, F401
