"""Small broken projects in the style of real ones, each with a wrong and a right repair.

`wrong` is what a scripted model tries first; the check stays red after it. `right` heals.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Edit:
    """One edit of one file, as `edit_file` takes it."""

    path: str
    old: str
    new: str


@dataclass(frozen=True)
class BrokenProject:
    """A project's files by path, its check, and two repairs. `failing` is a name that the digest
    must tell after the wrong one."""

    name: str
    files: dict[str, str]
    check: str
    wrong: Edit
    right: Edit
    failing: str


DURATIONS = BrokenProject(
    name="durations",
    check="python -m pytest -q",
    failing="test_parse.py::test_a_bare_number_is_seconds",
    files={
        "README.md": "# durations\n\nReads `1h30m` as seconds.\n",
        "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["src"]\n',
        "src/durations/__init__.py": "from durations.parse import parse\n\n__all__ = ['parse']\n",
        "src/durations/parse.py": (
            "import re\n\n"
            "UNITS = {'s': 1, 'm': 60, 'h': 3600, 'd': 86400}\n\n\n"
            "def parse(text):\n"
            '    """Seconds of a duration like 1h30m; a bare number is seconds."""\n'
            "    total = 0\n"
            "    for number, unit in re.findall(r'(\\d+)([smhd])', text):\n"
            "        total += int(number) * UNITS[unit]\n"
            "    return total\n"
        ),
        "tests/test_parse.py": (
            "import pytest\n\nfrom durations import parse\n\n\n"
            "def test_units_add_up():\n    assert parse('1h30m') == 5400\n\n\n"
            "def test_a_bare_number_is_seconds():\n    assert parse('90') == 90\n\n\n"
            "def test_nonsense_is_refused():\n"
            "    with pytest.raises(ValueError):\n        parse('soon')\n"
        ),
    },
    wrong=Edit(
        "src/durations/parse.py",
        "    total = 0\n",
        "    if not re.search(r'\\d', text):\n        raise ValueError(text)\n    total = 0\n",
    ),
    right=Edit(
        "src/durations/parse.py",
        "    total = 0\n",
        "    if text.isdigit():\n        return int(text)\n    total = 0\n",
    ),
)

SLUGS = BrokenProject(
    name="slugs",
    check="node --test",
    failing="accents are folded",
    files={
        "package.json": '{\n  "name": "slugs",\n  "version": "1.0.0",\n  "type": "module"\n}\n',
        "src/slug.js": (
            "export function slug(title) {\n"
            "  return title.toLowerCase().replace(/[^a-z0-9]/g, '-');\n"
            "}\n"
        ),
        "test/slug.test.js": (
            "import test from 'node:test';\n"
            "import assert from 'node:assert/strict';\n"
            "import { slug } from '../src/slug.js';\n\n"
            "test('blanks become one dash', () => {\n"
            "  assert.equal(slug('Hello   World'), 'hello-world');\n"
            "});\n\n"
            "test('accents are folded', () => {\n"
            "  assert.equal(slug('Crème brûlée'), 'creme-brulee');\n"
            "});\n"
        ),
    },
    wrong=Edit("src/slug.js", "/[^a-z0-9]/g", "/[^a-z0-9]+/g"),
    right=Edit(
        "src/slug.js",
        "title.toLowerCase()",
        "title.normalize('NFD').replace(/[\\u0300-\\u036f]/g, '').toLowerCase()",
    ),
)

WORDCOUNT = BrokenProject(
    name="wordcount",
    check="make test",
    failing="empty",
    files={
        "Makefile": (
            ".PHONY: test\n"
            "test:\n"
            "\t@sh count.sh samples/two.txt | grep -qx 2 || { echo 'FAIL: two words'; exit 1; }\n"
            "\t@sh count.sh samples/empty.txt | grep -qx 0 || { echo 'FAIL: empty'; exit 1; }\n"
            "\t@echo ok\n"
        ),
        "count.sh": (
            "#!/bin/sh\n# Counts the words of a file.\ntr -s ' ' '\\n' < \"$1\" | wc -l\n"
        ),
        "samples/two.txt": "hello  world",
        "samples/empty.txt": "",
    },
    wrong=Edit("count.sh", "wc -l", "sed -n '$='"),
    right=Edit("count.sh", "tr -s ' ' '\\n' < \"$1\" | sed -n '$='", "wc -w < \"$1\" | tr -d ' '"),
)

PROJECTS = (DURATIONS, SLUGS, WORDCOUNT)
