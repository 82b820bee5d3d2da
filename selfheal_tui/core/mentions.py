"""What a text about a failure names: words, and files of the project. Pure and linear."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

MAX_TEXT = 64 * 1024
MAX_ALIKE = 30
"""Files of one name that are looked at; more say nothing about which one is meant."""

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{2,60}")
_TOKEN = re.compile(r"[\w./\\-]{2,300}")
_IMPORT = re.compile(
    rb"\b(?:import|from|require|include|use|mod|extends)\b([^\n]{0,300})"
    rb"|^[ \t]{0,20}(?:\w{1,40}[ \t]{1,4})?(\"[\w./-]{1,200}\")[ \t]*$",
    re.MULTILINE,
)
_TEST_MARK = re.compile(r"^(?:test_|tests_|Test(?=[A-Z]))|(?:_tests?|[._-](?:test|spec)|Tests?)$")

# fmt: off
_DULL = frozenset(
    {
        "the", "and", "for", "not", "with", "that", "this", "from", "was", "has", "have", "are",
        "but", "assert", "error", "failed", "expected", "test", "tests", "self", "none", "true",
        "false", "return", "def", "class", "function", "line", "file", "value", "import", "int",
        "str", "list", "dict", "object", "type", "name", "main", "python",
    }
)
# fmt: on


def words_of(text: str) -> frozenset[str]:
    """Words that may be names in code."""
    found = _WORD.findall(text[:MAX_TEXT])
    return frozenset(word for word in found if word.lower() not in _DULL)


def words_in(content: bytes) -> frozenset[str]:
    """The same of a file's content."""
    return frozenset(re.findall(r"[A-Za-z_][A-Za-z0-9_]{2,60}", content.decode("utf-8", "replace")))


class Names:
    """The files of a project by their names."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._ends: dict[str, list[str]] = defaultdict(list)
        self._stems: dict[str, list[str]] = defaultdict(list)
        self._folders: dict[str, list[str]] = defaultdict(list)
        for path in paths:
            folder, _, name = path.rpartition("/")
            self._ends[name].append(path)
            self._stems[stem_of(name)].append(path)
            self._folders[folder].append(path)

    def in_text(self, text: str) -> Counter[str]:
        """The files that `text` names by path, each with how surely it is meant; modules with
        dots (`tests.test_cart.CartTest`) among them."""
        found: Counter[str] = Counter()
        for token, times in Counter(_TOKEN.findall(text[:MAX_TEXT])).items():
            clean = token.replace("\\", "/").strip("./-")
            for path in self._named(clean):
                found[path] += min(times, 4)
            if "/" not in clean and clean.count(".") >= 1:
                for path in self._module(clean.split(".")):
                    found[path] += min(times, 4)
        return found

    def imported(self, path: str, content: bytes) -> dict[str, float]:
        """The files that a file's imports name, and the one that a test's own name is about."""
        found: dict[str, float] = {}
        folder, _, name = path.rpartition("/")
        lines = (one or two for one, two in _IMPORT.findall(content[: 256 * 1024]))
        text = b" ".join(lines).decode("utf-8", "replace")[:MAX_TEXT]
        for word in dict.fromkeys(re.findall(r"[\w-]{2,80}", text)):
            self._add(found, self._stems.get(word, ()), folder, 1.0)
        about = _TEST_MARK.sub("", stem_of(name))
        if about and about != stem_of(name):
            self._add(found, self._stems.get(about, ()), folder, 2.0)
        found.pop(path, None)
        return found

    def beside(self, path: str) -> Sequence[str]:
        """Files of the same folder: in some languages they need no import."""
        return self._folders[path.rpartition("/")[0]][:MAX_ALIKE]

    def _named(self, token: str) -> list[str]:
        alike = self._ends.get(token.rpartition("/")[2], ())[:MAX_ALIKE]
        return [
            path
            for path in alike
            if path == token or path.endswith(f"/{token}") or token.endswith(f"/{path}")
        ]

    def _module(self, parts: Sequence[str]) -> list[str]:
        for end in range(min(len(parts), 12), 0, -1):
            dotted = "/".join(parts[:end])
            alike = self._stems.get(parts[end - 1], ())[:MAX_ALIKE]
            found = [path for path in alike if f"/{path}".rsplit(".", 1)[0].endswith(f"/{dotted}")]
            if found:
                return found
        return []

    def _add(
        self, found: dict[str, float], paths: Sequence[str], folder: str, weight: float
    ) -> None:
        """Add those of `paths` that are nearest to `folder`."""
        if not paths:
            return
        near = [(_shared(path, folder), path) for path in paths[:MAX_ALIKE]]
        best = max(shared for shared, _ in near)
        chosen = [path for shared, path in near if shared == best]
        for path in chosen:
            found[path] = found.get(path, 0.0) + weight / len(chosen)


def stem_of(name: str) -> str:
    """A file's name without its last suffix; that of the folder for `__init__.py` is not known."""
    stem, dot, _ = name.rpartition(".")
    return stem if dot and stem else name


def _shared(path: str, folder: str) -> int:
    """How many folders the two have in common from the root."""
    count = 0
    for one, two in zip(path.split("/")[:-1], folder.split("/"), strict=False):
        if one != two:
            break
        count += 1
    return count
