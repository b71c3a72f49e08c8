"""Make the pictures of docs/pictures.md and the handouts' figures, by the commands that they show: make pictures.

    python docs/pictures.py grade.svg feedback.png               terminals and pages, by their names
    python docs/pictures.py vae_ddpm_cfg/vae --data-root DATA    a model's figures and curves: figures.py
    python docs/pictures.py diagrams                             what each model is, drawn: diagrams.py
    python docs/pictures.py --data-root DATA                     all of them, three hours on one core

Terminals become SVG, pages PNG (this needs Chromium). What the commands write lies in runs/pictures.
"""

import argparse
import io
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from html import escape
from pathlib import Path

import figures
from figures import ROOT, PictureError, run, save_png

OUT, RUNS = ROOT / "docs" / "pictures", ROOT / "runs" / "pictures"
LIMIT = 300_000  # bytes of one picture
SLUG = "vae_ddpm_cfg"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


# ---------------------------------------------------------------- terminals


def autograder_table() -> None:
    table = run(["-m", "autograder", "stubs", "--check"]) + run(["-m", "autograder", "build"])
    save_terminal("autograder.svg", "make autograder", table)


def check_table() -> None:
    from autograder.course import load_assignment

    folder = fresh("check")
    shutil.copytree(
        ROOT / "assignment" / SLUG, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
    )
    done = half_done(
        load_assignment(SLUG), {"log_mean_exp_overflows", "forward_std_for_variance"}, {"Q2.5", "Q2.6", "Q2.7"}
    )
    for name, source in done.items():
        (folder / name).write_text(source, encoding="utf-8")
    table = run([ROOT / "assignment" / "check.py", "Q1", "Q2"], cwd=folder, status=1)
    save_terminal("check.svg", "python check.py Q1 Q2", table)


def grade_table() -> None:
    save_terminal("grade.svg", f"python -m autograder grade {SLUG} submission --id 123456", graded()[0])


def graded() -> tuple[str, dict]:
    """The table and the results of one submission with two misconceptions in it."""
    from autograder.course import load_assignment

    folder, results = fresh("submission"), RUNS / "results.json"
    done = half_done(load_assignment(SLUG), {"kl_swapped", "reverse_alpha_without_root"})
    for name, source in done.items():
        (folder / name).write_text(source, encoding="utf-8")
    table = run(["-m", "autograder", "grade", SLUG, folder, "--id", "123456", "--output", results])
    return table, json.loads(results.read_text(encoding="utf-8"))


def half_done(assignment, wrong: set[str], todo: set[str] = frozenset()) -> dict[str, str]:
    """The reference's files: with these misconceptions in them, and without the answers to these exercises."""
    from autograder.grading.variants import misconceptions

    region = re.compile(r"^( *)# BEGIN SOLUTION (\S+):.*?# END SOLUTION\n", re.MULTILINE | re.DOTALL)
    unfinished = lambda found: f'{found[1]}raise NotImplementedError("{found[2]}")\n' if found[2] in todo else found[0]  # noqa: E731
    sources = {}
    for module in assignment.modules:
        source = (assignment.solutions / f"{module}.py").read_text(encoding="utf-8")
        for variant in misconceptions(assignment, module):
            if variant.name in wrong:
                source, wrong = variant.applied_to(source), wrong - {variant.name}
        sources[f"{module}.py"] = region.sub(unfinished, source)
    if wrong:
        raise PictureError(f"{assignment.slug} has no misconception {', '.join(sorted(wrong))}: name others here.")
    return sources


TERMINAL = """<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font: {char_height}px "DejaVu Sans Mono", Menlo, Consolas, monospace; white-space: pre }}
.{unique_id}-title {{ font: 16px system-ui, "DejaVu Sans", sans-serif }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def save_terminal(name: str, command: str, output: str) -> None:
    """A command and what it printed, as SVG: no font and nothing else is loaded from anywhere."""
    from rich.console import Console
    from rich.text import Text

    text = Text.from_ansi(f"$ {command}\n{output.rstrip()}")
    text.stylize("bold", 0, len(command) + 2)
    width = min(132, max(map(len, text.plain.splitlines())) + 1)
    console = Console(record=True, file=io.StringIO(), width=width, highlight=False)
    console.print(text)
    svg = console.export_svg(title="", code_format=TERMINAL, unique_id="terminal")
    (OUT / name).write_text(svg, encoding="utf-8")


# ---------------------------------------------------------------- pages


def feedback_page() -> None:
    """A page like Gradescope's: the score, failed tests first. Not all passed tests fit on it."""
    results = graded()[1]
    failed = [test for test in results["tests"] if test["status"] != "passed"]
    passed = [test for test in results["tests"] if test["status"] == "passed"]
    row = '<div class="test {status}"><b>{name}</b><span>{score:.4g} / {max_score:.4g}</span><p>{output}</p></div>'
    safe = lambda test: {key: escape(value) if isinstance(value, str) else value for key, value in test.items()}  # noqa: E731
    rows = [row.format(**safe(test)) for test in failed + passed[:5]]
    page = f"""<!doctype html><meta charset="utf-8"><style>
body {{ font: 15px/1.45 system-ui, "DejaVu Sans", sans-serif; margin: 0; background: #fff; color: #222; display: flex }}
main {{ flex: 1; padding: 24px 28px }} aside {{ width: 230px; padding: 24px; border-left: 1px solid #ddd }}
h1 {{ font-size: 20px; margin: 0 0 16px }} h2 {{ font-size: 12px; color: #666; margin: 18px 0 4px }}
.test {{ display: grid; grid-template-columns: 1fr auto; gap: 4px 20px; padding: 9px 14px; margin: 8px 0 }}
.test p {{ grid-column: 1 / 3; margin: 0 }} .passed p, .more {{ color: #666 }}
.failed {{ background: #fdf1f0; border-left: 5px solid #c0392b }}
.passed {{ background: #eff8f1; border-left: 5px solid #2e8b57 }}
.big {{ font-size: 26px }} li {{ margin: 2px 0 }} ul {{ padding-left: 18px; margin: 0 }}
</style><main><h1>Autograder results</h1>{"".join(rows)}
<p class="more">and {len(passed) - 5} more passed tests</p></main>
<aside><h2>AUTOGRADER SCORE</h2><div class="big">{results["score"]:.4g} / {results["extra_data"]["max_score"]:g}</div>
<h2>FAILED TESTS</h2><ul>{"".join(f"<li>{test['number']}</li>" for test in failed)}</ul>
<h2>PASSED TESTS</h2>{len(passed)}</aside>"""
    (RUNS / "feedback.html").write_text(page, encoding="utf-8")
    screenshot(RUNS / "feedback.html", "feedback.png", width=1100)


def class_report() -> None:
    """A made-up class of 40: some have finished, some not, most have misconceptions."""
    from autograder.course import load_assignment
    from autograder.grading.variants import misconceptions

    assignment, chance = load_assignment(SLUG), random.Random(1)
    names = [variant.name for module in assignment.modules for variant in misconceptions(assignment, module)]
    chance.shuffle(names)  # the first ones are this class's favourites
    folder, output = fresh("class"), fresh("graded")
    for number in range(40):
        skill = chance.random()
        wrong = {names[int(chance.paretovariate(0.5) - 1) % len(names)] for _ in range(round(7 * (1 - skill)))}
        todo = list(assignment.exercises)[round(24 * min(1, 0.4 + skill)) :]
        (folder / f"student_{number:02}").mkdir()
        for name, source in half_done(assignment, wrong, set(todo)).items():
            (folder / f"student_{number:02}" / name).write_text(source, encoding="utf-8")
    run(["-m", "autograder", "batch", SLUG, folder, "--output", output])
    screenshot(output / "report.html", "class_report.png", width=1100, height=2226)


def tour() -> None:
    """Four steps on one picture: a stub, and what is cut out of three other pictures: a check, a grade, a class."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    from autograder.publish.labs import definition_text

    stub = definition_text((ROOT / "assignment" / SLUG / "q1_vae.py").read_text(encoding="utf-8"), "log_mean_exp")
    panels = {
        "1. A student gets a stub ...": highlight(stub, PythonLexer(), HtmlFormatter(nowrap=False)),
        "2. ... checks the work as it goes on": f'<img style="width: 122%" src="{(OUT / "check.svg").as_uri()}">',
        "3. Hidden tests grade it, and say the likely cause": f'<img src="{(OUT / "feedback.png").as_uri()}">',
        "4. The TA sees the whole class": f'<img src="{(OUT / "class_report.png").as_uri()}">',
    }
    boxes = "".join(f"<section><h2>{title}</h2><div>{content}</div></section>" for title, content in panels.items())
    colours = HtmlFormatter(style="friendly").get_style_defs(".highlight")
    page = f"""<!doctype html><meta charset="utf-8"><style>{colours}
body {{ margin: 0; padding: 12px; display: grid; grid-template-columns: 1fr 1fr; gap: 14px; background: #fff;
  font: 15px system-ui, "DejaVu Sans", sans-serif; color: #222 }}
section {{ border: 1px solid #cfd6dd; border-radius: 8px; overflow: hidden }}
h2 {{ font-size: 17px; margin: 0; padding: 8px 14px; background: #eef3f8 }}
div {{ height: 300px; overflow: hidden }} img {{ width: 100% }}
.highlight {{ background: none }} pre {{ font-size: 11.5px; margin: 12px 14px; white-space: pre-wrap }}
</style>{boxes}"""
    (RUNS / "tour.html").write_text(page, encoding="utf-8")
    screenshot(RUNS / "tour.html", "tour.png", width=1300)


def screenshot(page: Path, name: str, width: int, height: int = 4000) -> None:
    """A page as Chromium shows it, without the empty space below."""
    from PIL import Image, ImageChops

    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not browser:
        raise PictureError(f"no browser: install one of {', '.join(BROWSERS)} (apt install chromium)")
    shot = RUNS / name
    shot.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as profile:
        flags = "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking"
        flags += " --disable-component-update --disable-sync --hide-scrollbars"
        places = [f"--user-data-dir={profile}", f"--screenshot={shot}", f"--window-size={width},{height}"]
        done = subprocess.run([browser, *flags.split(), *places, page.as_uri()], capture_output=True, text=True)
    if done.returncode or not shot.exists():
        raise PictureError(f"{browser} made no picture: {done.stderr[-500:]}")
    with Image.open(shot) as image:
        image = image.convert("RGB")
        corner = Image.new("RGB", image.size, image.getpixel((0, image.height - 1)))
        lowest = ImageChops.difference(image, corner).getbbox()[3]
        image.crop((0, 0, width, min(image.height, lowest + 24))).save(shot)
    save_png(OUT / name, shot)


# ---------------------------------------------------------------- helpers


def fresh(name: str) -> Path:
    """An empty folder of that name."""
    shutil.rmtree(RUNS / name, ignore_errors=True)
    (RUNS / name).mkdir(parents=True)
    return RUNS / name


PICTURES: dict[str, Callable[[], None]] = {
    "autograder.svg": autograder_table,
    "check.svg": check_table,
    "grade.svg": grade_table,
    "feedback.png": feedback_page,
    "class_report.png": class_report,
    "tour.png": tour,  # after those that it shows
}


def make_picture(name: str) -> str:
    """One picture of ours; how large it is."""
    PICTURES[name]()
    return size_of(OUT / name)


def size_of(path: Path) -> str:
    """Raises PictureError where it is too big for a repository."""
    if path.stat().st_size > LIMIT:
        raise PictureError(f"{path.name} has {path.stat().st_size / 1000:.0f} KB, more than {LIMIT / 1000:.0f}")
    return f"{path.stat().st_size / 1000:.0f} KB"


def make_figures(name: str, data_root: str) -> str:
    return ", ".join(f"{path.name} {size_of(path)}" for path in figures.make(name, data_root))


def make_diagrams() -> str:
    import diagrams

    diagrams.main()
    return "assignment/*/figures/*.svg"


def main() -> int:
    known: dict[str, Callable[[str], str]] = {name: lambda _, name=name: make_picture(name) for name in PICTURES}
    known |= {name: lambda root, name=name: make_figures(name, root) for name in figures.RUNS_OF}
    known["diagrams"] = lambda _: make_diagrams()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="PICTURE", help=f"default: all. {' '.join(known)}")
    parser.add_argument("--data-root", default="data", help="folder of MNIST and binarized MNIST")
    arguments = parser.parse_args()
    names = arguments.names or list(known)
    if unknown := set(names) - set(known):
        parser.error(f"there is no picture {', '.join(sorted(unknown))}; there are: {' '.join(known)}")
    OUT.mkdir(exist_ok=True)
    RUNS.mkdir(parents=True, exist_ok=True)
    problems = 0
    for name in filter(names.__contains__, known):
        started = time.monotonic()
        try:
            said = known[name](arguments.data_root)
        except (PictureError, ImportError) as error:
            hint = ": pip install -r requirements.lock" if isinstance(error, ImportError) else ""
            problems, said = problems + 1, f"NOT MADE: {error}{hint}"
        print(f"{name}: {time.monotonic() - started:.0f} s, {said}", flush=True)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
