"""A map of a project: what its files define, those first that are near what fails.

Pure: it ranks and writes what was read elsewhere. All of it is linear in what it is given, but for
a fixed number of rounds over the links.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from selfheal_tui.core.text import one_line

ROUNDS = 20
"""Of the ranking; the order has settled long before."""

STAYS = 0.85
"""Share of its rank that a file hands on along its links; the rest starts at the failure anew."""

MOST_DEFINERS = 5
"""A name that more files define tells nothing about which one is meant."""

BYTES_A_TOKEN = 3.5

MAX_SIGNATURE = 110
MAX_PATH = 160

FILE_SHARE = 0.4
"""Of the room that is left, what one file may take: the next one is of use too."""


@dataclass(frozen=True)
class Definition:
    """A class, function or method: its name, its line from 1, its depth, and how it begins."""

    name: str
    line: int
    depth: int
    signature: str


@dataclass(frozen=True)
class Outline:
    """What was read of a file: its definitions in order, the words it uses, and the files that it
    names as its imports, each with how surely it means them."""

    path: str
    definitions: tuple[Definition, ...]
    words: frozenset[str]
    imports: Mapping[str, float]


def ranked(
    outlines: Sequence[Outline], seeds: Mapping[str, float], mentioned: frozenset[str]
) -> dict[str, float]:
    """The rank of each file by the links from the files that fail: a personalised PageRank.

    `seeds` are files that the failure names, with weights; `mentioned` words of its text.
    """
    links = _links(outlines, mentioned)
    start = _start(outlines, seeds, mentioned)
    rank = dict(start)
    for _ in range(ROUNDS):
        rank = _round(rank, start, links)
    return rank


def written(
    outlines: Sequence[Outline],
    rank: Mapping[str, float],
    mentioned: frozenset[str],
    tokens: int,
) -> str:
    """The map in at most `tokens`: files by rank, each with its definitions of most use by line."""
    uses = Counter(word for outline in outlines for word in outline.words)
    room = int(tokens * BYTES_A_TOKEN)
    parts = []
    for outline in sorted(outlines, key=lambda outline: (-rank[outline.path], outline.path)):
        part = _part(outline, mentioned, uses, room)
        if part is None:
            break
        room -= len(part.encode()) + 1
        parts.append(part)
    return "\n".join(parts)


def _part(outline: Outline, mentioned: frozenset[str], uses: Counter[str], room: int) -> str | None:
    """One file in its share of `room` bytes; None where not even its name fits."""
    head = _fit(outline.path, MAX_PATH)
    if len(head.encode()) + 1 > room:
        return None
    left = max(room * FILE_SHARE, min(room, 300)) - len(head.encode())
    chosen = []
    for definition in sorted(
        outline.definitions,
        key=lambda made: (made.name not in mentioned, made.depth, -uses[made.name], made.line),
    ):
        line = f"{definition.line:>5} {'  ' * min(definition.depth, 4)}"
        line += _fit(definition.signature, MAX_SIGNATURE)
        left -= len(line.encode()) + 1
        if left < 0:
            break
        chosen.append((definition.line, line))
    return "\n".join([head, *(line for _, line in sorted(chosen))])


def _fit(text: str, limit: int) -> str:
    """One line that cannot end the place where the map stands."""
    return one_line(text, limit).replace("</", "< /")


def _links(
    outlines: Sequence[Outline], mentioned: frozenset[str]
) -> dict[str, list[tuple[str, float]]]:
    """For each file the files that it leans on, with shares that add up to one."""
    definers: dict[str, set[str]] = defaultdict(set)
    for outline in outlines:
        for definition in outline.definitions:
            definers[definition.name].add(outline.path)
    telling = {name: paths for name, paths in definers.items() if len(paths) <= MOST_DEFINERS}
    known = {outline.path for outline in outlines}
    links = {}
    for outline in outlines:
        weights: Counter[str] = Counter()
        for path, weight in outline.imports.items():
            if path in known:
                weights[path] += 3 * weight  # type: ignore[assignment]
        for word in outline.words & telling.keys():
            for path in telling[word]:
                weights[path] += _weight(word, mentioned) / len(telling[word])  # type: ignore[assignment]
        weights.pop(outline.path, None)
        total = sum(weights.values())
        links[outline.path] = [(path, weight / total) for path, weight in sorted(weights.items())]
    return links


def _weight(word: str, mentioned: frozenset[str]) -> float:
    if word in mentioned:
        return 5.0
    return 0.2 if len(word) < 4 or word.startswith("_") else 1.0


def _start(
    outlines: Sequence[Outline], seeds: Mapping[str, float], mentioned: frozenset[str]
) -> dict[str, float]:
    weights = {outline.path: seeds.get(outline.path, 0.0) for outline in outlines}
    for outline in outlines:
        named = {made.name for made in outline.definitions} & mentioned
        weights[outline.path] += min(len(named), 4) * 0.5
    total = sum(weights.values())
    if not total:
        return dict.fromkeys(weights, 1 / len(weights)) if weights else {}
    return {path: weight / total for path, weight in weights.items()}


def _round(
    rank: Mapping[str, float],
    start: Mapping[str, float],
    links: Mapping[str, Sequence[tuple[str, float]]],
) -> dict[str, float]:
    new = {path: (1 - STAYS) * share for path, share in start.items()}
    lost = 0.0
    for path, has in rank.items():
        if not links[path]:
            lost += has
        for other, share in links[path]:
            new[other] += STAYS * has * share
    # What ends in a file without links starts anew at the failure.
    return {path: has + STAYS * lost * start[path] for path, has in new.items()}
