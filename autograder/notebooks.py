"""notebooks/<slug>/<name>.md -> <name>.ipynb: labs that people review as text and students open as notebooks.

A source is jupytext's Markdown: prose, and fenced Python for the cells. What all notebooks share is added here: the
Colab badge below the title; the first cells: the parameter SMOKE, and notebooks/setup.py, folded, which finds or
fetches the assignment's folder. The built notebooks are committed, without outputs; CI fails when one has drifted.
"""

from pathlib import Path

from autograder.course import ROOT, CourseError, course, load_assignment

NOTEBOOKS = ROOT / "notebooks"
SETUP = NOTEBOOKS / "setup.py"
COLAB = "https://colab.research.google.com"
PARAMETER = """\
import os

SMOKE = os.environ.get("SMOKE") == "1"  # True: tiny settings and offline data, only to see that everything runs"""


def sources(slug: str) -> list[Path]:
    """The notebooks' texts of an assignment, in their order."""
    return sorted((NOTEBOOKS / slug).glob("*.md"))


def build(source: Path) -> str:
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
    title.source = f"{heading}\n\n{badge(slug, source.stem)}\n{introduction.rstrip()}"
    first_cells = [nbformat.v4.new_code_cell(text) for text in (PARAMETER, setup(slug))]
    notebook.cells[1:1] = [*first_cells, *([nbformat.v4.new_markdown_cell(f"## {sections}")] if found else [])]
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"  # ids of their own, but the same at every build
        cell.metadata = {}
    first_cells[1].metadata = {"cellView": "form", "jupyter": {"source_hidden": True}}  # folded: Colab, JupyterLab
    notebook.metadata = {
        "accelerator": "GPU",  # Colab offers one at once
        "colab": {"gpuType": "T4", "provenance": []},
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    nbformat.validate(notebook)
    return nbformat.writes(notebook) + "\n"


def badge(slug: str, name: str) -> str:
    settings = course()
    path = settings["repository"].removeprefix("https://github.com/")
    link = f"{COLAB}/github/{path}/blob/{settings['branch']}/{slug}/notebooks/{name}.ipynb"
    return f"[![Open in Colab]({COLAB}/assets/colab-badge.svg)]({link})"


def setup(slug: str) -> str:
    """The cell that sets up, for this assignment and this course."""
    settings = course()
    values = {
        "@SLUG@": slug,
        "@FILE@": load_assignment(slug).files[0],
        "@REPOSITORY@": settings["repository"],
        "@BRANCH@": settings["branch"],
    }
    text = SETUP.read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(name, value)
    return text.strip()


def write_notebooks(slug: str, check: bool = False) -> list[str]:
    """Build an assignment's notebooks; return those that differed, and with `check` leave them as they are."""
    drifted = []
    for source in sources(slug):
        target, text = source.with_suffix(".ipynb"), build(source)
        if not target.is_file() or target.read_text(encoding="utf-8") != text:
            drifted.append(str(target.relative_to(ROOT)))
            if not check:
                target.write_text(text, encoding="utf-8")
    without_source = [p for p in (NOTEBOOKS / slug).glob("*.ipynb") if not p.with_suffix(".md").is_file()]
    return drifted + [str(path.relative_to(ROOT)) for path in without_source]
