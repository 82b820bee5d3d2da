"""What to do when something that a session needs is missing: plain sentences, and commands to copy.

Refuses to look at anything: what is missing was told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from selfheal_tui.core.providers import PROVIDERS
from selfheal_tui.ui.conductor import Readied

ALREADY = "Then send the task again: nothing has to be started anew."


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
    return [makers[name]() for name in failed if name in makers]


def _model() -> Guide:
    keys = [provider.keys[0] for provider in PROVIDERS if provider.model]
    return Guide(
        "A model is missing",
        (
            ("a provider's key", f"export {keys[0]}=...   and start selfheal again"),
            ("looked for", ", ".join(keys)),
            (
                "a server of your own",
                "selfheal --model ollama/NAME --api-base http://localhost:11434",
            ),
            ("another model", "/model NAME"),
            ("only look around", "selfheal demo"),
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
            ("only look around", "selfheal demo"),
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
