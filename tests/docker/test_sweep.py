"""The sweeper, on a real engine: orphans go, everything else stays."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from dataclasses import replace

import docker
import pytest

from selfheal_tui.adapters.docker.owner import HOST, OWNER, labels_for, this_process
from selfheal_tui.adapters.docker.sweep import sweep

pytestmark = pytest.mark.engine

Make = Callable[[dict[str, str]], str]


@pytest.fixture(autouse=True)
def _on_a_machine_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sessions of other tests sweep as well, and leave what is another machine's."""
    monkeypatch.setattr(platform, "node", lambda: "only for this test")


@pytest.fixture
def dead() -> dict[str, str]:
    """This very process number, of a process that started at another time."""
    return labels_for("test", replace(this_process(), start="1"))


@pytest.fixture
def alive() -> dict[str, str]:
    return labels_for("test", this_process())


@pytest.fixture
def container(engine: docker.DockerClient, base_image: str) -> Iterator[Make]:
    """Starts a container with labels; its name. What is left of them is removed."""
    made: list[str] = []

    def make(labels: dict[str, str]) -> str:
        started = engine.containers.run(
            base_image, ["sleep", "300"], labels=labels, network_mode="none", detach=True
        )
        made.append(started.id)
        return f"container {started.name}"

    yield make
    for left in engine.api.containers(all=True):
        if left["Id"] in made:
            engine.api.remove_container(left["Id"], force=True)


@pytest.fixture
def volume(engine: docker.DockerClient) -> Iterator[Make]:
    made: list[str] = []

    def make(labels: dict[str, str]) -> str:
        made.append(engine.volumes.create(labels=labels).name)
        return f"volume {made[-1]}"

    yield make
    for left in engine.volumes.list():
        if left.name in made:
            left.remove()


def there(engine: docker.DockerClient) -> set[str]:
    names = {
        f"container {container.name}"
        for container in engine.containers.list(all=True, ignore_removed=True)
    }
    return names | {f"volume {volume.name}" for volume in engine.volumes.list()}


async def test_orphans_are_removed_and_named(engine, container, volume, dead):
    orphans = {container(dead), volume(dead)}
    assert orphans <= set(await sweep(engine))
    assert orphans.isdisjoint(there(engine))


async def test_what_has_a_living_owner_or_is_not_ours_stays(engine, container, volume, dead, alive):
    stays = {
        container(alive),
        volume(alive),
        container({}),
        volume({}),
        container({"selfheal.session": "test"}),
        container({OWNER: ""}),
        container({OWNER: "not:an:owner:either"}),
        container(dead | {HOST: "another machine"}),
        container(dead | {OWNER: "4294967:1:boot:1"}),
    }
    removed = set(await sweep(engine))
    assert stays.isdisjoint(removed)
    assert stays <= there(engine)


async def test_a_second_sweep_finds_nothing_of_the_first(engine, container, dead):
    orphan = container(dead)
    first = await sweep(engine)
    second = await sweep(engine)
    assert [orphan in names for names in (first, second)] == [True, False]
