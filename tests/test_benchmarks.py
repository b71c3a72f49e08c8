"""The benchmarks can be called, and their document is written whole or not at all. What they measure is not tested."""

import contextlib
import io
import runpy
import sys
from pathlib import Path

import pytest

from autograder.grading.forkserver import apart

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
PARTS = ("machine.py", "processes.py", "small_pages.py")  # of others: not to be called


@pytest.fixture
def report(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import report

    return report


def called(path: Path) -> tuple[object, str]:
    """`python benchmarks/x.py --help`, in a process of its own, which has torch already."""
    sys.argv, sys.path[:0] = [str(path), "--help"], [str(BENCHMARKS)]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            runpy.run_path(str(path), run_name="__main__")
        except SystemExit as ended:
            return ended.code or 0, printed.getvalue()
    return "no arguments are read", printed.getvalue()


def test_every_benchmark_explains_itself():
    scripts = [path for path in sorted(BENCHMARKS.glob("*.py")) if path.name not in PARTS]

    for path in scripts:
        status, printed = apart(called, path)
        assert status == 0, f"{path.name}: {printed}"
        assert path.name in printed


def test_make_bench_runs_scripts_that_exist(report):
    for section in report.sections("data"):
        assert (BENCHMARKS.parent / section.command[0]).is_file()


def printing(report, text: str, status: int = 0, title: str = "A title"):
    return report.Section(title, "A claim.", ["-c", f"import sys; print({text!r}); sys.exit({status})"])


def test_the_document_holds_claims_commands_and_outputs(report, tmp_path, capsys):
    output = tmp_path / "benchmarks.md"
    table = "        median s  ratio\nall layers       1.0\na process for every look    2.0\n"
    table += "claim: small; it DOES NOT HOLD\nclaim: fast; it holds\ncost: twice the time"
    report.report([printing(report, table, title="What isolation costs"), printing(report, "another")], output)
    text = output.read_text()
    assert "## A title\n\nA claim.\n\n    python -c " in text
    assert f"```\n{table}\n```" in text and "```\nanother\n```" in text
    summary = ["## What holds\n\n- fast; it holds\n", "## What does not hold\n\n- small; it DOES NOT HOLD\n"]
    assert "\n".join([*summary, "## What it costs\n\n- twice the time\n"]) in text
    assert text.count("\na process for every look    2.0\n") == 2  # once more among what was gained
    assert list(tmp_path.iterdir()) == [output]
    assert "1/2" in capsys.readouterr().out


def test_a_benchmark_that_fails_leaves_the_document_alone(report, tmp_path):
    output = tmp_path / "benchmarks.md"
    output.write_text("old")
    with pytest.raises(SystemExit, match="failed"):
        report.report([printing(report, "fine"), printing(report, "no", status=1)], output)
    assert output.read_text() == "old"
    assert list(tmp_path.iterdir()) == [output]


def test_a_grade_with_a_process_for_every_look():
    """`--without "shared process"`, which isolation_cost.py measures."""
    from types import SimpleNamespace

    from autograder.grading.runner import SandboxRunner

    runner = SandboxRunner(SimpleNamespace(without=frozenset()), None, b"", "")
    assert runner.shared("q1_vae").session == "q1_vae"
    runner.sandbox.without = frozenset({"shared process"})
    assert runner.shared("q1_vae") is runner
