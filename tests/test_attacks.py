"""Hostile submissions: each gets what its honest part deserves, learns nothing, and harms nobody who comes after it.

attacks/*.py are appended to the reference's q1_vae.py, where they replace functions. An attack that finds something
raises an exception that begins with LOOT and the number of its finds: feedback is how a submission carries them home.
docs/isolation.md has the table of attacks and defences.
"""

import importlib.util
import io
import json
import os
import re
import secrets
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import threading
import time
import zipfile
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import submissions
import torch
import warm
from safetensors.torch import save

from autograder.course import ROOT, load_assignment
from autograder.grading import matching
from autograder.grading import upload as uploads
from autograder.grading.forkserver import apart, grade_apart
from autograder.grading.results import expected_tests
from autograder.publish.gradescope_zip import validate
from autograder.sandbox import wire
from autograder.sandbox.client import Sandbox
from autograder.sandbox.isolation import LINUX, Limits, first_unreadable, python_paths
from autograder.sandbox.supervisor import empty, too_full

SLUG = submissions.SLUG
ATTACKS = Path(__file__).parent / "attacks"
ALL = load_assignment(SLUG).points
EXERCISES = load_assignment(SLUG).exercises
OTHER = "canary-" + secrets.token_hex(8)  # what another student wrote
Q1 = {"Q1.1": 6, "Q1.2": 6, "Q1.3": 8, "Q1.4": 6, "Q1.5": 6}
SOME = frozenset({*Q1, *{spec.module: name for name, spec in EXERCISES.items()}.values()})  # and the others' last

pytestmark = pytest.mark.skipif(not LINUX, reason="macOS has fewer layers: docs/isolation.md says which")


def honest() -> dict[str, str]:
    """The reference, without the marks by which a leaked solution is recognised."""
    marks = re.compile(r"^.*# (BEGIN|END) SOLUTION.*\n", re.MULTILINE)
    return {name: marks.sub("", source) for name, source in submissions.reference().items()}


def hostile(attack: str, **values: object) -> dict[str, str]:
    """The honest submission with attacks/<attack>.py at the end of its q1_vae.py."""
    source = (ATTACKS / f"{attack}.py").read_text(encoding="utf-8")
    for name, value in values.items():
        source = source.replace(f"@{name}@", str(value))
    files = honest()
    return files | {"q1_vae.py": files["q1_vae.py"] + "\n\n" + source}


@pytest.fixture
def room(tmp_path):
    """A place with another student's folder and a grader's program, which an attack may go for."""
    submissions.write(tmp_path / "other", {"q1_vae.py": f"# {OTHER}\n"})
    (tmp_path / "run_autograder").write_text("#!/bin/sh\n")
    return tmp_path


def grade(room: Path, files: dict, name: str = "submission", **options):
    """Grade the file that attacks are in, and an exercise of each other; check what must hold after any attack."""
    output, options = room / "results.json", {"only": SOME} | options
    verdict = grade_apart(SLUG, submissions.write(room / name, files), output=output, **options)
    text = output.read_text()
    results = json.loads(text)
    assert results == verdict.results
    check_results(results, options["only"])
    check_secrets(text)
    return verdict


def check_results(results: dict, only: frozenset[str] | None = None) -> None:
    validate(results)
    tests = [t for t in expected_tests(load_assignment(SLUG)) if only is None or t.exercise.id in only]
    expected = [(t.number, round(t.max_score, 4)) for t in tests]
    assert [(t["number"], t["max_score"]) for t in results["tests"]] == expected
    assert not any(t["output"].startswith("Not run: grading stopped") for t in results["tests"])
    for text in [t["output"] for t in results["tests"]] + [results["output"]]:
        assert all(c.isprintable() or c == "\n" for c in text), text
        assert len(text) < 5000


def check_secrets(text: str) -> None:
    """No line of a hidden test, of a solution or of a misconception, no key, and nothing of another student."""
    rooms = [ROOT / "autograder" / "hidden_tests" / SLUG, ROOT / "autograder" / "misconceptions" / SLUG]
    lines = {line.strip() for room in rooms for path in room.glob("*.py") for line in path.read_text().splitlines()}
    code = {line for line in lines if len(line) > 24 and re.search(r"[()=]", line) and not line.endswith((".", '"""'))}
    assert len(code) > 500
    assert not [line for line in code if json.dumps(line)[1:-1] in text]
    secret = (ROOT / "autograder" / "course.secret").read_text().strip()
    for sign in (OTHER, secret, "BEGIN SOLUTION"):
        assert sign not in text


def loot(verdict) -> list[str]:
    """What an attack says that it found; none said nothing at all."""
    found = [output for output in verdict.outputs if "LOOT" in output]
    return [output for output in found if "LOOT 0 " not in output]


def assert_next_is_graded_as_ever(room: Path) -> None:
    verdict = grade(room, honest(), "next")
    assert verdict.outputs == []
    assert verdict.score == sum(EXERCISES[each].points for each in SOME)


def nobody_is_left(room: Path) -> bool:
    """Whether no process is left that works in a folder of this test's, or that holds one of its files."""

    def concerns(process: psutil.Process) -> bool:
        try:
            places = [process.cwd(), *process.cmdline(), *(file.path for file in process.open_files())]
        except psutil.Error:
            return False
        return any("sandbox-" in place or str(room) in place for place in places)

    orphans = [p for p in psutil.process_iter() if p.pid != os.getpid() and p.ppid() == 1 and concerns(p)]
    ours = [p for p in psutil.Process().children(recursive=True) if concerns(p)]
    return not orphans and not ours


@contextmanager
def no_endless_computing():
    """Ends what computes for a minute, where a second is enough: a hang is a failure, slowness is none."""

    def stop(*_) -> None:
        raise AssertionError("it computes for minutes")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, 60)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


# ---------------------------------------------------------------- one grade each


def test_patches_change_nothing(room):
    verdict = grade(room, hostile("patches"))
    assert verdict.lost == {"Q1.3": 8}


def test_spies_find_nothing(room):
    """Through the command, whose environment holds a secret of the TA's, and whose table is an output, too."""
    folder = submissions.write(
        room / "submission", hostile("spies", ROOT=ROOT, OTHER=room / "other", OUTPUT=room / "results.json")
    )
    command = [sys.executable, "-m", "autograder", "grade", SLUG, folder, "--output", room / "results.json"]
    token = "canary-" + secrets.token_hex(8)
    done = subprocess.run(
        command, env=os.environ | {"CANARY_TOKEN": token}, cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    text = (room / "results.json").read_text()
    results = json.loads(text)
    check_results(results)
    check_secrets(text + done.stdout + done.stderr)
    assert token not in text + done.stdout + done.stderr
    outputs = [t["output"] for t in results["tests"] if t["status"] != "passed"]
    said = {output for output in outputs if not output.startswith("Fails for the same reason as Q1.3.")}
    assert len(outputs) == 4 and said and all("LOOT 0 " in output for output in said), outputs
    assert results["score"] == ALL - 8


def test_results_cannot_be_written(room):
    verdict = grade(room, hostile("results", OUTPUT=room / "results.json", PROGRAM=room / "run_autograder"))
    assert loot(verdict) == []
    assert verdict.lost == {"Q1.3": 8}
    assert nobody_is_left(room), "something outlived the grade, and may strike later"
    assert json.loads((room / "results.json").read_text()) == verdict.results
    assert (room / "run_autograder").read_text() == "#!/bin/sh\n"
    assert_next_is_graded_as_ever(room)


def test_endings_cost_their_own_exercises(room):
    verdict = grade(room, hostile("endings"))
    assert verdict.lost == Q1
    # abort() shows as SIGSEGV too: raising SIGABRT is a signal, and signals are denied.
    assert {o for o in verdict.outputs if "SIGSEGV" in o}


def test_signals_reach_nobody(room):
    verdict = grade(room, hostile("signals"))
    assert loot(verdict) == []
    assert verdict.lost == {"Q1.3": 8}


def test_hangs_end_in_time(room):
    limits = Limits(cpu_seconds=1, wall_seconds=3)
    verdict = grade(room, hostile("hangs"), only=frozenset(Q1), limits=limits)
    assert verdict.lost == Q1 | {"Q1.4": 0} or verdict.lost == {k: v for k, v in Q1.items() if k != "Q1.4"}
    assert sum("did not finish" in output for output in verdict.outputs) == 4
    looks = verdict.results["extra_data"]["looks"]
    assert looks["out of time"] <= 8, "a function that hangs is tried in one test, and once more in that"
    assert_next_is_graded_as_ever(room)


def test_nobody_outlives_a_killed_grader(room):
    """Gradescope and impatient people kill graders; what the submission left asleep must go with them."""
    folder = submissions.write(room / "submission", hostile("hangs"))
    call = [sys.executable, "-m", "autograder", "grade", SLUG, folder, "--output", room / "results.json", "--quiet"]
    grader = psutil.Popen([str(part) for part in call], cwd=ROOT, env=os.environ | {"TMPDIR": str(room)})
    asleep = []
    while not asleep and grader.is_running():
        time.sleep(0.2)
        looks = [look for supervisor in grader.children() for look in supervisor.children()]
        asleep = [look for look in looks if look.is_running() and time.time() - look.create_time() > 2]
    everybody = grader.children(recursive=True)
    grader.kill()
    grader.wait()
    _, alive = psutil.wait_procs(everybody, timeout=60)
    assert asleep and not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]
    results = json.loads((room / "results.json").read_text())
    validate(results)
    assert results["score"] == 0 and len(results["tests"]) == len(expected_tests(load_assignment(SLUG)))


def test_bombs_do_not_go_off(room):
    verdict = grade(room, hostile("bombs"))
    assert loot(verdict) == []
    assert verdict.lost == {k: v for k, v in Q1.items() if k != "Q1.4"}
    assert any("memory" in output for output in verdict.outputs)
    assert any("wrote more than" in output for output in verdict.outputs)
    assert_next_is_graded_as_ever(room)


def test_replies_are_believed_only_as_numbers(room):
    verdict = grade(room, hostile("replies"))
    assert verdict.lost == Q1
    assert any("returned more than" in output for output in verdict.outputs)


def test_inputs_changed_in_place_are_the_submissions_own(room):
    verdict = grade(room, hostile("inputs"))
    assert verdict.lost == {"Q1.3": 8}


def test_feedback_is_plain_text(room):
    """check_results looks at every character."""
    files = hostile("markup")
    files["\x1b[2J<b>\n.py"] = "x = 1\n"
    verdict = grade(room, files)
    assert verdict.lost == {"Q1.3": 8}
    assert all(t["output_format"] == "text" for t in verdict.results["tests"])


def test_nobody_can_be_called(room):
    calls = []
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as door:
        door.bind(str(room / "door"))
        door.listen()
        os.chmod(room / "door", 0o777)
        thread = threading.Thread(target=lambda: calls.append(server.accept()), daemon=True)
        thread.start()
        verdict = grade(room, hostile("network", PORT=server.getsockname()[1], SOCKET=room / "door"))
    assert loot(verdict) == [] and calls == []
    assert verdict.lost == {"Q1.3": 8}


def test_shadow_modules_are_never_loaded(room):
    """Full marks: the six files are right, and nothing else of the submission is ever run."""
    trap = f"open({str(room / 'sprung')!r}, 'w').write('sprung')\nraise SystemExit('LOOT 1')\n"
    names = ["torch", "numpy", "json", "unittest", "cloudpickle", "safetensors", "sitecustomize", "conftest", "pytest"]
    files = honest() | {f"{name}.py": trap for name in names}
    packages = ["autograder", "data_loaders", "training", "torchvision", "gradescope_utils", "tests", "public_tests"]
    files |= {f"{name}/__init__.py": trap for name in packages}
    files |= {"autograder/grading/grade.py": trap, "pytest.ini": "[pytest]\naddopts = --fail\n", "setup.py": trap}
    files |= {"run_autograder": "#!/bin/sh\n", "results.json": '{"score": 1000}', "course.toml": "x", "Makefile": trap}
    verdict = grade(room, files, only=None)
    assert verdict.outputs == [] and verdict.score == ALL
    assert not (room / "sprung").exists()


def test_the_command_trusts_nothing_in_the_folder_where_it_is_called(room):
    """A TA may well call the grader from within a submission."""
    trap = f"open({str(room / 'sprung')!r}, 'w').write('sprung')\n"
    names = ["torch", "numpy", "json", "argparse", "ast", "tomllib", "secrets", "dataclasses", "unittest", "pathlib"]
    folder = submissions.write(room / "submission", {f"{name}.py": trap for name in names})
    command = [sys.executable, "-m", "autograder", "grade", "--help"]
    subprocess.run(command, cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True, capture_output=True)
    assert not (room / "sprung").exists()


def test_numbers_of_one_submission_are_worthless_for_another(room):
    """Each grade tells what numbers it was asked about; a second grade of the same submission asks about the same."""
    files = honest()
    files["q1_vae.py"] += "\n\ndef log_mean_exp(y):\n    raise ValueError(f'{y.double().sum():.9f}')\n"
    seen = {}
    for name in ("one", "two", "one"):
        verdict = grade(room, files, submission_id=name)
        numbers = {o for o in verdict.outputs if "ValueError" in o}
        assert seen.setdefault(name, numbers) == numbers
    assert seen["one"] and not seen["one"] & seen["two"]


def test_hostile_source_costs_its_own_file(room):
    """Source that ends, starves or exhausts the parser, in a graded file and in more helpers than anybody has."""
    files = honest()
    files["q1_vae.py"] += "\nx = " + "(" * 190 + ")" * 190 + "\ny = " + "-" * 100_000 + "1\n"
    files |= {f"helper{n}.py": "x = " + "[" * 5 + "1 if 1 else " * 200_000 + "1" + "]" * 5 for n in range(3)}
    files |= {f"many{n}.py": "import numpy.f2py.__main__, tqdm.__main__, IPython.__main__, this\n" for n in range(60)}
    files["q2_ddpm.py"] = "import numpy.f2py.__main__\nimport tqdm.__main__\n" + files["q2_ddpm.py"]
    verdict = grade(room, files)
    assert verdict.lost == Q1


# ---------------------------------------------------------------- without a defence the attack succeeds


def command(room: Path, attack: str, without: tuple = (), patch: str = "", cwd: Path = ROOT, **options) -> dict:
    """Grade an attack with the command, after a change to the grader."""
    values = {"ROOT": cwd, "OTHER": room / "other", "OUTPUT": room / "results.json", "PROGRAM": room / "run_autograder"}
    folder = submissions.write(room / "submission", hostile(attack, **values))
    layers = [f"--without={name}" for name in without] + ([] if options else ["--only", "q1_vae"])
    imports = "import os, sys; from autograder import __main__; from autograder.sandbox import isolation, supervisor"
    program = f"{imports}; {patch}; __main__.main(sys.argv[1:])"
    call = ["-c", program, "grade", SLUG, folder, "--output", room / "results.json", "--quiet", *layers]
    environment = os.environ | {"CANARY_TOKEN": "canary-0123456789abcdef"}
    if attack == "spies" or options:  # which look for that token in memory, or run as another user
        call = [sys.executable, *call]
        done = subprocess.run(call, env=environment, cwd=cwd, capture_output=True, text=True, timeout=300, **options)
    else:
        done = warm.run(call, cwd, environment)
    assert done.returncode == 0, done.stderr
    return json.loads((room / "results.json").read_text())


def succeeded(results: dict) -> bool:
    outputs = [t["output"] for t in results["tests"]]
    assert any("LOOT" in output for output in outputs), outputs
    return any("LOOT" in output and "LOOT 0 " not in output for output in outputs)


@pytest.mark.parametrize(
    "attack, without, patch",
    {
        "landlock": ("spies", ["landlock"], ""),
        "seccomp": ("signals", ["seccomp"], ""),
        "all that keeps files": ("results", ["landlock", "unprivileged user"], ""),
        "an emptied environment": ("spies", [], "isolation.wipe_environment = os.environ.clear"),
        "measuring files and threads": (
            "bombs", [], "supervisor.too_full = lambda *a: False; supervisor.threads_of = lambda *a: 0"
        ),
    }.values(),
    ids=lambda value: value if isinstance(value, str) else None,
)  # fmt: skip
def test_defence_matters(attack, without, patch, room):
    # Once is enough: on a busy machine an attack may run out of its time.
    assert any(succeeded(command(room, attack, without, patch or "pass")) for _ in range(3))


def test_limits_on_replies_matter(monkeypatch):
    monkeypatch.setattr(wire, "MAX_HEAD", 1 << 40)
    monkeypatch.setattr(wire, "MAX_ELEMENTS", 1 << 80)
    monkeypatch.setattr(wire, "MAX_LEAVES", 1 << 40)
    assert len(wire.decode(FORGED["a million nothings"])) == 1_000_000
    assert wire.decode(FORGED["a huge empty shape"]).shape == (10**10, 0)


def test_layers_are_reported(room):
    verdict = grade(room, honest(), without=frozenset({"seccomp"}))
    isolation = verdict.results["extra_data"]["isolation"]
    assert isolation["missing"]["seccomp"] == "switched off" and "seccomp" not in isolation["active"]
    command = ["-m", "autograder", "grade", "vae_ddpm_cfg", room, "--without", "seccomp", "--only", "Q1.1"]
    done = warm.run(command, ROOT, dict(os.environ))
    assert done.returncode == 0 and "no seccomp (switched off)" in done.stdout, done.stderr


@pytest.mark.parametrize("attack", ["spies", "results"])
def test_an_ordinary_user_is_as_safe(attack, room, tmp_path):
    """The grader of a TA who is not root: a copy of the repository that belongs to somebody else."""
    user = 60_900
    if os.getuid() != 0:
        pytest.skip("every test of this file ran as an ordinary user already")
    if unreadable := first_unreadable(user, python_paths()):
        pytest.skip(f"{unreadable} is closed to other users, and Python lives there")
    copy = tmp_path / "copy"
    for name in ("autograder", "solutions", "assignment", "data_loaders", "training"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "course.toml", copy)
    subprocess.run(["chown", "-R", f"{user}:{user}", copy, room / "other", room / "run_autograder"], check=True)
    for folder in (room, *room.parents[:2]):
        folder.chmod(0o777)
    results = command(room, attack, (), "pass", cwd=copy, user=user, group=user, extra_groups=[])
    check_results(results)
    assert not succeeded(results)
    assert results["score"] == ALL - 8
    assert "seccomp" in results["extra_data"]["isolation"]["active"]


# ---------------------------------------------------------------- replies, byte by byte


def reply(head: object, tensors: bytes = b"", size: int | None = None) -> bytes:
    text = head if isinstance(head, bytes) else json.dumps(head).encode()
    return struct.pack("<I", len(text) if size is None else size) + text + (tensors or save({}))


def raw_tensor(shape: list, dtype: str = "F32", data: bytes = b"", end: int | None = None) -> bytes:
    end = len(data) if end is None else end
    head = json.dumps({"0": {"dtype": dtype, "shape": shape, "data_offsets": [0, end]}}).encode()
    return struct.pack("<Q", len(head)) + head + data


ONE = {"tensor": "0"}
FORGED = {
    "empty": b"",
    "cut short": b"\1\0",
    "noise": os.urandom(1000),
    "head longer than all": reply(None, size=2**31),
    "no tensors": struct.pack("<I", 4) + b"null",
    "nested lists": reply(b"[" * 200_000),
    "nested values": reply(json.loads('{"list": [' * 50 + "1" + "]}" * 50)),
    "a million nothings": reply({"list": [None] * 1_000_000}),
    "an unknown object": reply({"pickle": "gASVAAAA"}),
    "a long text": reply("x" * 10_000),
    "an integer of 4000 digits": reply(b"9" * 4000),
    "an integer of 100000 digits": reply(b"9" * 100_000),
    "a tensor that is not there": reply({"tensor": "7"}),
    "an unhashable key": reply({"dict": [[["x"], 1], [1, 2, 3]]}),
    "a huge shape": reply(ONE, raw_tensor([10**6, 10**6, 10**6])),
    "a huge empty shape": reply(ONE, raw_tensor([10**10, 0])),
    "an overflowing shape": reply(ONE, raw_tensor([2**33, 2**31])),
    "an offset behind the end": reply(ONE, raw_tensor([4], end=16)),
    "a negative shape": reply(ONE, raw_tensor([-1])),
    "complex numbers": reply(ONE, raw_tensor([1], "C64", bytes(8))),
    "a head of tensors as long as a day": reply(ONE, struct.pack("<Q", 2**62) + b"{}"),
    "a hundred thousand tensors": reply(
        ONE,
        (lambda head: struct.pack("<Q", len(head)) + head)(
            json.dumps({str(n): {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]} for n in range(100_000)}).encode()
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGED)
def test_forged_replies_are_refused(name):
    with pytest.raises(ValueError):
        wire.decode(FORGED[name])


def subtract_odd_shapes() -> str:
    with Sandbox(load_assignment(SLUG).given, ROOT):
        try:
            return f"{(torch.zeros(1_000_000, 1) - torch.zeros(1, 1000)).shape}"
        except RuntimeError as error:
            return str(error)


def test_values_cannot_exhaust_the_grader():
    assert "allocate" in apart(subtract_odd_shapes)


def test_what_is_decoded_is_plain():
    head = b'{"dict": [["a\\ud800", {"list": [NaN, Infinity, true, "\\ud800"]}], ["b", {"opaque": "\\u001b[2J"}]]}'
    value = wire.decode(reply(head))
    assert value["a?"][3] == "?"
    assert str(value["b"]) == "\N{REPLACEMENT CHARACTER}[2J"
    shared = wire.decode(wire.encode((torch.ones(3), "x", None, 1.5)))
    assert torch.equal(shared[0], torch.ones(3)) and shared[1:] == ("x", None, 1.5)


@pytest.mark.parametrize("dtype", sorted(wire.DTYPES, key=str), ids=str)
def test_tensors_of_every_kind_cross_whole(dtype):
    numbers = torch.arange(12).reshape(3, 4).to(dtype)
    sent = {"strided": numbers.T, "scalar": numbers[1, 1], "nothing": numbers[:0], "beside": torch.rand(2)}
    found = wire.decode(wire.encode(sent))
    assert all(found[name].dtype == each.dtype and torch.equal(found[name], each) for name, each in sent.items())


def test_a_look_brings_the_submodules_that_it_names():
    """As cloudpickle itself finds them; a fresh copy of it has its own function still."""
    spec = importlib.util.find_spec("cloudpickle.cloudpickle")
    own = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(own)
    looks = [
        lambda q1: torch.nn.functional.relu(q1.f(torch.special.expm1(torch.ones(1)))),
        lambda q1: os.path.join(q1.path, json.decoder.__name__),
        lambda q1: q1.log_mean_exp(ONE),
    ]
    for look in looks:
        found = wire.submodules_named(look.__code__, [torch, json, os, ONE, socket])
        expected = own._find_imported_submodules(look.__code__, [torch, json, os, ONE, socket])
        assert {module.__name__ for module in found} == {module.__name__ for module in expected}
    assert torch.nn.functional in wire.submodules_named(looks[0].__code__, [torch])


# ---------------------------------------------------------------- uploads that are bombs


def zipped(entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(zipfile.ZipInfo(name) if method == zipfile.ZIP_STORED else name, content)
    return data.getvalue()


def zip_with_a_link() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        link = zipfile.ZipInfo("q1_vae.py")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    return data.getvalue()


def nested_zip(depth: int) -> bytes:
    data = zipped({"q1_vae.py": b"x = 1\n"})
    for _ in range(depth):
        data = zipped({"inner.zip": data})
    return data


ZEROS = bytes(31 << 20)
ARCHIVES = {
    "slip": lambda: zipped({"../../../tmp/slipped.py": b"x", "/etc/slipped.py": b"x", "..\\slipped.py": b"x"}),
    "bomb": lambda: zipped({f"{n}.py": ZEROS for n in range(8)}),
    "bomb of what nobody reads": lambda: zipped({f"{n}.py": ZEROS + bytes(3 << 20) for n in range(8)}),
    "bomb of zips": lambda: zipped({f"{n}.zip": zipped({f"{n}.py": ZEROS}) for n in range(8)}),
    "too many": lambda: zipped({f"{n}.py": b"" for n in range(30_000)}),
    "names for slow patterns": lambda: zipped(
        {"-" * 60_000 + ".py": b"", "_" * 190 + ".py": b"", "( " * 90 + ".py": b""}
    ),
    "names with line ends": lambda: zipped({"q1_vae\n\x1b[2J.py": b"x = 1\n"}),
    "link": zip_with_a_link,
    "too deep": lambda: nested_zip(12),
    "other method": lambda: zipped({"q1_vae.py": b"x = 1\n"}, zipfile.ZIP_LZMA),
    "broken": lambda: zipped({"q1_vae.py": b"x = 1\n" * 1000})[:-30] + bytes(30),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_archives_are_read_within_bounds(name, tmp_path):
    path = tmp_path / "upload.zip"
    path.write_bytes(ARCHIVES[name]())
    with no_endless_computing():
        upload = uploads.collect(path)
        ranks = [matching.plain_name(p) for p in upload.files for _ in range(100)]
    assert len(ranks) == 100 * len(upload.files)
    assert sum(map(len, upload.files.values())) <= uploads.MAX_TOTAL_BYTES
    assert len(upload.files) <= uploads.MAX_FILES
    assert all(".." not in p and not p.startswith("/") and p.isprintable() for p in upload.files)
    assert all(note.isprintable() for note in upload.notes)
    places = ("/tmp", "/etc", "/", tmp_path, tmp_path.parent)
    assert not any(Path(place, "slipped.py").exists() for place in places)


def test_folders_are_read_within_bounds(tmp_path):
    """Links, pipes, 25,000 files, folders nested deeper than Python's stack; the six files are found all the same."""
    folder = submissions.write(tmp_path / "upload", honest())
    (folder / "passwd.py").symlink_to("/etc/passwd")
    (folder / "up").symlink_to("..")
    os.mkfifo(folder / "pipe.py")
    (folder / "data").mkdir()
    for n in range(25_000):
        os.close(os.open(folder / "data" / f"{n}.txt", os.O_CREAT))
    here = Path.cwd()
    try:
        os.chdir(folder)
        for _ in range(1500):
            os.mkdir("f")
            os.chdir("f")
        os.chdir(here)
        with no_endless_computing():
            upload = uploads.collect(folder)
        assert set(honest()) <= set(upload.files)
        assert not any(b"root:x:0" in data for data in upload.files.values())
    finally:
        os.chdir(here)
        empty(folder)


def test_a_scratch_folder_is_measured_and_emptied_however_deep(tmp_path):
    here = Path.cwd()
    try:
        os.chdir(tmp_path)
        for _ in range(30):
            os.mkdir("d" * 200)
            os.chdir("d" * 200)
        Path("hidden").write_bytes(bytes(1000))
    finally:
        os.chdir(here)
    assert too_full(tmp_path, megabytes=1)
    (tmp_path / "link").symlink_to("/etc")
    empty(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert Path("/etc").exists()
