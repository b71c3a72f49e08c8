"""The course's own lines in a handout: name, term, dates, points that differ, where data lie. From course.toml.

    <!-- course: written by `make stubs` from course.toml -->
    ...
    <!-- end of the course's lines -->

What stands between the two is written anew by `make stubs`, in the handout's language; a release notices when it has
drifted. Notebooks have the first of these lines below their title, and the zip carries the same as course.toml.
"""

import json
import re
from datetime import datetime
from pathlib import Path

from autograder.course import ROOT, CourseError, DataPlace, assignment_entry, course, load_assignment

BEGIN, END = "<!-- course: written by `make stubs` from course.toml -->", "<!-- end of the course's lines -->"
WORDS = {
    "en": {
        "due": "Due date: {}.",
        "unset": "Due date: as your course announces it.",
        "closes": "The upload closes on {}.",
        "grace": "Late work: {days} started day(s) cost nothing; each further one costs {penalty} % of the score.",
        "points": "**This course gives other points** than the ones printed below: {}. Graded automatically: {total}.",
        "instead": "{id} {new} (instead of {old})",
        "place": "The data `{name}`: {home}",
        "checksum": " (SHA-256 {})",
        "no place": "The data `{name}`: your course has not said where they are; ask, or take the small data below.",
    },
    "fr": {
        "due": "Date de remise : {}.",
        "unset": "Date de remise : celle qu'annonce votre cours.",
        "closes": "Le dépôt ferme le {}.",
        "grace": "Retards : {days} jour(s) entamé(s) sans frais ; chacun des suivants coûte {penalty} % de la note.",
        "points": "**Ce cours attribue d'autres points** que ceux qui suivent : {}. Noté automatiquement : {total}.",
        "instead": "{id} {new} (au lieu de {old})",
        "place": "Les données `{name}` : {home}",
        "checksum": " (SHA-256 {})",
        "no place": "Les données `{name}` : votre cours n'a pas dit où elles sont ; demandez-le, ou prenez les petites"
        " données ci-dessous.",
    },
    "fa": {
        "due": "مهلت تحویل: {}.",
        "unset": "مهلت تحویل همان است که در درس شما اعلام می‌شود.",
        "closes": "سامانه پس از {} بسته می‌شود.",
        "grace": "تأخیر: {days} روزِ آغازشده هزینه‌ای ندارد؛ هر روز بعدی {penalty} درصد از نمرهٔ کسب‌شده را کم می‌کند.",
        "points": "**نمره‌های این درس** با آنچه در زیر آمده است تفاوت دارد: {}. تصحیح خودکار: {total}.",
        "instead": "{id} {new} (به‌جای {old})",
        "place": "داده‌های `{name}`: {home}",
        "checksum": " (SHA-256 {})",
        "no place": "داده‌های `{name}`: درس شما هنوز نگفته است که کجا هستند؛ بپرسید، یا با داده‌های کوچک زیر کار کنید.",
    },
}


def handouts(slug: str) -> list[Path]:
    """README.md and its translations."""
    return sorted((ROOT / "assignment" / slug).glob("README*.md"))


def language(path: Path) -> str:
    """README.fr.md -> fr; README.md -> en. English where we have no words of a language."""
    found = path.suffixes[0].removeprefix(".")
    return found if found in WORDS else "en"


def course_lines(slug: str, words: dict[str, str] = WORDS["en"]) -> list[str]:
    """Course and dates; points that differ; where data lie that the course has to bring. Each a sentence or two."""
    settings, data = course(), assignment_entry(slug)
    parts = [f"**{settings.course}**, {settings.term}."]
    due, closes = settings.due.get(slug), settings.closes.get(slug)
    parts.append(words["due"].format(when(due)) if due else words["unset"])
    if closes:
        parts.append(words["closes"].format(when(closes)))
    late = settings.late
    if late.enabled:
        penalty = f"{100 * late.penalty_per_day:g}"
        parts.append(words["grace"].format(days=f"{late.grace_days:g}", penalty=penalty))
    lines = [" ".join(parts)]
    assignment = load_assignment(slug)
    printed = {name: entry.points for name, entry in data.exercises.items()}
    changed = [
        words["instead"].format(id=e.id, new=f"{e.points:g}", old=f"{printed[e.id]:g}")
        for e in assignment.exercises.values()
        if e.points != printed[e.id]
    ]
    if changed:
        lines.append(words["points"].format(", ".join(changed), total=f"{assignment.points:g}"))
    for name in data.data_of_the_course:
        place = settings.data.get(name, DataPlace())
        line = words["place" if place.home else "no place"].format(name=name, home=place.home)
        lines.append(line + (words["checksum"].format(", ".join(place.sha256)) if place.sha256 else ""))
    return lines


def when(moment: datetime) -> str:
    """2026-10-02 23:00 (UTC-04:00): read alike in every language."""
    return f"{moment:%Y-%m-%d %H:%M}" + (f" ({moment.tzname()})" if moment.tzinfo else "")


def filled(text: str, slug: str, words: dict[str, str] = WORDS["en"]) -> str:
    """A handout with the course's lines of today.

    Raises:
        CourseError: if the handout has no place for them.
    """
    block = "\n\n".join([BEGIN, *course_lines(slug, words), END])
    new, count = re.subn(rf"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _: block, text, flags=re.DOTALL)
    if count != 1:
        raise CourseError(f"assignment/{slug}: a handout has one line {BEGIN} and one line {END}.")
    return new


def write_handouts(slug: str, check: bool = False) -> list[str]:
    """Fill in an assignment's handouts; return those that differed, and with `check` leave them as they are."""
    drifted = []
    for path in handouts(slug):
        old = path.read_text(encoding="utf-8")
        new = filled(old, slug, WORDS[language(path)])
        if new != old:
            drifted.append(path.relative_to(ROOT).as_posix())
            if not check:
                path.write_text(new, encoding="utf-8")
    return drifted


def student_course(slug: str) -> bytes:
    """course.toml as the students' zip carries it: what concerns this assignment, and nothing else."""
    settings = course()
    lines = ["# Your course, as your instructor set it. Programs here read it; nothing in it reaches the grader."]
    names = ("course", "term", "submission_name")
    lines += [f"{name} = {json.dumps(getattr(settings, name), ensure_ascii=False)}" for name in names]
    for name in ("due", "closes"):
        if moment := getattr(settings, name).get(slug):
            lines += ["", f"[{name}]", f"{slug} = {moment.isoformat()}"]
    for name, place in settings.data.items():
        lines += ["", f"[data.{name}]", f"home = {json.dumps(place.home)}", f"sha256 = {json.dumps(place.sha256)}"]
    return ("\n".join(lines) + "\n").encode()
