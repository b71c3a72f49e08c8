"""A student's tools, the same for all assignments: check.py, submit.py, the notebooks' setup. Given code."""
