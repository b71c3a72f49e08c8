"""The assignment as a student's tools see it: its folder, its exercises, its files."""

import tomllib
from dataclasses import dataclass
from pathlib import Path


class StudentError(Exception):
    """Something to put right before the command can work; the message says what and how."""


@dataclass(frozen=True)
class Assignment:
    folder: Path
    exercises: dict[str, str]  # "Q1.3" -> "q1_vae.log_mean_exp", in the order of the handout

    @property
    def files(self) -> list[str]:
        """The files that a student completes, in the order of their exercises."""
        return list(dict.fromkeys(f"{target.partition('.')[0]}.py" for target in self.exercises.values()))

    def in_file(self, name: str) -> dict[str, str]:
        """The exercises of one file: {"Q1.3": "log_mean_exp"}."""
        parts = {exercise: target.partition(".") for exercise, target in self.exercises.items()}
        return {exercise: inside for exercise, (module, _, inside) in parts.items() if f"{module}.py" == name}


def find_assignment(start: Path) -> Assignment:
    """The assignment whose folder is `start` or lies above it.

    Raises:
        StudentError: if there is none.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        description = folder / "assignment.toml"
        if description.is_file():
            exercises = tomllib.loads(description.read_text(encoding="utf-8"))["exercises"]
            return Assignment(folder, {name: entry["of"] for name, entry in exercises.items()})
    raise StudentError(f"{start} is no assignment's folder: go to the one that holds assignment.toml and your files.")
