"""What to do when something that a session needs is missing: plain sentences, and commands to copy.

Refuses to look at anything: what is missing was told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from selfheal_tui.core.providers import PROVIDERS
from selfheal_tui.ui.conductor import Readied

ALREADY = "Then send the task again: nothing has to be started anew."

_LOOK_AROUND = ("only look around", "selfheal demo")


@dataclass(frozen=True)
class Guide:
    """`title` names what is missing; `ways` are pairs of what one may want and how to do it."""

    title: str
    ways: tuple[tuple[str, str], ...]
    after: str = ""


def guides(steps: Sequence[Readied]) -> list[Guide]:
    """A guide for each step that failed and has one, in their order."""
    makers = {"model": _model, "engine": _engine, "check": _check, "image": _image}
    failed = [step.name for step in steps if step.state == "failed"]
    found = [makers[name]() for name in failed if name in makers]
    # Said once, at the end, is enough.
    return [
        replace(guide, ways=tuple(way for way in guide.ways if way != _LOOK_AROUND or last))
        for guide, last in ((guide, guide is found[-1]) for guide in found)
    ]


def _model() -> Guide:
    keys = [provider.keys[0] for provider in PROVIDERS if provider.model]
    return Guide(
        "A model is missing",
        (
            ("a provider's key", f"export {keys[0]}=...   and start selfheal again"),
            ("looked for", ", ".join(keys)),
            (
                "your own server",
                "selfheal --model ollama/NAME --api-base http://localhost:11434",
            ),
            ("another model", "/model NAME"),
            _LOOK_AROUND,
        ),
    )


def _engine() -> Guide:
    return Guide(
        "A container engine is missing",
        (
            ("Docker", "install it, then: sudo systemctl start docker"),
            ("Podman", "install it, then: systemctl --user start podman.socket"),
            ("elsewhere", "export DOCKER_HOST=...   and start selfheal again"),
            ("what is here", "selfheal doctor"),
            ("without one", "selfheal --sandbox local   commands run as you, with no isolation"),
            _LOOK_AROUND,
        ),
        ALREADY,
    )


def _check() -> Guide:
    return Guide(
        "A check is missing: the command whose exit code is the verdict",
        (
            ("name one", "/check make test"),
            ("work without", "/check none   nothing will be verified then"),
        ),
        "Then send the task again.",
    )


def _image() -> Guide:
    return Guide(
        "The sandbox's image is missing",
        (
            ("one that is here", "selfheal --image NAME"),
            ("what is here", "selfheal doctor"),
        ),
        ALREADY,
    )
