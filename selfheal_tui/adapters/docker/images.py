"""The image that a session's containers are made from: built from a profile once, or pulled.

An image is known by its content: the profile's folder, the base image's id and `SCHEME`.
Refuses to put the user's credentials anywhere near a build.
"""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import docker.errors
import docker.utils

from selfheal_tui.adapters.docker.blocking import on_loop, until_done
from selfheal_tui.adapters.docker.build import Build
from selfheal_tui.adapters.docker.calls import ENGINE_FAULTS, in_thread
from selfheal_tui.adapters.docker.hostnetwork import HostNetworkSettings, read_certificates
from selfheal_tui.adapters.docker.pull import Pull
from selfheal_tui.adapters.docker.stream import Hear, said
from selfheal_tui.core.profile import Profile
from selfheal_tui.errors import SandboxError, SettingsError

SCHEME = "1"
"""Goes up when images must be made anew although no profile changed."""

REPOSITORY = "selfheal"
KIND = "selfheal.image"
"""Label of every image that we make: the profile's name, or `setup`."""

SOURCE = "selfheal.source"
"""Label: the hash of the profile's folder alone, to find an image whose base is gone."""

CA_FILE = "ca-bundle.crt"

_MAX_CONTEXT = 64 * 1024 * 1024


@dataclass(frozen=True)
class Image:
    """An image that is there. `id` is what containers are made from (`sha256:...`).

    `name` is for people: the tag of one that we built, the digest of one that was pulled.
    """

    name: str
    id: str


async def ensure_image(
    client: docker.DockerClient,
    profile: Profile,
    base_image: str | None,
    progress: Hear,
    *,
    network: HostNetworkSettings | None = None,
) -> Image:
    """The profile's image, built on `base_image` (empty: the profile's own) if it is not there.

    Lines of the build go to `progress`. Raises SandboxError with the end of the build's output.
    """
    network = network or HostNetworkSettings()
    base_name = base_image or profile.base_image
    if not base_name:
        raise SandboxError(f"the profile `{profile.name}` names no base image")
    context = await in_thread(_context, Path(profile.folder))
    source = content_hash(*(part for item in sorted(context.items()) for part in item))
    base = await in_thread(find_image, client, base_name)
    if base is None:
        kept = await in_thread(_kept_without_base, client, profile, source)
        if kept is not None:
            return kept
        base = await _pull(client, base_name, progress, _no_base(profile, base_name))
    tag = f"{REPOSITORY}/{profile.name}:{content_hash(source, base.id, SCHEME)[:12]}"
    built = await in_thread(find_image, client, tag)
    if built is not None:
        return Image(tag, built.id)
    certificates, warning = await in_thread(read_certificates, network)
    for text in (*network.warnings, warning):
        if text:
            progress(text)
    build = Build(
        client,
        context=_tar({**context, CA_FILE: certificates}),
        tag=tag,
        arguments=_arguments(base_name, base, network, context["Dockerfile"]),
        labels={KIND: profile.name, SOURCE: source},
    )
    hear = on_loop(progress)
    return Image(tag, await until_done(lambda: build.run(hear), build.stop))


async def resolve_image(client: docker.DockerClient, reference: str, progress: Hear) -> Image:
    """An image that the user or the repository names; pulled only when it is not there.

    Raises SandboxError when it cannot be had.
    """
    found = await in_thread(find_image, client, reference)
    if found is not None:
        return found
    advice = "`docker images` lists the ones that are here"
    return await _pull(client, reference, progress, f"the image {reference} is not here; {advice}")


def find_image(client: docker.DockerClient, reference: str) -> Image | None:
    """An image that is on the engine already; None when it is not. Blocks."""
    try:
        attributes: dict[str, Any] = client.api.inspect_image(reference)
    except docker.errors.ImageNotFound:
        return None
    except ENGINE_FAULTS as error:
        raise SandboxError(f"the image {reference} cannot be looked at: {said(error)}") from error
    return Image(_by_digest(reference, attributes), str(attributes["Id"]))


def local_images(client: docker.DockerClient) -> tuple[str, ...]:
    """The names of the images that we made and that are here, sorted. Blocks."""
    try:
        found = client.images.list(filters={"label": [KIND]})
    except ENGINE_FAULTS as error:
        raise SandboxError(f"the images cannot be listed: {said(error)}") from error
    names = {str(tag) for image in found for tag in image.tags}
    return tuple(sorted(name for name in names if name.startswith(f"{REPOSITORY}/")))


def _by_digest(reference: str, attributes: Mapping[str, Any]) -> str:
    """`name@sha256:...` where the engine knows a registry's digest of it, else the name."""
    repository = docker.utils.parse_repository_tag(reference)[0]
    digests = [str(digest) for digest in attributes.get("RepoDigests") or ()]
    ours = [digest for digest in digests if digest.rpartition("@")[0].endswith(repository)]
    return ours[0] if ours else reference


def content_hash(*parts: str | bytes) -> str:
    """SHA-256 over the parts and their lengths, so that no two lists give the same."""
    total = hashlib.sha256()
    for part in parts:
        content = part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part
        total.update(b"%d:" % len(content) + content)
    return total.hexdigest()


def _context(folder: Path) -> dict[str, bytes]:
    """The profile's own files by name: what its Dockerfile may copy. Links are left out."""
    content: dict[str, bytes] = {}
    size = 0
    try:
        for path in sorted(folder.rglob("*")):
            if path.is_symlink() or not path.is_file():
                continue
            size += path.stat().st_size
            if size > _MAX_CONTEXT:
                raise SettingsError(f"{folder}: the files of a profile may have 64 MiB at most")
            content[path.relative_to(folder).as_posix()] = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{folder}: {error}") from error
    if "Dockerfile" not in content:
        raise SettingsError(f"{folder}: a sandbox profile needs a Dockerfile")
    return content


def _tar(content: Mapping[str, bytes]) -> bytes:
    """The build context. No times and owners, so that the engine's own cache of steps hits."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, data in sorted(content.items()):
            item = tarfile.TarInfo(name)
            item.size, item.mode = len(data), 0o644
            archive.addfile(item, io.BytesIO(data))
    return buffer.getvalue()


def _arguments(
    base_name: str, base: Image, network: HostNetworkSettings, dockerfile: bytes
) -> dict[str, str]:
    """Build arguments: the base, the proxies (which leave no trace), and declared indexes.

    A base that came from a registry is named by its digest, one that was made here by its name.
    """
    declared = set(re.findall(rb"^ARG\s+([A-Za-z_]\w*)", dockerfile, re.MULTILINE))
    indexes = {name: value for name, value in network.variables if name.encode() in declared}
    exact = base.name if "@sha256:" in base.name else base_name
    return {**network.proxies, **indexes, "BASE_IMAGE": exact}


def _kept_without_base(client: docker.DockerClient, profile: Profile, source: str) -> Image | None:
    """An image built from this very profile earlier, on a base that was removed since."""
    try:
        found = client.images.list(filters={"label": [f"{SOURCE}={source}"]})
    except ENGINE_FAULTS as error:
        raise SandboxError(f"the images cannot be listed: {said(error)}") from error
    start = f"{REPOSITORY}/{profile.name}:"
    tagged = [(tag, str(image.id)) for image in found for tag in image.tags]
    return next((Image(tag, number) for tag, number in tagged if tag.startswith(start)), None)


def _no_base(profile: Profile, base_name: str) -> str:
    return (
        f"the base image {base_name} of the profile `{profile.name}` is not here; name another one"
        " with the setting sandbox.base_image (SELFHEAL_BASE_IMAGE)"
    )


async def _pull(client: docker.DockerClient, reference: str, progress: Hear, advice: str) -> Image:
    pull = Pull(client, reference, advice)
    hear = on_loop(progress)
    await until_done(lambda: pull.run(hear), pull.stop)
    found = await in_thread(find_image, client, reference)
    if found is None:
        raise SandboxError(f"{advice}; pulling it brought another image")
    return found
