"""What the built site is checked for: links, resources from elsewhere, and answers that would be seen."""

import html
import re
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from autograder.course import ROOT, load_assignment, slugs
from autograder.publish.student_zip import find_leaks


class Page(HTMLParser):
    """The links, anchors and resources of a page."""

    def __init__(self, text: str):
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.resources: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list) -> None:
        found = dict(attributes)
        self.anchors |= {found[name] for name in ("id", "name") if found.get(name)}
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        elif tag == "link" and found.get("rel") in ("stylesheet", "preload", "icon"):
            self.resources.append(found["href"])
        elif found.get("src"):
            self.resources.append(found["src"])


def broken_links(site: Path) -> list[str]:
    """Every link of the site's pages to a page, an anchor or a file that is not there."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    broken = []
    for path, page in pages.items():
        for link in [*page.links, *page.resources]:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            found = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not found.is_file():
                broken.append(f"{path.relative_to(site)}: {link} leads nowhere")
            elif parts.fragment and found in pages and unquote(parts.fragment) not in pages[found].anchors:
                broken.append(f"{path.relative_to(site)}: {link}: there is no such anchor")
    return broken


def foreign_resources(site: Path) -> list[str]:
    """What a page would load from elsewhere: without a network it would be missing."""
    return [
        f"{path.relative_to(site)} loads {resource}"
        for path in sorted(site.rglob("*.html"))
        for resource in Page(path.read_text(encoding="utf-8")).resources
        if urlsplit(resource).scheme not in ("", "data")
    ]


def own_paths(site: Path) -> list[str]:
    """Files that say where on this machine the site was made."""
    places = {str(ROOT), sys.prefix, tempfile.gettempdir()}
    return [
        f"{name} names {place}, a place on this machine"
        for name, text in texts(site)
        for place in sorted(places)
        if name.endswith(".html") and f"{place}/" in text
    ]


def leaks(site: Path) -> list[str]:
    """What the release's check finds in the texts of all files of the site, for every assignment."""
    files = {name: text.encode() for name, text in texts(site)}
    return sorted({leak for slug in slugs() for leak in find_leaks(load_assignment(slug), files)})


def texts(site: Path) -> Iterator[tuple[str, str]]:
    """(name, text) of every file of the site: of pages what a reader sees, of archives what is in them."""
    for path in sorted(site.rglob("*")):
        name = path.relative_to(site).as_posix()
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                yield from ((f"{name}/{entry}", as_text(entry, archive.read(entry))) for entry in archive.namelist())
        elif path.is_file():
            yield name, as_text(name, path.read_bytes())


def as_text(name: str, data: bytes) -> str:
    """A page without its markup; a paragraph, a table's cell, and code within a sentence are lines of their own."""
    text = data.decode("utf-8", errors="replace")
    if not name.endswith(".html"):
        return text
    return html.unescape(re.sub(r"<[^>]*>", "", re.sub(r"</?(code|p|li|td|th|h\d|pre|div)\b[^>]*>", "\n", text)))
