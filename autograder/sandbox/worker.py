"""The far side of the wall: every line here may run beside student code, and nothing that it says is believed.

A worker is forked from its supervisor, confines itself, imports the student's module and takes looks at it.
"""

import builtins
import os
import pdb
import pickle
import random
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

import cloudpickle
import numpy.random  # by its name: numpy loads it when it is first used, and that would be in every worker
import torch

from autograder.sandbox import extract, importer, isolation, wire
from autograder.sandbox import look_tools as look_tools  # looks find it by name
from autograder.sandbox.isolation import Layers
from autograder.sandbox.messages import Modules, Request, framed, receive
from autograder.sandbox.raised import described_error
from autograder.sandbox.stand_ins import replaced
from autograder.sandbox.workbench import Workbench, failed


def serve(
    request: Request, channel: int, layers: Layers, scratch: Path, given: Path, root: Path, modules: Modules
) -> NoReturn:
    """The worker's whole life. Nothing after `confine` is trusted, and nothing here returns."""
    try:
        isolation.keep_only(channel, *layers.descriptors())
        layers.confine(scratch, request.limits)
        for descriptor in layers.descriptors():
            os.close(descriptor)
        student = StudentModule(modules, importer.Given(given, root))
        while True:
            answer = wire.encode(answered(request, student))
            view = memoryview(framed(answer))
            while view:
                view = view[os.write(channel, view) :]
            if not request.session:
                os._exit(0)
            request = pickle.loads(receive(channel))
    except BaseException:
        os._exit(70)


def answered(request: Request, student: "StudentModule") -> dict:
    match request.kind:
        case "extract":
            return extracted(*request.data)
        case "attempts":
            return student.attempts(request)
    return student.look(request)


def extracted(*request: Any) -> dict:
    found = asdict(extract.extract(*request))
    return found | {"code": numpy.frombuffer(found["code"], dtype=numpy.uint8)}


class StudentModule:
    """The submission, imported here."""

    def __init__(self, modules: Modules, given: importer.Given):
        self.modules, self.given = modules, given
        self.submission: importer.UploadedModules | None = None  # installed by the first look
        self.benches: dict[tuple[str, str], Workbench] = {}
        self.asks_for_gpu = False  # the look that is being taken did
        self.moves_to_cpu = False  # an earlier one did

    def look(self, request: Request) -> dict:
        """The value of one look as plain data, or why it has none.

        A look that asks for a GPU, which graders lack, is taken once more with all of that meaning the CPU. To have it
        mean that from the first would do as well, and make every operation of torch three times as slow.
        """
        if not self.moves_to_cpu:
            answer = self.taken(request, nullcontext())
            if not self.asks_for_gpu:
                return answer
            self.moves_to_cpu = True
        return self.taken(request, look_tools.OnDevice("cpu"))

    def taken(self, request: Request, mode: AbstractContextManager) -> dict:
        # Unpacked before student code loads, at least the first time. What comes later in the same process cannot be
        # trusted, and need not be.
        look = cloudpickle.loads(request.look)
        replacing = cloudpickle.loads(request.replacing) if request.replacing else {}
        submission = self.installed()
        try:
            module = __import__(request.module)
            others = [sys.modules[name] for name in self.modules.graded if name in sys.modules]
            random.seed(request.seed)
            numpy.random.seed(request.seed % 2**32)
            torch.default_generator.manual_seed(request.seed)
            torch.set_default_dtype(torch.float32)
            torch.set_grad_enabled(True)
            self.asks_for_gpu = False
            with replaced(module, replacing, others), mode:
                return {"value": look(module)}
        except BaseException as error:
            notes = submission.failures.get(request.module, [])
            return {"error": described_error(error, notes, submission.line)}

    def installed(self) -> importer.UploadedModules:
        if not self.submission:
            self.submission = importer.install(self.modules.graded, self.modules.helpers, self.given)
            quiet_debuggers()
            self.watch_for_gpu()
        return self.submission

    def watch_for_gpu(self) -> None:
        """torch calls this function whenever something is to be done on a GPU, and where there is none, it raises."""
        start = torch.cuda._lazy_init

        def asked() -> None:
            self.asks_for_gpu = True
            start()

        setattr(torch.cuda, "_lazy_init", asked)  # noqa: B010
        setattr(torch.nn.Module, "cuda", lambda self, device=None: self)  # noqa: B010

    def attempts(self, request: Request) -> dict:
        """Looks with edits of the student's own function made, or what these edits are."""
        key = request.module, request.data.target
        try:
            sources = self.installed().sources
            if key not in self.benches:
                module = __import__(request.module)
                self.benches[key] = Workbench(module, key[1], request.data.others, sources)
            return self.benches[key].answer(request.data, lambda: self.look(request))
        except BaseException as error:
            return {"error": failed(error)}


def quiet_debuggers() -> None:
    """A forgotten breakpoint() or pdb.set_trace() stops nobody here."""
    sys.breakpointhook = lambda *args, **kwargs: None
    pdb.set_trace = lambda *args, **kwargs: None
    builtins.input = no_input


def no_input(*args: Any) -> NoReturn:
    raise EOFError("input() has nobody to ask here: remove it")
