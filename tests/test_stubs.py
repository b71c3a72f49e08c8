"""Stubs come from solutions, and hold nothing of them."""

import ast

import pytest

from autograder.course import CourseError, load_assignment, slugs
from autograder.publish.stubs import stub_of, write_stubs
from autograder.regions import regions


@pytest.mark.parametrize("slug", slugs())
def test_no_stub_has_drifted(slug):
    assert write_stubs(slug, check=True) == []


@pytest.mark.parametrize("slug", slugs())
def test_no_line_of_a_solution_is_in_a_stub(slug):
    assignment = load_assignment(slug)
    for name in assignment.files:
        given = (assignment.given / name).read_text(encoding="utf-8")
        secret = {line.strip() for line in regions((assignment.solutions / name).read_text(encoding="utf-8"))}
        secret = {line for line in secret if len(line) > 20 and not line.startswith("#")}
        code = {line.strip() for line in given.splitlines()}
        assert not secret & code, (name, secret & code)


@pytest.mark.parametrize("slug", slugs())
def test_stubs_keep_signatures_and_docstrings(slug):
    assignment = load_assignment(slug)
    for name in assignment.files:
        solution, stub = (
            described((folder / name).read_text(encoding="utf-8"))
            for folder in (assignment.solutions, assignment.given)
        )
        for spec in assignment.in_file(name):
            assert spec.target in stub, f"{name} lacks {spec.target}"
            assert stub[spec.target] == solution[spec.target]
            assert stub[spec.target][1], f"{spec.target} has no docstring"
            assert f'NotImplementedError("{spec.id}: {spec.target}")' in (assignment.given / name).read_text()


def described(source: str) -> dict[str, tuple]:
    """{function or Class.method: (arguments, docstring)}"""
    found = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = (ast.unparse(node.args), ast.get_docstring(node))
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef):
                    found[f"{node.name}.{inner.name}"] = (ast.unparse(inner.args), ast.get_docstring(inner))
    return found


@pytest.mark.parametrize(
    "source, complaint",
    [
        ("def f():\n    # BEGIN SOLUTION Q9.9: do it\n    pass\n    # END SOLUTION\n", "line 2: Q9.9 is no exercise"),
        ("def f():\n    # BEGIN SOLUTION Q1.1: do it\n    pass\n", "has no END SOLUTION"),
        ("def f():\n    # END SOLUTION\n    pass\n", "line 2: END SOLUTION without a beginning"),
        ("# BEGIN SOLUTION\n# BEGIN SOLUTION\n# END SOLUTION\n", "line 2: a region begins inside another"),
        ("    # BEGIN SOLUTION Q1.1\n", "line 1: write"),
        ("x = 1\n", "has no region for Q1.1"),
    ],
)
def test_mistakes_in_markers_are_told_with_their_line(source, complaint):
    with pytest.raises(CourseError, match=complaint):
        stub_of(source, "q1_vae.py", load_assignment("vae_ddpm_cfg"))
