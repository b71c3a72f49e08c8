"""The grader. Importing it loads nothing else."""

import os
import sys

# `python -m autograder` puts the folder where it is called before everything else, and a TA may call it from within a
# submission: no file there may be taken for a library.
if sys.argv[:1] == ["-m"] and sys.path[:1] == [os.getcwd()] != [os.path.dirname(os.path.dirname(__file__))]:
    del sys.path[0]
