"""notebooks/<slug>/<name>.md -> <name>.ipynb: labs that people review as text and students open as notebooks.

A source is jupytext's Markdown: prose, and fenced Python for the cells. What all notebooks share is added here: below
the title the Colab badge and the course's line; the first cell, notebooks/setup.py, which says SMOKE and finds or
fetches the assignment's folder; and a cell to write into after each paragraph that asks for something:

    **For the report (Q1.6):** ...        **Predict.** ...

The built notebooks are committed, without outputs; CI fails when one has drifted.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from autograder.course import ROOT, CourseError, course, load_assignment
from autograder.publish.handout import course_lines

NOTEBOOKS = ROOT / "notebooks"
SETUP = NOTEBOOKS / "setup.py"
COLAB = "https://colab.research.google.com"
ASKS = re.compile(r"\*\*(?:For the report \((?P<exercise>[^)]*)\):|(?P<prediction>Predict\.))\*\*")
GITHUB = re.compile(
    r"((https?://|ssh://git@)?(www\.)?github\.com/|git@github\.com:)?(?P<path>[\w.-]+/[\w.-]+?)(\.git)?/?"
)


def sources(slug: str) -> list[Path]:
    """The notebooks' texts of an assignment, in their order."""
    return sorted((NOTEBOOKS / slug).glob("*.md"))


def notebook_text(source: Path) -> str:
    """The notebook of one source, as the text of its .ipynb file.

    Raises:
        CourseError: if the source does not begin with its title.
    """
    import jupytext
    import nbformat

    slug = source.parent.name
    notebook = jupytext.reads(source.read_text(encoding="utf-8"), fmt="md")
    title = notebook.cells[0]
    if title.cell_type != "markdown" or not title.source.startswith("# "):
        raise CourseError(f"{source.relative_to(ROOT)}, line 1: a notebook begins with its title, `# Title`.")
    heading, _, rest = title.source.partition("\n")
    introduction, found, sections = rest.partition("\n## ")
    top = [heading, badge(slug, source.stem), course_lines(slug)[0], introduction.strip()]
    title.source = "\n\n".join(part for part in top if part)
    first = nbformat.v4.new_code_cell(setup(slug))
    rest = [nbformat.v4.new_markdown_cell(f"## {sections}")] if found else []
    rest = [part for cell in rest + notebook.cells[1:] for part in with_answers(cell)]
    notebook.cells[1:] = [first, *rest]
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"  # ids of their own, but the same at every build
        cell.metadata = {}
    first.metadata = {"cellView": "form"}  # on Colab a title and a checkbox, without the code
    notebook.metadata = {
        "accelerator": "GPU",  # Colab offers one at once
        "colab": {"gpuType": "T4", "provenance": []},
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    nbformat.validate(notebook)
    return nbformat.writes(notebook) + "\n"


def with_answers(cell) -> Iterator:
    """A cell of prose, with a cell to write into after each paragraph that asks for an answer or a prediction."""
    import nbformat

    if cell.cell_type != "markdown":
        yield cell
        return
    paragraphs: list[str] = []
    for paragraph in cell.source.split("\n\n"):
        paragraphs.append(paragraph)
        if asks := ASKS.match(paragraph):
            yield nbformat.v4.new_markdown_cell("\n\n".join(paragraphs))
            what = "prediction" if asks["prediction"] else f"answer to {asks['exercise']}"
            yield nbformat.v4.new_markdown_cell(f"*Your {what} (double-click here; it goes to nobody by itself):*")
            paragraphs = []
    if paragraphs:
        yield nbformat.v4.new_markdown_cell("\n\n".join(paragraphs))


def badge(slug: str, name: str) -> str:
    """The badge that opens a notebook of the students' repository on Colab; "" where that is not on GitHub."""
    settings = course()
    if not (found := GITHUB.fullmatch(settings.repository)):
        return ""
    link = f"{COLAB}/github/{found['path']}/blob/{settings.branch}/{slug}/notebooks/{name}.ipynb"
    return f"[![Open in Colab]({COLAB}/assets/colab-badge.svg)]({link})"


def clone_address(repository: str) -> str:
    """The students' repository as `git clone` takes it without a key: https wherever it is on GitHub."""
    found = GITHUB.fullmatch(repository.strip())
    return f"https://github.com/{found['path']}" if found else repository.strip().rstrip("/")


def setup(slug: str) -> str:
    """The cell that sets up, for this assignment and this course."""
    settings = course()
    values = {
        "@SLUG@": slug,
        "@FILE@": load_assignment(slug).files[0],
        "@REPOSITORY@": (address := clone_address(settings.repository)),
        "@BRANCH@": settings.branch,
        "@NAME@": re.split(r"[/:]", address)[-1].removesuffix(".git"),
    }
    text = SETUP.read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(name, value)
    return text.strip()


def write_notebooks(slug: str, check: bool = False) -> list[str]:
    """Build an assignment's notebooks; return those that differed, and with `check` leave them as they are."""
    drifted = []
    for source in sources(slug):
        target, text = source.with_suffix(".ipynb"), notebook_text(source)
        if not target.is_file() or target.read_text(encoding="utf-8") != text:
            drifted.append(str(target.relative_to(ROOT)))
            if not check:
                target.write_text(text, encoding="utf-8")
    without_source = [p for p in (NOTEBOOKS / slug).glob("*.ipynb") if not p.with_suffix(".md").is_file()]
    return drifted + [str(path.relative_to(ROOT)) for path in without_source]
