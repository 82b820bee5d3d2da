"""Set-up layers: made with network, kept, and used offline in real sandboxes."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import docker
import docker.errors
import pytest

from selfheal_tui.adapters.docker.hostnetwork import HostNetworkSettings
from selfheal_tui.adapters.docker.images import Image, ensure_image
from selfheal_tui.adapters.docker.owner import OWNER, labels_for, this_process
from selfheal_tui.adapters.docker.profiles import named, read_profiles
from selfheal_tui.adapters.docker.sandbox import DockerSandbox, open_docker_sandbox
from selfheal_tui.adapters.docker.setup import cached_setup, ensure_setup
from selfheal_tui.core.profile import Profile
from selfheal_tui.core.recipe import PLACE, Recipe, find_recipe
from selfheal_tui.core.tree import LINK, REGULAR, TreeFile
from selfheal_tui.errors import SandboxError
from selfheal_tui.resources import sandboxes_folder
from tests.support.containers import printed_by

pytestmark = pytest.mark.engine

SESSION = "test-setup"
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nQQ==\n-----END CERTIFICATE-----\n"

IS_NUMBER = {
    "package.json": json.dumps(
        {"name": "shop", "version": "1.0.0", "dependencies": {"is-number": "7.0.0"}}
    ),
    "package-lock.json": json.dumps(
        {
            "name": "shop",
            "lockfileVersion": 3,
            "packages": {
                "": {"name": "shop", "dependencies": {"is-number": "7.0.0"}},
                "node_modules/is-number": {
                    "version": "7.0.0",
                    "integrity": "sha512-41Cifkg6e8TylSpdtTpeLVMqvSBEVzTttHvERD741+pnZ8ANv0004MRL"
                    "43QKPDlK9cGvNp6NZWZUBlbGXYxxng==",
                    "engines": {"node": ">=0.12.0"},
                },
            },
        }
    ),
    "index.js": "console.log(require('is-number')(7))\n",
}

PACKAGE = {
    "pyproject.toml": (
        '[build-system]\nrequires = ["setuptools>=61"]\nbuild-backend = "setuptools.build_meta"\n'
        '[project]\nname = "shop"\nversion = "1.0"\ndependencies = ["iniconfig>=2"]\n'
    ),
    "src/shop/__init__.py": "import iniconfig\nNAME = 'first'\n",
}


def tree_of(content: dict[str, str]) -> tuple[TreeFile, ...]:
    return tuple(TreeFile(path, REGULAR, text.encode()) for path, text in content.items())


def recipe_of(content: dict[str, str]) -> Recipe:
    data = {path: text.encode() for path, text in content.items()}
    recipe = find_recipe(data, data.__getitem__).recipe
    assert recipe is not None
    return recipe


def own(command: str, *files: str) -> Recipe:
    return Recipe("own", command, PLACE, files)


@pytest.fixture
def profile() -> Profile:
    return named(read_profiles(sandboxes_folder()), "python")


@pytest.fixture
async def image(engine: docker.DockerClient, base_image: str, profile: Profile) -> Image:
    return await ensure_image(engine, profile, base_image, lambda line: None)


class SetUp:
    """Makes layers and remembers them, for the fixture to remove."""

    def __init__(self, engine: docker.DockerClient, image: Image, profile: Profile) -> None:
        self.engine, self.image, self.profile = engine, image, profile
        self.lines: list[str] = []
        self.made: list[Image] = []

    async def __call__(
        self,
        recipe: Recipe,
        files: tuple[TreeFile, ...] = (),
        *,
        on: Image | None = None,
        network: HostNetworkSettings | None = None,
        timeout: float = 300,
        hear: Callable[[str], None] | None = None,
    ) -> Image:
        layer = await ensure_setup(
            self.engine,
            on or self.image,
            recipe,
            files,
            self.profile,
            hear or self.lines.append,
            labels=labels_for(SESSION, this_process()),
            network=network,
            timeout=timeout,
        )
        self.made.append(layer)
        return layer

    def left(self) -> list[str]:
        """Containers and volumes of these tests that are still there."""
        own = {"label": f"{OWNER}={this_process()}"}
        containers = [found["Id"] for found in self.engine.api.containers(all=True, filters=own)]
        volumes = self.engine.api.volumes(filters=own)["Volumes"] or []
        return [*containers, *(volume["Name"] for volume in volumes)]


@pytest.fixture
def set_up(engine: docker.DockerClient, image: Image, profile: Profile) -> Iterator[SetUp]:
    made = SetUp(engine, image, profile)
    yield made
    for layer in reversed(made.made):
        for name in (layer.name, layer.id):
            with suppress(docker.errors.ImageNotFound):
                engine.api.remove_image(name, force=True)


@asynccontextmanager
async def sandbox(
    engine: docker.DockerClient, layer: Image, profile: Profile, files: tuple[TreeFile, ...]
) -> AsyncIterator[DockerSandbox]:
    """A session's sandbox of the layer, offline, filled as the session fills it."""
    opened = await open_docker_sandbox(engine, layer.name, profile, SESSION)
    try:
        await opened.put_tree(files)
        placed = await opened.run(PLACE, timeout=60)
        assert (placed.exit_code, placed.output) == (0, b"")
        await opened.scan()
        opened.settle()
        yield opened
    finally:
        await opened.close()


async def said(opened: DockerSandbox, command: str) -> str:
    result = await opened.run(command, timeout=60)
    return f"{result.output.decode()}{result.exit_code}"


async def none_left(left: Callable[[], list[str]]) -> None:
    """Waits until the engine has removed what ends by itself; fails after 10 s."""
    for _ in range(100):
        if not left():
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"left behind: {left()}")


@pytest.mark.registry
async def test_what_pip_installed_is_there_offline_with_the_project_itself(set_up, profile):
    files = tree_of(PACKAGE)
    recipe = recipe_of(PACKAGE)
    assert recipe.command == "pip install -e ."
    assert await cached_setup(set_up.engine, set_up.image, recipe, files) is None
    host = HostNetworkSettings.from_environment(os.environ)
    layer = await set_up(recipe, files, network=host)
    assert await cached_setup(set_up.engine, set_up.image, recipe, files) == layer
    edited = (*files[:1], replace(files[1], content=b"import iniconfig\nNAME = 'second'\n"))
    async with sandbox(set_up.engine, layer, profile, edited) as opened:
        command = "cd /tmp && python -c 'import shop; print(shop.NAME, shop.__file__)'"
        assert await said(opened, command) == "second /work/src/shop/__init__.py\n0"


@pytest.mark.registry
async def test_what_npm_installed_is_there_offline_and_is_no_change_of_the_tree(engine, base_image):
    profile = named(read_profiles(sandboxes_folder()), "node")
    image = await ensure_image(engine, profile, base_image, lambda line: None)
    set_up = SetUp(engine, image, profile)
    files = tree_of(IS_NUMBER)
    recipe = recipe_of(IS_NUMBER)
    assert recipe.command == "npm ci"
    host = HostNetworkSettings.from_environment(os.environ)
    layer = await set_up(recipe, files, network=host)
    try:
        async with sandbox(engine, layer, profile, files) as opened:
            assert await said(opened, "node index.js") == "true\n0"
            # Tools write their caches there.
            assert (
                await said(opened, "mkdir node_modules/.cache && ls node_modules") == "is-number\n0"
            )
    finally:
        engine.api.remove_image(layer.name, force=True)


async def test_a_layer_is_made_once_and_only_its_own_files_decide(set_up):
    recipe = own("date +%N >/opt/made", "lock.txt")
    files = tree_of({"lock.txt": "1", "code.py": "a"})
    first = await set_up(recipe, files)
    lines = list(set_up.lines)
    assert await set_up(recipe, tree_of({"lock.txt": "1", "code.py": "b"})) == first
    assert set_up.lines == lines
    other = await set_up(recipe, tree_of({"lock.txt": "2", "code.py": "a"}))
    assert other.id != first.id
    above = await set_up(recipe, files, on=first)
    assert above.id != first.id


async def test_a_layer_whose_whole_key_differs_is_not_taken(set_up):
    recipe = own("true", "lock.txt")
    files = tree_of({"lock.txt": "1"})
    layer = await set_up(recipe, files)
    set_up.engine.images.get(set_up.image.id).tag(*layer.name.split(":"))
    assert await cached_setup(set_up.engine, set_up.image, recipe, files) is None


async def test_the_tree_is_lent_to_the_build_and_no_part_of_the_layer(set_up):
    files = (
        TreeFile("a folder/naïve\n.txt", REGULAR, b"secret of the tree\n"),
        TreeFile("link", LINK, b"a folder"),
    )
    command = "test -L link && cat link/* >&2 && id -u && pwd && touch /opt/kept /tmp/not-kept"
    layer = await set_up(own(command), files)
    assert sorted(set_up.lines) == ["/work", "0", "secret of the tree"]
    listed = printed_by(set_up.engine, layer.id, ["find", "/work", "/tmp", "/opt/kept"])
    assert listed.split() == ["/work", "/tmp", "/opt/kept"]


async def test_what_the_build_generated_comes_back_without_replacing_the_trees_own(set_up, profile):
    command = "mkdir -p src && echo made >src/_version.py && echo lock >uv.lock && echo x >own.txt"
    files = tree_of({"README": "r"})
    layer = await set_up(own(command), files)
    later = tree_of({"README": "r", "own.txt": "mine"})
    async with sandbox(set_up.engine, layer, profile, later) as opened:
        assert (
            await said(opened, "cat src/_version.py own.txt; ls")
            == "made\nmineREADME\nown.txt\nsrc\n0"
        )
        assert not await opened.scan()


async def test_a_set_up_on_top_of_another_keeps_what_that_one_left(set_up, profile):
    first = await set_up(
        own("mkdir -p node_modules/a && echo a >node_modules/a/x && echo one >one.txt")
    )
    second = await set_up(
        own("cat node_modules/a/x && mkdir node_modules/b && echo b >node_modules/b/x"), on=first
    )
    async with sandbox(set_up.engine, second, profile, ()) as opened:
        assert await said(opened, "cat node_modules/*/x one.txt") == "a\nb\none\n0"


async def test_a_layer_is_configured_as_the_image_below_it(set_up):
    layer = await set_up(own("export LEFT=1; true"))
    below, above = (
        set_up.engine.api.inspect_image(image.id)["Config"] for image in (set_up.image, layer)
    )
    for key in ("Env", "Cmd", "User", "WorkingDir", "Volumes", "OpenStdin", "Tty", "ExposedPorts"):
        assert above.get(key) == below.get(key)
    assert (above["Entrypoint"] or None) == (below["Entrypoint"] or None)
    assert above["Labels"][OWNER] == ""
    assert above["Labels"]["selfheal.image"] == "setup"


async def test_nothing_of_the_hosts_environment_is_in_the_build(set_up, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-hush")
    await set_up(own("env; cat /proc/1/environ; mount | grep -c ' on /host'; true"))
    text = "\n".join(set_up.lines)
    assert "sk-hush" not in text
    assert "OPENAI" not in text
    assert "HOME=/tmp/home" in set_up.lines


async def test_certificates_and_index_are_used_but_not_kept(set_up, tmp_path: Path):
    bundle = tmp_path / "ca.pem"
    bundle.write_text(CERTIFICATE)
    network = HostNetworkSettings.from_environment(
        {
            "SSL_CERT_FILE": str(bundle),
            "PIP_INDEX_URL": "https://mirror.example.test/simple",
            "NPM_CONFIG_REGISTRY": "https://me:hush@mirror.example.test/npm",
        }
    )
    layer = await set_up(
        own('cat "$PIP_CERT"; echo $PIP_INDEX_URL $NPM_CONFIG_REGISTRY'), network=network
    )
    assert set_up.lines == [
        "NPM_CONFIG_REGISTRY is not handed to the build: it carries credentials",
        *CERTIFICATE.splitlines(),
        "https://mirror.example.test/simple",
    ]
    image = set_up.engine.api.inspect_image(layer.id)
    history = set_up.engine.api.history(layer.id)
    assert "mirror.example.test" not in f"{image} {history}"
    search = ["find", "/", "-xdev", "-name", "ca-bundle.crt"]
    assert printed_by(set_up.engine, layer.id, search) == ""


async def test_the_cage_of_a_build(set_up):
    command = (
        "grep -E '^(CapEff|NoNewPrivs):' /proc/self/status; ls /var/run/docker.sock 2>&1; "
        "touch /usr/made; cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null"
    )
    await set_up(own(f"{command}; true"))
    found = dict(line.split(":\t") for line in set_up.lines if ":\t" in line)
    # CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID: bits 0, 1, 3, 4, 5, 6 and 7.
    assert found == {"CapEff": "00000000000000fb", "NoNewPrivs": "1"}
    assert "1024" in set_up.lines


async def test_a_set_up_that_fails_shows_its_end_and_leaves_nothing(set_up):
    recipe = own("echo one; echo two >&2; exit 3", "lock.txt")
    files = tree_of({"lock.txt": "1"})
    with pytest.raises(SandboxError) as raised:
        await set_up(recipe, files)
    assert str(raised.value) == (
        "the set-up failed: exit code 3\n$ echo one; echo two >&2; exit 3\none\ntwo"
    )
    assert await cached_setup(set_up.engine, set_up.image, recipe, files) is None
    await none_left(set_up.left)


async def test_a_set_up_that_takes_too_long_is_ended(set_up):
    with pytest.raises(SandboxError, match=r"the set-up failed: it took over 1.5 s"):
        await set_up(own("echo begun; sleep 300"), timeout=1.5)
    await none_left(set_up.left)


async def test_a_cancelled_set_up_leaves_nothing(set_up):
    begun = asyncio.Event()
    running = asyncio.ensure_future(
        set_up(own("echo begun; sleep 300"), hear=lambda line: begun.set())
    )
    await asyncio.wait_for(begun.wait(), 60)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await none_left(set_up.left)


async def test_a_build_ends_with_the_process_that_holds_it(set_up, base_image, tmp_path):
    """The app is killed in the middle of a set-up: the engine ends and removes the container."""
    script = tmp_path / "app.py"
    script.write_text(
        "import asyncio, sys\n"
        "from selfheal_tui.adapters.docker.engine import connect\n"
        "from selfheal_tui.adapters.docker.images import Image\n"
        "from selfheal_tui.adapters.docker.owner import labels_for, this_process\n"
        "from selfheal_tui.adapters.docker.setup import ensure_setup\n"
        "from selfheal_tui.core.profile import Profile\n"
        "from selfheal_tui.core.recipe import Recipe\n"
        "asyncio.run(ensure_setup(connect(), Image('', sys.argv[1]),\n"
        "    Recipe('own', 'echo begun; sleep 300', '', ()), (), Profile('x', ''),\n"
        "    lambda line: print(line, flush=True), labels=labels_for('killed', this_process())))\n"
    )
    app = await asyncio.create_subprocess_exec(
        *shlex.split(f"{sys.executable} {script} {set_up.image.id}"),
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert app.stdout is not None
    assert await asyncio.wait_for(app.stdout.readline(), 60) == b"begun\n"
    app.kill()
    await app.wait()
    found = {"label": "selfheal.session=killed"}

    def left() -> list[str]:
        volumes = set_up.engine.api.volumes(filters=found)["Volumes"] or []
        containers = set_up.engine.api.containers(all=True, filters=found)
        return [*(item["Id"] for item in containers), *(item["Name"] for item in volumes)]

    await none_left(left)
