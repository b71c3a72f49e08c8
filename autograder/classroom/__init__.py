"""MANY submissions: a class graded, and what becomes of its grades."""
