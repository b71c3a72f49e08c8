"""The assignment as a student's tools see it: its folder, its exercises, its files."""

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path

MANIFEST = "given.json"  # written by the release: the given files and their checksums


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

    @property
    def zip_name(self) -> str:
        """What the zip to upload is called: the course's pattern, or <assignment>-submission.zip."""
        for place in (self.folder, self.folder.parents[1]):  # a release; this repository
            path = place / "course.toml"
            if path.is_file():
                pattern = tomllib.loads(path.read_text(encoding="utf-8")).get("submission_name", "")
                return pattern.replace("[Assignment]", self.folder.name) or f"{self.folder.name}-submission.zip"
        return f"{self.folder.name}-submission.zip"

    def given_names(self, folder: Path) -> set[str]:
        """The names of the given files, where it is known: in a release, and beside the assignment's own folder."""
        manifest = self.folder / MANIFEST
        if manifest.is_file():
            return set(json.loads(manifest.read_text(encoding="utf-8"))) - set(self.files)
        return {path.name for path in self.folder.glob("*.py")} - set(self.files)

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
