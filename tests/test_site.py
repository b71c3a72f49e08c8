"""The website: what it is made of, what it refuses to show, what its checks see. (test_notebooks runs the labs.)"""

import html
import zipfile
from pathlib import Path

import nbformat
import pytest

from autograder.course import ROOT, CourseError, course_secret, load_assignment, slugs
from autograder.publish import labs, site, site_checks
from autograder.publish.notebooks import notebook_text, sources
from autograder.publish.student_zip import telling
from autograder.regions import regions


def stale(source: Path):
    """A lab without its outputs: what the site makes of it, without half a minute of training."""
    return labs.dressed(nbformat.reads(notebook_text(source), as_version=4), load_assignment(source.parent.name))


def build(folder: Path, staff: bool) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(site, "lab", stale)
        patch.setattr(site, "DIST", folder)
        return site.make_site(staff)


@pytest.fixture(scope="module")
def students(tmp_path_factory):
    return build(tmp_path_factory.mktemp("repository"), staff=False)


@pytest.fixture(scope="module")
def staffs(tmp_path_factory):
    return build(tmp_path_factory.mktemp("repository"), staff=True)


def answer_of(slug: str, name: str) -> str:
    text = (ROOT / "solutions" / slug / name).read_text(encoding="utf-8")
    return next(line for line in regions(text) if telling(line))


@pytest.mark.slow
def test_the_students_build_has_the_handouts_and_the_labs_and_nothing_for_the_staff(students):
    pages = {path.relative_to(students).as_posix() for path in students.rglob("*.html")}
    for slug in slugs():
        assert f"files/{slug}.html" in pages
        assert {f"assignment/{slug}/{p.stem}.html" for p in load_assignment(slug).given.glob("README*.md")} <= pages
        assert {f"notebooks/{slug}/{text.stem}.html" for text in sources(slug)} <= pages
    assert not pages & {page.replace(".md", ".html") for page in [*site.FOR_TAS, *site.instructors_pages()]}


@pytest.mark.slow
def test_the_staffs_build_has_the_rest(staffs):
    for page in [*site.FOR_STUDENTS, *site.FOR_TAS, *site.instructors_pages()]:
        assert (staffs / page.replace(".md", ".html")).is_file(), page
    assert 'href="docs/tas.html"' in (staffs / "index.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_link_to_what_a_build_leaves_out_is_plain_text(students):
    text = (students / "index.html").read_text(encoding="utf-8")
    assert "docs/tas" not in text and "The grader on Gradescope and on your machine" in text


@pytest.mark.slow
def test_a_page_in_persian_runs_from_right_to_left(students):
    text = (students / "assignment" / "ddim_score" / "README.fa.html").read_text(encoding="utf-8")
    assert '<div lang="fa" dir="rtl">' in text
    assert "&lt;div" not in text and text.count('id="rules"') == 1


@pytest.mark.slow
def test_formulas_come_with_the_site(students):
    text = (students / "notebooks" / "vae_ddpm_cfg" / "q1_vae.html").read_text(encoding="utf-8")
    assert 'class="math' in text and "_static/tex-svg.js" in text
    assert (students / "_static" / "tex-svg.js").stat().st_size > 1e6
    assert site_checks.foreign_resources(students) == []


@pytest.mark.slow
def test_a_lab_shows_the_stub_before_its_check(students):
    text = (students / "notebooks" / "vae_ddpm_cfg" / "q1_vae.html").read_text(encoding="utf-8")
    shown = " ".join(site_checks.as_text("q1_vae.html", text.encode()).split())
    assert 'raise NotImplementedError("Q1.3: log_mean_exp")' in shown
    assert shown.index("def log_mean_exp") < shown.index("%check Q1.3")
    assert "badge" not in text


PLANTED = {
    "in a page, coloured as code": lambda line: (
        "docs/page.html",
        f"<pre><span>{html.escape(line).replace('(', '</span>(<span>')}</span></pre>",
    ),
    "in the search index": lambda line: ("searchindex.js", f'{{"x": 1}}\n{line}\n'),
    "in the source of a picture": lambda line: ("_images/x.svg", f"<svg>\n<!--\n{line}\n-->\n</svg>"),
    "within a sentence": lambda line: (
        "docs/page.html",
        f"<p>One writes <code>{html.escape(line.strip())}</code> there.</p>",
    ),
}


@pytest.mark.parametrize("where", PLANTED)
def test_a_planted_answer_is_seen(where, tmp_path):
    name, text = PLANTED[where](answer_of("vae_ddpm_cfg", "q1_vae.py"))
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("clean", encoding="utf-8")
    assert site_checks.leaks(tmp_path) == []
    (tmp_path / name).write_text(text, encoding="utf-8")
    leaks = site_checks.leaks(tmp_path)
    assert all(leak.startswith(f"{name}, line ") for leak in leaks)
    assert any("a line of solutions/vae_ddpm_cfg/q1_vae.py" in leak for leak in leaks)


def test_a_planted_secret_and_a_planted_archive_are_seen(tmp_path):
    (tmp_path / "page.html").write_text(f"<p>{course_secret().decode()}</p>")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.write(ROOT / "solutions" / "ddim_score" / "score.py", "score.py")
    leaks = site_checks.leaks(tmp_path)
    assert "page.html: the course secret" in leaks
    assert any(leak.startswith("all.zip/score.py, line ") for leak in leaks)


@pytest.mark.slow
def test_a_leak_stops_the_site_and_leaves_the_last_one(tmp_path, monkeypatch):
    line = answer_of("theory", "answers.py")

    def leaky(source):
        notebook = stale(source)
        notebook.cells[-1:] = [nbformat.v4.new_markdown_cell(f"```python\n{line}\n```")]
        return notebook

    monkeypatch.setattr(site, "lab", leaky)
    monkeypatch.setattr(site, "DIST", tmp_path)
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("the last one")
    with pytest.raises(CourseError, match=r"q1_vae.html.*: a line of solutions/theory/answers.py"):
        site.make_site()
    assert (tmp_path / "site" / "index.html").read_text() == "the last one"


def test_broken_links_and_foreign_resources_are_seen(tmp_path):
    (tmp_path / "a.html").write_text(
        '<a href="b.html#here">fine</a> <a href="b.html#there">no</a> <a href="c.html">no</a>'
        '<img src="https://example.org/x.png"> <script src="b.js"></script>'
    )
    (tmp_path / "b.html").write_text('<h1 id="here">B</h1> <a href="https://example.org">fine</a>')
    assert site_checks.broken_links(tmp_path) == [
        "a.html: b.html#there: there is no such anchor",
        "a.html: c.html leads nowhere",
        "a.html: b.js leads nowhere",
    ]
    assert site_checks.foreign_resources(tmp_path) == ["a.html loads https://example.org/x.png"]


def test_a_place_on_this_machine_is_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(site_checks.tempfile, "gettempdir", lambda: "/elsewhere")  # where this clone may lie
    (tmp_path / "a.html").write_text(f"<pre>{ROOT}/training/device.py:1: a warning</pre>")
    assert site_checks.own_paths(tmp_path) == [f"a.html names {ROOT}, a place on this machine"]


# Labs.


def test_warnings_and_progress_bars_are_not_shown():
    title = nbformat.v4.new_markdown_cell("# A lab")
    said = [nbformat.v4.new_output("stream", name=name, text=name) for name in ("stdout", "stderr")]
    notebook = nbformat.v4.new_notebook(cells=[title, nbformat.v4.new_code_cell("train()", outputs=said)])
    (cell,) = labs.dressed(notebook, load_assignment("theory")).cells[1:]
    assert [output.text for output in cell.outputs] == ["stdout"]


def test_outputs_say_nothing_of_this_machine(tmp_path):
    output = nbformat.v4.new_output("stream", text=f"your files: {tmp_path}/theory\n 1/2\r 2/2\ndone\n")
    labs.tidy_output(output, str(tmp_path))
    assert output.text == "your files: theory\n 2/2\ndone\n"


def test_a_lab_is_run_again_when_what_it_imports_has_changed(tmp_path, monkeypatch):
    source = sources("vae_ddpm_cfg")[0]
    runs = []

    def run(notebook, assignment, name):
        runs.append(name)
        return notebook

    monkeypatch.setattr(labs, "CACHE", tmp_path)
    monkeypatch.setattr(labs, "run", run)
    labs.lab(source)
    labs.lab(source)
    assert runs == ["q1_vae"]
    before = labs.student_files

    def changed(assignment):
        yield from before(assignment)
        yield "training/more.py", b"# given code has changed"

    monkeypatch.setattr(labs, "student_files", changed)
    labs.lab(source)
    assert runs == ["q1_vae", "q1_vae"]
    assert len(list(tmp_path.glob("*.ipynb"))) == 1, "the old run is gone"
