"""Which images `selfheal clean --images` removes; on a made-up engine, as real ones are shared."""

from __future__ import annotations

from types import SimpleNamespace

import docker.errors
import pytest

from selfheal_tui.adapters.docker.images import KIND
from selfheal_tui.adapters.docker.sweep import sweep
from selfheal_tui.errors import SandboxError


def image(number: str, created: int, *tags: str, parent: str = "") -> dict[str, object]:
    names = list(tags) or ["<none>:<none>"]
    return {"Id": number, "Created": created, "RepoTags": names, "ParentId": parent}


class Engine:
    """What the sweeper asks of docker-py's client."""

    def __init__(self, images: list[dict[str, object]], used: tuple[str, ...] = ()) -> None:
        self.api = self
        self._images = images
        self._used = used
        self.busy: set[str] = set()
        self.removed: list[str] = []

    def images(self, filters: dict[str, str]) -> list[dict[str, object]]:
        assert filters == {"label": KIND}
        return self._images

    def containers(self, **how: object) -> list[dict[str, object]]:
        if how.get("filters"):
            return []
        return [{"ImageID": number} for number in self._used]

    def volumes(self, **how: object) -> dict[str, object]:
        return {"Volumes": None}

    def remove_image(self, name: str) -> None:
        if name in self.busy:
            raise docker.errors.APIError("conflict", SimpleNamespace(status_code=409))
        self.removed.append(name)


async def test_layers_go_before_what_they_were_made_from():
    engine = Engine(
        [
            image("p", 1, "selfheal/python:1"),
            image("s", 2, "selfheal/setup:1", parent="p"),
            image("old", 3),
        ]
    )
    assert await sweep(engine, images=True) == (
        "image old",
        "image selfheal/setup:1",
        "image selfheal/python:1",
    )


async def test_an_image_that_a_container_uses_stays_with_the_one_below_it():
    engine = Engine(
        [
            image("p", 1, "selfheal/python:1"),
            image("s", 2, "selfheal/setup:1", parent="p"),
            image("n", 3, "selfheal/node:1"),
        ],
        used=("s",),
    )
    assert await sweep(engine, images=True) == ("image selfheal/node:1",)


async def test_an_image_that_the_user_made_from_ours_is_the_users():
    engine = Engine([image("u", 1, "mine/app:1")])
    assert await sweep(engine, images=True) == ()
    assert engine.removed == []


async def test_what_cannot_be_removed_now_is_not_named():
    engine = Engine([image("n", 1, "selfheal/node:1"), image("p", 2, "selfheal/python:1")])
    engine.busy = {"selfheal/python:1"}
    assert await sweep(engine, images=True) == ("image selfheal/node:1",)


async def test_images_are_left_alone_unless_asked_for():
    engine = Engine([image("n", 1, "selfheal/node:1")])
    assert await sweep(engine) == ()


async def test_an_engine_that_does_not_answer_is_a_sentence():
    class Gone(Engine):
        def containers(self, **how: object) -> list[dict[str, object]]:
            raise docker.errors.DockerException("connection aborted")

    with pytest.raises(SandboxError, match="cannot be looked for: connection aborted"):
        await sweep(Gone([]))
