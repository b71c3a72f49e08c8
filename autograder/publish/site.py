"""dist/site/: the course's website as students see it; dist/site-staff/: also with the pages for TAs and instructors.

Sphinx builds it from the Markdown that people read on GitHub, at the same places, so that every link between pages
holds; a link to what a build leaves out becomes plain text. The students' build passes through the release's leak check
before it replaces the last one. Nothing is loaded from elsewhere: formulas, search and fonts work without a network.
"""

import io
import os
import re
import shutil
import tempfile
from importlib.metadata import files as files_of
from pathlib import Path
from typing import Any

from autograder.course import ROOT, Assignment, CourseError, course, load_assignment, slugs
from autograder.publish.handout import when
from autograder.publish.labs import lab
from autograder.publish.notebooks import sources
from autograder.publish.site_checks import broken_links, foreign_resources, leaks, own_paths

DIST = ROOT / "dist"
TEXTS = ROOT / "docs" / "site"
LANGUAGES = {"fa": ("rtl", "فارسی"), "fr": ("ltr", "français")}
FOR_STUDENTS = ["assignment/GUIDE.md", "assignment/CHANGELOG.md", "docs/glossary.md"]
FOR_TAS = ["docs/tas.md", "docs/batch.md", "docs/troubleshooting.md"]
ANCHOR = re.compile(r"^(#+) <a id=\"([\w-]+)\"></a>[ ]*", re.MULTILINE)
DIRECTION = re.compile(r"\A<div dir=\"rtl\">\n(.*)\n</div>\s*\Z", re.DOTALL)
STYLE = {
    "navbar_persistent": [],  # the sidebar has the search
    "use_download_button": False,
    "show_toc_level": 2,
    "home_page_in_toc": False,
    "pygments_light_style": "a11y-light",
    "pygments_dark_style": "a11y-dark",
}


def make_site(staff: bool = False) -> Path:
    """Build the site, check it, and put it into its folder under dist/.

    Raises:
        CourseError: if a lab does not run, a link leads nowhere, something comes from elsewhere, or an answer is seen.
    """
    target = DIST / ("site-staff" if staff else "site")
    with tempfile.TemporaryDirectory(prefix="site-") as temporary:
        source, built = Path(temporary, "source"), Path(temporary, "site")
        write_source(source, staff)
        run_sphinx(source, built, Path(temporary, "doctrees"))
        problems = [*broken_links(built), *foreign_resources(built)]
        if not staff:
            problems += [*own_paths(built), *leaks(built)]
        if problems:
            more = f"\n  and {len(problems) - 20} more" if len(problems) > 20 else ""
            raise CourseError(f"{target} stays as it was:\n  " + "\n  ".join(problems[:20]) + more)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(built, target)
    print(f"{os.path.relpath(target)}/index.html  {sum(1 for _ in target.rglob('*.html'))} pages")
    return target


# What goes in.


def write_source(folder: Path, staff: bool) -> None:
    """The pages of one build, as Sphinx reads them."""
    assignments = [load_assignment(slug) for slug in slugs()]
    pages = list(FOR_STUDENTS)
    for assignment in assignments:
        pages += [path.relative_to(ROOT).as_posix() for path in sorted(assignment.given.glob("README*.md"))]
    if staff:
        pages += FOR_TAS + instructors_pages()
    for page in pages:
        write_page(folder / page, adapted((ROOT / page).read_text(encoding="utf-8")))
    ours = [ROOT / "docs" / name for name in ("pictures", "measured")]  # the second once something was measured
    for pictures in [*filter(Path.is_dir, ours), *sorted((ROOT / "assignment").glob("*/figures"))]:
        shutil.copytree(pictures, folder / pictures.relative_to(ROOT))
    for assignment in assignments:
        import nbformat

        write_page(folder / "files" / f"{assignment.slug}.md", stubs_page(assignment))
        for text in sources(assignment.slug):
            write_page(folder / "notebooks" / assignment.slug / f"{text.stem}.ipynb", nbformat.writes(lab(text)))
    write_page(folder / "index.md", front_page(assignments, staff))
    write_page(folder / "_static" / "site.css", (TEXTS / "site.css").read_text(encoding="utf-8"))
    (mathjax,) = (file for file in files_of("sphinx-mathjax-offline") or () if file.name == "tex-svg.js")
    shutil.copyfile(mathjax.locate(), folder / "_static" / "tex-svg.js")


def write_page(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def instructors_pages() -> list[str]:
    """What else there is in docs/, and beside README.md."""
    beside = [ROOT / f"{name}.md" for name in ("CONTRIBUTING", "SECURITY", "CHANGELOG")]
    names = [path.relative_to(ROOT).as_posix() for path in [*sorted((ROOT / "docs").glob("*.md")), *beside]]
    return [name for name in names if name not in FOR_STUDENTS + FOR_TAS]


def adapted(text: str) -> str:
    """GitHub's Markdown as MyST reads it: the direction is the page's, and a heading's own anchor is a target."""
    return ANCHOR.sub(r"(\2)=\n\1 ", DIRECTION.sub(r"\1", text))


def stubs_page(assignment: Assignment) -> str:
    """The files that a student completes, as they are handed out."""
    parts = ["# Your files", f"What you complete in {assignment.slug}, as you receive it."]
    for name in assignment.files:
        parts += [f"## {name}", f"`````python\n{(assignment.given / name).read_text(encoding='utf-8')}`````"]
    return "\n\n".join(parts) + "\n"


def front_page(assignments: list[Assignment], staff: bool) -> str:
    """docs/site/index.md with the README's table of assignments, the course's dates, and the tables of contents."""
    settings = course()
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = re.search(r"<!-- assignments -->\n(.*?)\n<!-- end -->", readme, re.DOTALL)
    if not table:
        raise CourseError("README.md: the table of assignments stands between <!-- assignments --> and <!-- end -->.")
    dates = settings.due
    due = [f"- {a.title}: **{when(dates[a.slug])}**" for a in assignments if a.slug in dates]
    values = {
        "COURSE": settings.course,
        "TERM": settings.term,
        "TABLE": table[1],
        "DUE": "\n".join(["**Due**", "", *due]) if due else "",
        "CONTENTS": "\n\n".join(contents_of(a) for a in assignments),
    }
    if staff:
        groups = {"For TAs": FOR_TAS, "For instructors": instructors_pages()}
        trees = [toctree(title, [page.removesuffix(".md") for page in pages]) for title, pages in groups.items()]
        values["STAFF"] = "\n\n".join(trees)
    text = (TEXTS / "index.md").read_text(encoding="utf-8")
    return re.sub(r"@([A-Z]+)@", lambda match: values.get(match[1], ""), text)


def contents_of(assignment: Assignment) -> str:
    entries = []
    for page in sorted(assignment.given.glob("README*.md"), key=lambda path: len(path.name)):
        language = page.name.split(".")[1]
        title = "Handout" if language == "md" else LANGUAGES[language][1]
        entries.append(f"{title} <assignment/{assignment.slug}/{page.stem}>")
    entries += [f"notebooks/{assignment.slug}/{text.stem}" for text in sources(assignment.slug)]
    return toctree(assignment.title, [*entries, f"files/{assignment.slug}"])


def toctree(caption: str, entries: list[str]) -> str:
    return "\n".join(["```{toctree}", f":caption: {caption}", ":maxdepth: 1", ":hidden:", "", *entries, "```"])


# Sphinx.


def run_sphinx(source: Path, target: Path, doctrees: Path) -> None:
    """Build the pages; every warning is an error, because each one is a page that looks wrong.

    Raises:
        CourseError: with Sphinx's warnings.
    """
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    settings = course()
    configuration = {
        "project": f"{settings.course}, {settings.term}",
        "html_title": f"{settings.course}<br>{settings.term}",
        "html_short_title": settings.course,
        "extensions": ["myst_nb", "sphinx.ext.mathjax", "sphinx_copybutton"],
        "exclude_patterns": ["_static"],
        "html_theme": "sphinx_book_theme",
        "html_theme_options": STYLE,
        "html_static_path": [str(source / "_static")],
        "html_css_files": ["site.css"],
        "html_context": {"default_mode": "auto"},  # light or dark, as the reader's system is
        "html_favicon": str(TEXTS / "icon.svg"),
        "html_copy_source": False,
        "html_show_sphinx": False,
        "mathjax_path": "tex-svg.js",
        "myst_enable_extensions": ["amsmath", "attrs_inline", "dollarmath", "html_image"],
        "myst_fence_as_directive": ["math"],
        "myst_heading_anchors": 4,
        "nb_execution_mode": "off",
        "nb_ipywidgets_js": {},  # would come from elsewhere
        "nb_merge_streams": True,
        "suppress_warnings": ["misc.highlighting_failure"],  # a command with a placeholder
        "copybutton_exclude": ".linenos, .gp, .go",
    }
    warnings = io.StringIO()
    settled: dict[str, Any] = {"confoverrides": configuration, "status": None, "warning": warnings, "keep_going": True}
    with patch_docutils(), docutils_namespace():
        app = Sphinx(source, None, target, doctrees, "html", **settled)
        app.add_post_transform(unlink_transform())
        app.connect("html-page-context", set_language)
        app.build()
    for template in (target / "_static").rglob("*.html"):  # of the theme: no pages
        template.unlink()
    if said := re.sub(r"\x1b\[[0-9;]*m", "", warnings.getvalue()).strip():
        raise CourseError("the pages are not as they should be:\n" + said.replace(f"{source}/", ""))


def unlink_transform() -> type:
    """A step of Sphinx: a link to a file of the repository that this build leaves out becomes its text."""
    from sphinx.addnodes import pending_xref
    from sphinx.transforms.post_transforms import SphinxPostTransform

    class Unlink(SphinxPostTransform):
        default_priority = 5  # before MyST looks for the page, and misses it

        def run(self, **_) -> None:
            folder = (ROOT / self.env.docname).parent
            for node in list(self.document.findall(pending_xref)):
                if node["reftype"] == "myst" and node.get("refdomain") != "doc":
                    name = node["reftarget"].partition("#")[0]
                    if name and (folder / name).exists():
                        node.replace_self(node[0].deepcopy())

    return Unlink


def set_language(app, page: str, template: str, context: dict, doctree) -> None:
    """A translated handout: its language, and its direction of writing."""
    language = page.rpartition(".")[2]
    if language in LANGUAGES and context.get("body"):
        context["body"] = f'<div lang="{language}" dir="{LANGUAGES[language][0]}">{context["body"]}</div>'
