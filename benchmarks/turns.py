"""Ways of doing the same take turns, each in a process of its own: what one sets for its process, such as the memory's
settings or a compiler's, is not set for the others."""

import multiprocessing
from collections.abc import Callable
from typing import Any


class OwnProcess:
    """make(*args), which returns a function, called in a new process; to call this calls that function there.

    with OwnProcess(make, *args) as run:
        result = run(...)

    Raises:
        RuntimeError: the process has ended; what it said stands above.
    """

    def __init__(self, make: Callable[..., Callable], *args: Any):
        context = multiprocessing.get_context("spawn")  # forked, a process that has computed may hang
        self.connection, far = context.Pipe()
        self.process = context.Process(target=serve, args=(far, make, *args), daemon=True)
        self.process.start()
        far.close()

    def __call__(self, *args: Any) -> Any:
        try:
            self.connection.send(args)
            return self.connection.recv()
        except (EOFError, BrokenPipeError, ConnectionResetError) as error:
            self.process.join()
            raise RuntimeError(f"a process ended with status {self.process.exitcode}: see above") from error

    def __enter__(self) -> "OwnProcess":
        return self

    def __exit__(self, *error: object) -> None:
        self.connection.close()  # the process ends when nothing more can come
        self.process.join(5)
        self.process.kill()


def serve(connection: Any, make: Callable[..., Callable], *args: Any) -> None:
    """The process: answers until the other end is closed."""
    function = make(*args)
    while True:
        try:
            arguments = connection.recv()
        except EOFError:
            return
        connection.send(function(*arguments))
