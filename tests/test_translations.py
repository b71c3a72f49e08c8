"""Handouts in other languages, assignment/<slug>/README.<lang>.md: they ask for what README.md asks for."""

import re
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

TRANSLATIONS = sorted((Path(__file__).parents[1] / "assignment").glob("*/README.*.md"))

# Q1.1, Q2.4a, Q3a1, T2.3; in a text with their points: **Q1.1 (2)**, **4.1 (6)**, **Q2.7 (4, report)**
EXERCISE = re.compile(r"\b[QT][0-9]+(?:\.[0-9]+)?(?:[a-z][0-9]?)?(?![\w.]*\w)")
WITH_POINTS = re.compile(r"\*\*([A-Z]?[0-9][\w.]*) \(([0-9.]+)(?:[,،] [^)]*)?\)\*\*")
# A table's cell of numbers: 2, 0.25, 28 + 6, "4, 7, 5", 0 (checked)
NUMBERS = re.compile(r"[0-9.]+(?:(?: \+|,) [0-9.]+)*(?: \([^)]*\))?")
CODE = re.compile(r"`[^`]*`")
TAG = re.compile(r"<[^>]*>")


def split(text: str) -> tuple[list[str], list[str]]:
    """The lines of prose, and those of code: fenced, or indented by four spaces or more after an empty line."""
    prose, code = [], []
    fence, indented, after_empty = "", False, True
    for line in text.splitlines():
        mark = re.match(r"\s*(```|~~~)", line)
        indented = not fence and line.startswith("    ") and (indented or after_empty)
        if mark and fence in ("", mark[1]):
            fence = "" if fence else mark[1]
        elif fence or indented:
            code.append(line)
        else:
            prose.append(line)
        after_empty = not line.strip()
    return prose, code


def commands(code: list[str]) -> list[str]:
    """What stands in the code blocks, without comments and without alignment."""
    bare = (" ".join(re.sub(r"(^|\s)#.*", "", line).split()) for line in code)
    return [line for line in bare if line]


def headings(prose: list[str]) -> list[tuple[int, str]]:
    found = (re.fullmatch(r"(#{1,6}) +(.*?)[ #]*", line) for line in prose)
    return [(len(match[1]), match[2]) for match in found if match]


def anchors(prose: list[str]) -> set[str]:
    """What a link can lead to: the anchors that are written out, <a id="...">, and those that GitHub gives to headings.

    In the latter, letters, marks, digits, _ and - stay, spaces turn into hyphens, and all else is dropped.
    """
    found = set(re.findall(r'<a (?:id|name)="([^"]+)"', "\n".join(prose)))
    seen: Counter[str] = Counter()
    for _, title in headings(prose):
        title = re.sub(r"\]\([^)]*\)", "", TAG.sub("", title)).lower()
        kept = (
            c for c in title if c in " -" or unicodedata.category(c) in ("Nd", "Nl", "Pc", "Mn", "Mc") or c.isalpha()
        )
        anchor = "".join(kept).replace(" ", "-")
        found.add(f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
        seen[anchor] += 1
    return found


def links(prose: list[str]) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", "\n".join(prose))


def tables(prose: list[str]) -> list[list[tuple]]:
    """For each row of each table, what every cell holds that no language changes: code, exercises, points."""
    rows = []
    for line in (line.strip() for line in prose):
        if line.startswith("|") and line.endswith("|"):
            cells = [TAG.sub("", cell) for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            plain = [CODE.sub("", cell).strip(" *") for cell in cells]
            points = [re.sub(r"\(.*", "", cell).split() if NUMBERS.fullmatch(cell) else [] for cell in plain]
            rows.append(
                [
                    (sorted(CODE.findall(c)), EXERCISE.findall(p), n)
                    for c, p, n in zip(cells, plain, points, strict=True)
                ]
            )
    return rows


def links_below_title(prose: list[str]) -> list[str]:
    """The links of the first line below the title; a line that is nothing but an HTML tag is no such line."""
    title = next(i for i, line in enumerate(prose) if line.startswith("# "))
    return links([next(line for line in prose[title + 1 :] if TAG.sub("", line).strip())])


def differences(english: str, translation: str, name: str) -> list[str]:
    """What is wrong with `translation`, the text of the file `name`, as a translation of `english`."""
    (prose, code), (other_prose, other_code) = split(english), split(translation)
    found = []

    def compare(what: str, wanted: list, given: list) -> None:
        if wanted != given:
            differing = [pair for pair in zip(wanted, given, strict=False) if pair[0] != pair[1]]
            first = differing[0] if differing else (wanted[len(given) :][:1], given[len(wanted) :][:1])
            found.append(f"{what}: README.md has {first[0]}, {name} has {first[1]}")

    def compare_unordered(what: str, wanted: list, given: list) -> None:
        if missing := Counter(wanted) - Counter(given):
            found.append(f"{what}: {name} lacks {sorted(missing)}")
        if added := Counter(given) - Counter(wanted):
            found.append(f"{what}: {name} has {sorted(added)}, README.md does not")

    compare_unordered("exercises", *(WITH_POINTS.findall("\n".join(lines)) for lines in (prose, other_prose)))
    compare("tables", tables(prose), tables(other_prose))
    compare("commands", commands(code), commands(other_code))
    names, other_names = (set(CODE.findall(" ".join(map(str.strip, lines)))) for lines in (prose, other_prose))
    known = {name for name in other_names if name.strip("`") in english}  # in a code block or a comment, perhaps
    compare_unordered("names in the code", list(names), list(names & other_names | other_names - known))
    levels = [[level for level, _ in headings(lines)] for lines in (prose, other_prose)]
    compare("levels of the headings", *levels)
    web = [[link for link in links(lines) if "://" in link] for lines in (prose, other_prose)]
    compare_unordered("external links", *web)
    for file, lines in (("README.md", prose), (name, other_prose)):
        broken = [link for link in links(lines) if link.startswith("#") and link[1:] not in anchors(lines)]
        found += [f"anchors: {file} has nothing at {link}" for link in broken]
    inside = [sum(link.startswith("#") for link in links(lines)) for lines in (prose, other_prose)]
    compare("number of internal links", *([count] for count in inside))
    if name not in links_below_title(prose):
        found.append(f"languages: the line below the title of README.md does not link to {name}")
    if "README.md" not in links_below_title(other_prose):
        found.append(f"languages: the line below the title of {name} does not link to README.md")
    return found


@pytest.mark.parametrize("path", TRANSLATIONS, ids=lambda path: f"{path.parent.name}-{path.suffixes[0][1:]}")
def test_a_translation_asks_for_the_same(path: Path):
    english = path.with_name("README.md").read_text(encoding="utf-8")
    found = differences(english, path.read_text(encoding="utf-8"), path.name)
    assert not found, "\n".join(found)


# ---------------------------------------------------------------- the comparison itself

ENGLISH = """# Title

[Français](README.fr.md)

See [the first question](#question-1-a-vae-5-points) and [a paper](https://arxiv.org/abs/1312.6114).

## Question 1: a VAE (5 points)

    python check.py            # every exercise

- **Q1.1 (3)** `kl`: the divergence of `encode(x)`, in [two](#question-1-a-vae-5-points) steps,

      KL(q || p) = 0

- **Q1.2 (2, report)** Show it.

| exercise | points | | exercise | points |
| --- | --- | --- | --- | --- |
| Q1.1 `kl` | 3 | | Q1.2, Q1.3 (report) | 2, 0 |
| **total** | **3** | | | **2 + 0** |
"""
FRENCH = """# Titre

[English](README.md)

Voyez [la première question](#question-1--un-vae-entraîné-dun-coup-5-points) et [un article](https://arxiv.org/abs/1312.6114).

## Question 1 : un VAE entraîné d'un coup (5 points)

```
python check.py   # chaque exercice
```

- **Q1.1 (3)** `kl` : la divergence de `encode(x)`, en [deux](#question-1--un-vae-entraîné-dun-coup-5-points) étapes,

      KL(q || p) = 0

- **Q1.2 (2, rapport)** Montrez-la.

| exercice | points | | exercice | points |
| --- | --- | --- | --- | --- |
| Q1.1 `kl` | 3 | | Q1.2, Q1.3 (rapport) | 2, 0 |
| **total** | **3** | | | **2 + 0** |
"""


def test_a_good_translation_has_no_differences():
    assert differences(ENGLISH, FRENCH, "README.fr.md") == []


@pytest.mark.parametrize(
    "right, wrong, what",
    [
        ("**Q1.1 (3)**", "**Q1.1 (2)**", "exercises"),
        ("- **Q1.2 (2, rapport)** Montrez-la.\n", "", "exercises"),
        ("**Q1.2 (2, rapport)**", "**Q1.3 (2, rapport)**", "exercises"),
        ("| Q1.1 `kl` | 3 |", "| Q1.1 `kl` | 2 |", "tables"),
        ("| Q1.1 `kl` | 3 |", "| Q1.1 `nll` | 3 |", "tables"),
        ("| Q1.2, Q1.3", "| Q1.2, Q1.4", "tables"),
        ("| 2, 0 |", "| 2, 1 |", "tables"),
        ("**2 + 0**", "**3 + 0**", "tables"),
        ("| **total** | **3** | | | **2 + 0** |\n", "", "tables"),
        ("python check.py ", "python verifier.py ", "commands"),
        ("   # chaque exercice", "   -- chaque exercice", "commands"),
        ("      KL(q || p) = 0\n", "", "commands"),
        ("`encode(x)`", "x", "names in the code"),
        ("**Q1.1 (3)** `kl`", "**Q1.1 (3)** `kI`", "names in the code"),
        ("## Question", "### Question", "levels"),
        ("- **Q1.1", "## De plus\n\n- **Q1.1", "levels"),
        ("abs/1312.6114", "abs/1312.6115", "external links"),
        ("## Question 1 : ", "## Question 1: ", "anchors"),
        ("(#question-1--un-vae-entraîné", "(#question-1--un-vae-entraine", "anchors"),
        ("en [deux](#question-1--un-vae-entraîné-dun-coup-5-points) étapes", "en deux étapes", "internal links"),
        ("[English](README.md)", "Bonjour !", "languages"),
    ],
)
def test_a_slip_is_found(right: str, wrong: str, what: str):
    assert right in FRENCH
    found = differences(ENGLISH, FRENCH.replace(right, wrong, 1), "README.fr.md")
    assert any(what in difference for difference in found), found


def test_the_english_handout_links_to_its_translation():
    found = differences(ENGLISH.replace("[Français](README.fr.md)\n", ""), FRENCH, "README.fr.md")
    assert any("does not link to README.fr.md" in difference for difference in found), found


def test_anchors_are_those_of_github():
    titles = ["Question 4: GANs (6 + 2)", "Forces, l'été : `a_b`", "شبکه\u200cهای عصبی ۱", "Points", "Points"]
    found = anchors([*(f"## {title}" for title in titles), '## <a id="rules"></a>قواعد', "Rules"])
    assert found == {
        "question-4-gans-6--2",
        "forces-lété--a_b",
        "شبکههای-عصبی-۱",
        "points",
        "points-1",
        "rules",
        "قواعد",
    }
