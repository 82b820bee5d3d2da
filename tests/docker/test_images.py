"""Images that are built from profiles, on a real engine."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import docker
import pytest

from selfheal_tui.adapters.docker.hostnetwork import HostNetworkSettings
from selfheal_tui.adapters.docker.images import (
    Image,
    ensure_image,
    find_image,
    local_images,
    resolve_image,
)
from selfheal_tui.adapters.docker.profiles import named, read_profile, read_profiles
from selfheal_tui.core.profile import Profile
from selfheal_tui.errors import SandboxError
from selfheal_tui.resources import sandboxes_folder
from tests.support.containers import printed_by

pytestmark = pytest.mark.engine

NOWHERE = "127.0.0.1:1/selfheal/none:1"
"""A registry that nobody serves: pulls from it fail at once."""

CERTIFICATE = "-----BEGIN CERTIFICATE-----\nQQ==\n-----END CERTIFICATE-----\n"


@pytest.fixture
def own(tmp_path: Path, engine: docker.DockerClient) -> Iterator[Path]:
    """A folder for a profile of the test's own; its images are removed."""
    folder = tmp_path / "testprofile"
    folder.mkdir()
    (folder / "sandbox.toml").write_text("")
    yield folder
    for image in engine.images.list("selfheal/testprofile"):
        engine.api.remove_image(image.id, force=True)


def profile_of(folder: Path, *steps: str) -> Profile:
    text = "\n".join(["ARG BASE_IMAGE", "FROM ${BASE_IMAGE}", *steps])
    (folder / "Dockerfile").write_text(text + "\n")
    return read_profile(folder)


def output(engine: docker.DockerClient, image: Image, command: str) -> str:
    return printed_by(engine, image.id, ["sh", "-c", command])


def silent(line: str) -> None:
    raise AssertionError(f"there should be nothing to do, but: {line}")


TOOLS = {
    "python": "python pip pytest git rg make ps",
    "node": "node npm git rg make ps",
    "generic": "git rg make ps",
    "devops": "apt-get python3 git rg make ps",
}


@pytest.mark.parametrize("name", sorted(TOOLS))
async def test_a_built_in_profile_is_built_once_and_has_its_tools(engine, base_image, own, name):
    # A comment gives the copy a key of its own, so that it is really built.
    builtin = named(read_profiles(sandboxes_folder()), name)
    shutil.copytree(builtin.folder, own, dirs_exist_ok=True)
    with (own / "Dockerfile").open("a") as dockerfile:
        dockerfile.write("# for a test\n")
    lines: list[str] = []
    image = await ensure_image(engine, read_profile(own), base_image, lines.append)
    assert any(line.startswith("Step 1/") for line in lines)
    assert await ensure_image(engine, read_profile(own), base_image, silent) == image
    assert image.name in local_images(engine)
    wanted = TOOLS[name].split()
    found = output(engine, image, f"for t in {' '.join(wanted)}; do command -v $t && echo; done")
    assert len(found.split()) == len(wanted)


async def test_the_python_profile_runs_tests_in_its_own_environment(engine, base_image):
    profile = named(read_profiles(sandboxes_folder()), "python")
    image = await ensure_image(engine, profile, base_image, lambda line: None)
    command = "which python pip pytest; python -c 'import sys; print(sys.prefix)'"
    assert output(engine, image, command).split() == [
        "/opt/venv/bin/python",
        "/opt/venv/bin/pip",
        "/opt/venv/bin/pytest",
        "/opt/venv",
    ]
    passing = "cd /tmp && pytest --version && python -m pytest --version"
    assert output(engine, image, passing).count("pytest") == 2


async def test_a_change_of_the_profile_makes_another_image(engine, base_image, own):
    first = await ensure_image(engine, profile_of(own), base_image, lambda line: None)
    (own / "extra.txt").write_text("hello")
    profile = profile_of(own, "COPY extra.txt /extra.txt")
    second = await ensure_image(engine, profile, base_image, lambda line: None)
    assert first.name != second.name
    assert output(engine, second, "cat /extra.txt") == "hello"


async def test_sessions_that_start_together_end_up_with_the_same_image(engine, base_image, own):
    profile = profile_of(own, "LABEL together=1")
    made = await asyncio.gather(
        *(ensure_image(engine, profile, base_image, lambda line: None) for _ in range(2))
    )
    assert {image.name for image in made} == {made[0].name}
    assert await ensure_image(engine, profile, base_image, silent) in made


async def test_a_build_that_fails_shows_the_end_of_its_output_and_leaves_nothing(
    engine, base_image, own
):
    before = set(engine.api.images(all=True, quiet=True))
    profile = profile_of(own, "RUN echo first step", "RUN echo no such thing && exit 3")
    with pytest.raises(SandboxError) as raised:
        await ensure_image(engine, profile, base_image, lambda line: None)
    assert "returned a non-zero code: 3" in str(raised.value)
    assert str(raised.value).endswith("\nfirst step\nno such thing")
    assert engine.images.list("selfheal/testprofile") == []
    new = set(engine.api.images(all=True, quiet=True)) - before
    assert not [number for number in new if "first step" in str(engine.api.history(number))]


async def test_a_dockerfile_that_cannot_be_read_is_a_sentence(engine, base_image, own):
    with pytest.raises(SandboxError, match="unknown instruction: NONSENSE"):
        await ensure_image(engine, profile_of(own, "NONSENSE"), base_image, lambda line: None)


async def test_a_cancelled_build_leaves_no_container(engine, base_image, own):
    profile = profile_of(own, "RUN echo it has begun && sleep 300")
    begun = asyncio.Event()

    def hear(line: str) -> None:
        if line == "it has begun":
            begun.set()

    building = asyncio.create_task(ensure_image(engine, profile, base_image, hear))
    await asyncio.wait_for(begun.wait(), 60)
    building.cancel()
    with pytest.raises(asyncio.CancelledError):
        await building
    await gone(engine, "it has begun")
    assert engine.images.list("selfheal/testprofile") == []


async def gone(engine: docker.DockerClient, mark: str) -> None:
    """Waits until no container runs a command with `mark`; fails after 10 s."""
    for _ in range(100):
        running = engine.api.containers(all=True)
        if not any(mark in container["Command"] for container in running):
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"a container with {mark!r} is left")


async def test_the_users_certificates_and_proxies_are_used_but_not_kept(
    engine, base_image, own, tmp_path
):
    bundle = tmp_path / "ca.pem"
    bundle.write_text(CERTIFICATE)
    network = HostNetworkSettings.from_environment(
        {"SSL_CERT_FILE": str(bundle), "HTTPS_PROXY": "http://proxy.example.test:8080"}
    )
    profile = profile_of(
        own,
        "COPY ca-bundle.crt /opt/ca-bundle.crt",
        "RUN cat /opt/ca-bundle.crt && echo through $HTTPS_PROXY && rm /opt/ca-bundle.crt",
    )
    lines: list[str] = []
    image = await ensure_image(engine, profile, base_image, lines.append, network=network)
    assert "through http://proxy.example.test:8080" in lines
    assert "-----BEGIN CERTIFICATE-----" in lines
    kept = engine.api.inspect_image(image.id)["Config"]
    history = engine.api.history(image.id)
    assert "proxy.example.test" not in f"{kept} {history}"
    assert output(engine, image, "ls /opt") == ""


async def test_a_base_that_was_removed_is_not_needed_for_an_image_that_is_there(
    engine, base_image, own
):
    engine.images.get(base_image).tag("127.0.0.1:1/selfheal/base", "gone")
    profile = profile_of(own, "LABEL base=gone")
    base = "127.0.0.1:1/selfheal/base:gone"
    image = await ensure_image(engine, profile, base, lambda line: None)
    engine.api.remove_image(base)
    assert await ensure_image(engine, profile, base, silent) == image


async def test_a_base_that_cannot_be_pulled_names_the_setting(engine, own):
    profile = replace(profile_of(own), base_image=NOWHERE)
    with pytest.raises(SandboxError) as raised:
        await ensure_image(engine, profile, None, lambda line: None)
    assert str(raised.value).startswith(
        f"the base image {NOWHERE} of the profile `testprofile` is not here; name another one with"
        " the setting sandbox.base_image (SELFHEAL_BASE_IMAGE); pulling it failed: "
    )


async def test_an_image_that_is_here_is_not_pulled(engine, base_image):
    expected = find_image(engine, base_image)
    assert expected is not None
    assert await resolve_image(engine, base_image, silent) == expected
    assert await resolve_image(engine, expected.id, silent) == Image(expected.id, expected.id)


async def test_an_image_that_cannot_be_pulled_is_a_sentence(engine):
    with pytest.raises(SandboxError, match=f"the image {NOWHERE} is not here"):
        await resolve_image(engine, NOWHERE, lambda line: None)
