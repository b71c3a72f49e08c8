"""The benchmarks can be called, and their document is written whole or not at all. What they measure is not tested."""

import contextlib
import importlib
import io
import json
import operator
import runpy
import sys
from pathlib import Path

import pytest
import torch

from autograder.grading.forkserver import apart

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
PARTS = ("machine.py", "processes.py", "small_pages.py", "turns.py")  # of others: not to be called


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


def test_a_report_that_was_cut_off_goes_on(report, tmp_path, capsys):
    output, kept = tmp_path / "benchmarks.md", tmp_path / "kept"
    first, second = printing(report, "first", title="One"), printing(report, "no", status=1, title="Two")
    with pytest.raises(SystemExit, match="--resume"):
        report.report([first, second], output, kept)
    (only,) = kept.iterdir()
    only.write_text(json.dumps(json.loads(only.read_text()) | {"printed": "as it was kept"}))
    report.report([first, printing(report, "second", title="Two")], output, kept)
    text = output.read_text()
    assert "```\nas it was kept\n```" in text and "second" in text and len(list(kept.iterdir())) == 2
    assert "1/2" in capsys.readouterr().out
    report.report([printing(report, "another command", title="One")], output, kept)
    assert "kept" not in output.read_text()


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


@pytest.fixture
def benchmark_module(monkeypatch):
    """Import one of the benchmarks by its name."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module


def results_of(loops, **milliseconds: float):
    losses = {"usual": [3.0, 2.0, 1.0], "ours": [3.0, 2.0, 1.01]}
    return {name: loops.Result([value, value], losses[name]) for name, value in milliseconds.items()}


def test_claims_about_training_are_what_was_measured(benchmark_module):
    loops = benchmark_module("training_loops")
    unet = loops.Model("a U-Net", None, 1, None, is_unet=True)
    vae = loops.Model("VAE", None, 1, loops.vae)
    found = {"a U-Net": results_of(loops, usual=16.0, ours=10.0), "VAE": results_of(loops, usual=20.0, ours=10.0)}
    claims = list(loops.claims([vae, unet], found))
    assert [claim.endswith("it holds") for claim in claims] == [True, False, True, True]
    assert "measured: 1.60 or more (a U-Net)" in claims[0] and "measured: 2.00 or more (VAE)" in claims[1]
    found["a U-Net"]["ours"].losses[-1] = 1.2  # another curve
    assert list(loops.claims([vae, unet], found))[-1].endswith("measured: 20.0%; it DOES NOT HOLD")


def test_ways_take_turns_in_processes_of_their_own(benchmark_module, capfd):
    turns = benchmark_module("turns")
    with turns.OwnProcess(operator.itemgetter, 1) as second, turns.OwnProcess(operator.itemgetter, 0) as first:
        for number in range(3):
            assert second([number, number + 1]) == number + 1 and first([number, number + 1]) == number
        assert second.process.pid != first.process.pid
        with pytest.raises(RuntimeError, match="ended with status 1"):
            second([])
    assert "IndexError" in capfd.readouterr().err
    assert not first.process.is_alive()


def test_both_loops_train_on_the_same_batches(benchmark_module):
    loops = benchmark_module("training_loops")
    images = (torch.arange(10.0).reshape(10, 1, 1, 1) / 255).expand(10, 1, 4, 4).clone()
    model = loops.Model("", lambda: loops.ResidentDataset(images, torch.arange(10)), 4, None)
    for number in (0, 1):
        ours, usual = ([*batches(model, 5, number)] for batches in (loops.resident_batches, loops.usual_batches))
        assert len(ours) == len(usual) == 5
        for (x, labels), (usual_x, usual_labels) in zip(ours, usual, strict=True):
            assert torch.equal(x, usual_x) and torch.equal(labels, usual_labels)
    assert not torch.equal(next(iter(loops.resident_batches(model, 5, 0)))[1], ours[0][1])  # an order for each turn


def test_the_study_of_samples_keeps_what_is_done_and_says_what_is_not(benchmark_module, tmp_path, monkeypatch):
    quality = benchmark_module("sample_quality")
    done = []

    def work(self):
        names = ("colour vae 5", "mnist ddpm 1", "mnist guided 1 3")
        return {name: lambda name=name: done.append(name) or {"distance": 2.5, "legible": 0.25} for name in names}

    monkeypatch.setattr(quality.Study, "work", work)
    study = lambda: quality.Study(tmp_path / "runs", "data", quality.QUICK, (1,), (5,))  # noqa: E731
    study().run("colour", 0.0, lambda: None)
    study().run("", 1e-9, lambda: None)  # the time is over at once
    assert done == ["colour vae 5"]
    page = tmp_path / "samples.md"
    quality.write_page(study(), page, tmp_path)
    text = page.read_text()
    assert "| VAE after 5 epochs | 2.5 | 25 % |" in text
    assert "guidance after 1 epoch, w = 3." in text.split("## What has")[1]
    study().run("", 0.0, lambda: None)
    assert done == ["colour vae 5", "mnist ddpm 1", "mnist guided 1 3"]
    quality.write_page(study(), page, tmp_path)
    assert "What has not been run" not in page.read_text()


def test_a_training_of_the_study_that_is_interrupted_is_not_done(benchmark_module, tmp_path, monkeypatch, capsys):
    quality = benchmark_module("sample_quality")
    monkeypatch.setattr(quality.Study, "work", lambda self: {"mnist ddpm 1": dict, "mnist ddpm 5": None})
    study = quality.Study(tmp_path, "data", quality.QUICK, (1,), (5,))
    study.run("", 0.0, lambda: None)
    assert study.results == {} and "the same command goes on" in capsys.readouterr().out


def test_a_checkerboard_is_measured(benchmark_module):
    checkerboard = benchmark_module("sample_quality").checkerboard
    rows, columns = torch.meshgrid(torch.arange(8), torch.arange(8), indexing="ij")
    board = ((rows + columns) % 2).float().expand(3, 1, 8, 8)
    assert checkerboard(0.5 + 0.01 * (2 * board - 1)) == 10.0
    assert checkerboard(torch.full((2, 3, 8, 8), 0.7)) == 0.0
    assert checkerboard((columns / 8).expand(2, 1, 8, 8)) == 0.0  # a slope is none
    torch.manual_seed(0)
    assert checkerboard(0.5 + 0.1 * torch.randn(4, 3, 64, 64)) < 2  # nor is grain


def test_seconds_to_a_target(benchmark_module):
    gpu = benchmark_module("gpu")
    seconds = gpu.first_epoch("valid", lambda loss: loss <= 104)
    history = {"valid": [110.0, 103.0, 102.0], "seconds": [1.5, 2.0, 4.0]}
    assert seconds({"config": {}, "history": history}) == 3.5 and seconds(history | {"valid": [110.0]}) is None


def test_the_gpu_scripts_and_their_options_are_there(benchmark_module):
    gpu = benchmark_module("gpu")
    for script in gpu.SCRIPTS:
        name, *options = f"{script.command} {script.quick}".split()
        rooms = [BENCHMARKS.parent / room / script.slug / name for room in ("solutions", "assignment")]
        text = next(path for path in rooms if path.exists()).read_text()
        given = [path.read_text() for path in (BENCHMARKS.parent / "assignment" / script.slug).glob("*_utils/args.py")]
        for option in options:
            if option.startswith("--no-") or option.startswith("--"):
                field = option.removeprefix("--").removeprefix("no-").replace("-", "_")
                assert f"    {field}: " in "".join([text, *given]), f"{name} has no {option}"


def test_without_a_gpu_there_is_no_page_of_one(benchmark_module, monkeypatch, tmp_path):
    gpu = benchmark_module("gpu")
    monkeypatch.setattr(gpu.training, "pick_device", lambda name: torch.device("cpu"))
    monkeypatch.setattr(sys, "argv", ["gpu.py", "--output", str(tmp_path / "x.md")])
    with pytest.raises(SystemExit, match="there is no GPU here; --quick shows on a CPU"):
        gpu.main()
    assert not list(tmp_path.iterdir())


def test_the_page_says_that_no_gpu_was_measured(report, tmp_path):
    assert report.gpu(tmp_path / "benchmarks_gpu.md").startswith("Not run on a GPU: there was none. `make bench-gpu`")
    (tmp_path / "benchmarks_gpu.md").touch()
    assert "[benchmarks_gpu.md](benchmarks_gpu.md)" in report.gpu(tmp_path / "benchmarks_gpu.md")
