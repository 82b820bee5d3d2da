"""Which image a session gets, on a real engine."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest

from selfheal_tui.adapters.docker.images import Image
from selfheal_tui.adapters.docker.layers import healed
from selfheal_tui.adapters.docker.profiles import read_profiles
from selfheal_tui.adapters.docker.provision import DockerProvision
from selfheal_tui.adapters.docker.setup import setup_key
from selfheal_tui.core.approval import answer
from selfheal_tui.core.tree import REGULAR, TreeFile
from selfheal_tui.errors import SandboxError, SettingsError
from selfheal_tui.headless import yes_to
from selfheal_tui.resources import sandboxes_folder
from selfheal_tui.settings import SandboxSettings

pytestmark = pytest.mark.engine


def file(path, text=""):
    return TreeFile(path, REGULAR, text.encode())


def devcontainer(image):
    return file(".devcontainer/devcontainer.json", json.dumps({"image": image}))


@pytest.fixture
def prepared(engine, base_image):
    made = []

    async def prepare(*files, **settings):
        provision = DockerProvision(
            session="test-provision",
            settings=SandboxSettings(base_image=base_image, **settings),
            profiles=read_profiles(sandboxes_folder()),
            environment={},
        )
        made.append(provision)
        await provision.prepare(files, lambda text: None)
        return provision

    return prepare


async def image_of(provision):
    sandbox = await provision.open()
    try:
        return sandbox.facts.profile, sandbox.facts.image
    finally:
        await sandbox.close()
        await provision.close()


@pytest.mark.parametrize(
    ("name", "profile"), [("main.py", "python"), ("package.json", "node"), ("x.txt", "generic")]
)
async def test_the_profile_is_told_by_the_trees_own_files(prepared, name, profile):
    found, image = await image_of(await prepared(file(name)))
    assert found == profile
    assert image.startswith(f"selfheal/{profile}:")


async def test_an_image_that_the_devcontainer_names_is_used_when_it_is_here(prepared, base_image):
    provision = await prepared(devcontainer(base_image))
    assert (await image_of(provision))[1] == base_image
    assert provision.warnings == ()


async def test_an_image_that_is_not_here_is_named_and_never_pulled(prepared):
    provision = await prepared(file("main.py"), devcontainer("no/such:1"))
    assert (await image_of(provision))[1].startswith("selfheal/python:")
    assert "--image no/such:1" in provision.warnings[0]


async def test_a_named_profile_beats_the_devcontainer(prepared, base_image):
    provision = await prepared(devcontainer(base_image), name="generic")
    assert (await image_of(provision))[1].startswith("selfheal/generic:")


async def test_an_image_of_the_users_is_taken_as_it_is(prepared, base_image):
    assert (await image_of(await prepared(file("main.py"), image=base_image)))[1] == base_image


async def test_a_profile_that_is_not_there_is_named_with_the_nearest(prepared):
    with pytest.raises(SettingsError, match=r"pyton.*python"):
        await prepared(file("main.py"), name="pyton")


async def test_root_inside_is_said(prepared):
    provision = await prepared(file("x"), name="devops")
    assert "root user" in provision.warnings[0]
    await provision.close()


async def test_a_set_up_is_asked_for_once_and_not_with_the_network_off(prepared):
    requirements = file("requirements.txt", "no-such-package-of-ours==1\n")
    asked = await prepared(requirements)
    request = asked.setup_request()
    assert request is not None
    assert request.files == ("requirements.txt",)
    await asked.close()
    off = await prepared(requirements, network="off")
    assert off.setup_request() is None
    assert off.place == ""
    assert "was not run" in off.warnings[0]
    await off.close()


async def test_what_was_not_prepared_cannot_be_opened(base_image):
    provision = DockerProvision(
        session="s", settings=SandboxSettings(), profiles=(), environment={}
    )
    with pytest.raises(SandboxError, match="not prepared"):
        await provision.open()


@pytest.fixture
def mark(engine):
    """A set-up command that nobody ran before; what it made of layers goes."""
    before = layers(engine)
    yield f"echo {uuid4()} >/opt/mark"
    for name in layers(engine) - before:
        engine.images.remove(name)


def layers(engine):
    return {tag for image in engine.images.list("selfheal/setup") for tag in image.tags}


async def extended(provision, command):
    request = provision.extension(command, "why")
    given = await yes_to(push=False)(request)
    return await provision.extend(answer(request, given), lambda text: None)


async def test_a_layer_that_was_tried_and_neither_kept_nor_dropped_goes_at_the_end(
    prepared, engine, mark
):
    provision = await prepared(file("main.py"), network="setup")
    name = await extended(provision, mark)
    assert name in layers(engine)
    await provision.close()
    assert name not in layers(engine)


async def test_a_layer_that_another_session_keeps_is_not_removed_with_a_trial(
    prepared, engine, mark
):
    first = await prepared(file("main.py"), network="setup")
    name = await extended(first, mark)
    first.keep_extension()
    await first.close()
    second = await prepared(file("main.py"), network="setup")
    assert await extended(second, mark) == name
    second.drop_extension()
    await second.close()
    assert name in layers(engine)


async def test_a_set_up_that_the_projects_files_decide_stands_with_their_bytes(prepared):
    command = "(cd web && npm install --no-package-lock)"
    package = file("web/package.json", '{"dependencies": {"a": "1"}}')
    provision = await prepared(package, file("main.py"))
    request = provision.extension(command, "why")
    assert request.files == ("web/package.json",)
    assert provision.extension("pip install six", "why").files == ()
    image = Image("x", "sha256:x")
    keys = {
        setup_key(image, healed(command, [tree]), [tree])
        for tree in (package, file("web/package.json", "{}"))
    }
    assert len(keys) == 2
    await provision.close()
