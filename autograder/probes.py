"""Simple objects that looks hand to student code: models and helpers that behave in a known way.

Imported on both sides of the border, so nothing in this file is secret.
"""
