"""Removes what an earlier selfheal left behind: containers and volumes without a living owner.

Refuses to touch anything that does not carry our owner's label, or whose owner it cannot judge.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import docker
import docker.errors

from selfheal_tui.adapters.docker.calls import ENGINE_FAULTS, in_thread
from selfheal_tui.adapters.docker.images import KIND, REPOSITORY
from selfheal_tui.adapters.docker.owner import OWNER, is_orphan
from selfheal_tui.adapters.docker.stream import said
from selfheal_tui.errors import SandboxError


async def sweep(client: docker.DockerClient, *, images: bool = False) -> tuple[str, ...]:
    """Remove orphans; with `images` also our images that no container uses. What was removed.

    What cannot be removed now (it is going away, or in use) is left for the next sweep. Raises
    SandboxError when the engine does not answer.
    """
    return await in_thread(_sweep, client, images)


def _sweep(client: docker.DockerClient, images: bool) -> tuple[str, ...]:
    try:
        removed = [*_containers(client), *_volumes(client)]
        if images:
            removed += _images(client)
    except ENGINE_FAULTS as error:
        raise SandboxError(f"left-over containers cannot be looked for: {said(error)}") from error
    return tuple(removed)


def _containers(client: docker.DockerClient) -> Iterator[str]:
    for container in client.api.containers(all=True, filters={"label": OWNER}):
        name = (container.get("Names") or [container["Id"][:12]])[0].lstrip("/")
        if is_orphan(container.get("Labels") or {}) and _gone(
            client.api.remove_container, container["Id"], v=True, force=True
        ):
            yield f"container {name}"


def _volumes(client: docker.DockerClient) -> Iterator[str]:
    found = client.api.volumes(filters={"label": OWNER}).get("Volumes") or ()
    for volume in found:
        name = volume["Name"]
        if is_orphan(volume.get("Labels") or {}) and _gone(client.api.remove_volume, name):
            yield f"volume {name}"


def _images(client: docker.DockerClient) -> Iterator[str]:
    """Our images, newest first, so that a layer goes before what it was made from."""
    found = client.api.images(filters={"label": KIND})
    kept = _in_use(client, {image["Id"]: image.get("ParentId", "") for image in found})
    for image in sorted(found, key=lambda image: int(image["Created"]), reverse=True):
        if image["Id"] in kept:
            continue
        tags = [tag for tag in image.get("RepoTags") or () if tag != "<none>:<none>"]
        # One without a name is what a newer one of the same name has replaced.
        for name in tags or [image["Id"]]:
            ours = not tags or name.startswith(f"{REPOSITORY}/")
            if ours and _gone(client.api.remove_image, name):
                yield f"image {name}"


def _in_use(client: docker.DockerClient, parents: dict[str, str]) -> set[str]:
    """The images that containers were made from, and those below them."""
    used: set[str] = set()
    for container in client.api.containers(all=True):
        image = str(container["ImageID"])
        while image and image not in used:
            used.add(image)
            image = parents.get(image, "")
    return used


def _gone(remove: Any, name: str, **how: bool) -> bool:
    """Whether `remove` removed it; false for what is going already, or in use."""
    try:
        remove(name, **how)
    except docker.errors.APIError:
        return False
    return True
