"""Set-up layers: a recipe's command run once, with network, and kept as an image.

A layer is known by the image below it, the recipe, and the bytes of the files that the recipe
names. The tree is only lent to the build and is no part of the layer. Refuses to hand in any
secret of the session, and to keep anything of a set-up that failed.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import docker
import docker.errors
import docker.types

from selfheal_tui.adapters.docker import carry
from selfheal_tui.adapters.docker.blocking import on_loop, until_done
from selfheal_tui.adapters.docker.calls import ENGINE_FAULTS, in_thread
from selfheal_tui.adapters.docker.container import ROOT_CAPABILITIES
from selfheal_tui.adapters.docker.hostnetwork import HostNetworkSettings, read_certificates
from selfheal_tui.adapters.docker.images import KIND, REPOSITORY, Image, content_hash
from selfheal_tui.adapters.docker.running import remove_container
from selfheal_tui.adapters.docker.stream import Hear, Lines, attached, said
from selfheal_tui.adapters.docker.wire import frames
from selfheal_tui.adapters.tar import write_tar
from selfheal_tui.core.profile import Profile
from selfheal_tui.core.recipe import Recipe
from selfheal_tui.core.tree import EXECUTABLE, REGULAR, TreeFile
from selfheal_tui.errors import SandboxError

SCHEME = "1"
"""Goes up when layers must be made anew although no recipe changed."""

SETUP = "setup"
KEY = "selfheal.key"
"""Label: the whole hash that a layer stands for; its tag is too short to be trusted alone."""

TIMEOUT = 900.0

_MIB = 1024 * 1024
_LEAST_MEMORY_MB = 4096
_LEAST_PIDS = 1024
_LAST_LINES = 30
_CA = "/tmp/selfheal/ca-bundle.crt"
_OUT_OF_MEMORY = (
    "cat /sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control 2>/dev/null"
    " | grep -q '^oom_kill [1-9]'"
)

_ENVIRONMENT = {
    "HOME": "/tmp/home",
    "LANG": "C.UTF-8",
    "TERM": "dumb",
    "NO_COLOR": "1",
    "DEBIAN_FRONTEND": "noninteractive",
    "GIT_TERMINAL_PROMPT": "0",
    "PIP_NO_CACHE_DIR": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_INPUT": "1",
    "PIP_PROGRESS_BAR": "off",
    "PIP_ROOT_USER_ACTION": "ignore",
    "PIP_BREAK_SYSTEM_PACKAGES": "1",
    "UV_CACHE_DIR": "/tmp/uv",
    "UV_LINK_MODE": "copy",
    "UV_NO_PROGRESS": "1",
    "UV_PYTHON_DOWNLOADS": "never",
    "POETRY_CACHE_DIR": "/tmp/poetry",
    "POETRY_VIRTUALENVS_IN_PROJECT": "false",
    "YARN_CACHE_FOLDER": "/tmp/yarn",
    "npm_config_cache": "/tmp/npm",
    "npm_config_audit": "false",
    "npm_config_fund": "false",
    "npm_config_progress": "false",
    "npm_config_update_notifier": "false",
}
"""The whole environment of a set-up beside the image's own; caches stay out of the layer."""


async def cached_setup(
    client: docker.DockerClient, image: Image, recipe: Recipe, files: Iterable[TreeFile]
) -> Image | None:
    """The layer of `recipe` on `image` for the tree of `files`, when it is there already."""
    key = setup_key(image, recipe, files)
    return await in_thread(_find, client, key)


async def ensure_setup(
    client: docker.DockerClient,
    image: Image,
    recipe: Recipe,
    files: Collection[TreeFile],
    profile: Profile,
    progress: Hear,
    *,
    labels: Mapping[str, str],
    network: HostNetworkSettings | None = None,
    timeout: float = TIMEOUT,
) -> Image:
    """The layer of `recipe` on `image`, made if it is not there. Ask for approval before.

    `files` is the whole tree; `labels` mark the build container as this process's own. Output
    goes to `progress` line by line. Raises SandboxError with the end of the output; a set-up
    that fails, takes more than `timeout` seconds, or is cancelled leaves nothing behind.
    """
    key = setup_key(image, recipe, files)
    found = await in_thread(_find, client, key)
    if found is not None:
        return found
    network = network or HostNetworkSettings()
    certificates, warning = await in_thread(read_certificates, network)
    for text in (*network.warnings, warning):
        if text:
            progress(text)
    run = _SetUp(
        client,
        image=image,
        recipe=recipe,
        key=key,
        tree=files,
        profile=profile,
        environment=_ENVIRONMENT | network.environment(_CA if certificates else ""),
        certificates=certificates,
        labels=labels,
        timeout=timeout,
    )
    hear = on_loop(progress)
    return await until_done(lambda: run.run(hear), run.stop)


def setup_key(image: Image, recipe: Recipe, files: Iterable[TreeFile]) -> str:
    """What a layer is known by: SHA-256 (hex) over everything that decides what is in it."""
    wanted = frozenset(recipe.files)
    keyed = sorted((file.path, file.content) for file in files if file.path in wanted)
    parts = [part for item in keyed for part in item]
    return content_hash(SCHEME, image.id, recipe.command, recipe.place, *parts)


def _tag(key: str) -> str:
    return f"{REPOSITORY}/{SETUP}:{key[:12]}"


def _find(client: docker.DockerClient, key: str) -> Image | None:
    try:
        attributes: dict[str, Any] = client.api.inspect_image(_tag(key))
    except docker.errors.ImageNotFound:
        return None
    except ENGINE_FAULTS as error:
        raise SandboxError(f"the image {_tag(key)} cannot be looked at: {said(error)}") from error
    labels = attributes["Config"].get("Labels") or {}
    return Image(_tag(key), str(attributes["Id"])) if labels.get(KEY) == key else None


class _SetUp:
    """One run of a recipe: `run` in a thread, `stop` from another one.

    The container lives as long as this process holds its standard input, and removes itself.
    """

    def __init__(
        self,
        client: docker.DockerClient,
        *,
        image: Image,
        recipe: Recipe,
        key: str,
        tree: Collection[TreeFile],
        profile: Profile,
        environment: Mapping[str, str],
        certificates: bytes,
        labels: Mapping[str, str],
        timeout: float,
    ) -> None:
        self._client = client
        self._api = client.api
        self._image = image
        self._recipe = recipe
        self._key = key
        self._tree = tree
        self._profile = profile
        self._environment = environment
        self._certificates = certificates
        self._labels = labels
        self._timeout = timeout
        self._lock = threading.Lock()
        self._container = ""
        self._ended_by = ""
        self._tail: deque[str] = deque(maxlen=_LAST_LINES)

    def run(self, hear: Hear) -> Image:
        """Run the recipe and keep the layer. Raises SandboxError. Blocks."""
        timer = threading.Timer(self._timeout, self._end, [f"it took over {self._timeout:g} s"])
        timer.daemon = True
        try:
            timer.start()
            return self._run(hear)
        except ENGINE_FAULTS as error:
            # A container that was ended on purpose looks like a broken engine from here.
            raise self._failed(self._ended_by or said(error)) from error
        finally:
            timer.cancel()
            self._remove()

    def stop(self) -> None:
        self._end("it was stopped")

    def _end(self, reason: str) -> None:
        with self._lock:
            self._ended_by = self._ended_by or reason
        self._remove()

    def _run(self, hear: Hear) -> Image:
        container = self._create()
        # Attached before it starts, so that there is no moment without a hold.
        with attached(self._api.attach_socket(container, {"stdin": 1, "stream": 1})):
            self._api.start(container)
            self._fill(container)
            code = self._execute(container, lambda line: self._pass_on(line, hear))
            if code != 0:
                raise self._failed(self._why(container, code))
            if self._ended_by:
                raise self._failed(self._ended_by)
            return self._commit(container)

    def _create(self) -> str:
        container = self._client.containers.create(
            self._image.id,
            entrypoint=["/bin/sh", "-c", "exec cat >/dev/null"],
            command=[],
            stdin_open=True,
            auto_remove=True,
            init=True,
            healthcheck={"test": ["NONE"]},
            labels=dict(self._labels),
            **_limits(self._profile, self._labels),
        )
        with self._lock:
            self._container = str(container.id)
            ended_by = self._ended_by
        if ended_by:
            raise self._failed(ended_by)
        return self._container

    def _fill(self, container: str) -> None:
        """The tree at /work and our own files; both places but the last are volumes."""
        self._api.put_archive(container, "/work", write_tar(self._tree))
        own = [
            TreeFile("selfheal/before", REGULAR, carry.BEFORE.encode()),
            TreeFile("selfheal/gather", REGULAR, carry.GATHER.encode()),
            TreeFile("selfheal/run", REGULAR, carry.RUN.encode()),
        ]
        if self._certificates:
            own.append(TreeFile("selfheal/ca-bundle.crt", REGULAR, self._certificates))
        self._api.put_archive(container, "/tmp", write_tar(own))

    def _execute(self, container: str, hear: Hear) -> int:
        script = 'sh /tmp/selfheal/run "$1"'
        command = ["/bin/sh", "-c", script, "selfheal", self._recipe.command]
        return self._inside(container, command, hear, self._environment)

    def _inside(
        self, container: str, command: list[str], hear: Hear, environment: Mapping[str, str]
    ) -> int:
        """Run a command as root; its exit code. Lines of its output go to `hear`."""
        made = self._api.exec_create(
            container, command, user="0:0", workdir="/work", environment=dict(environment)
        )
        lines = Lines()
        with attached(self._api.exec_start(made["Id"], socket=True)) as connection:
            for _, piece in frames(connection.recv):
                for line in lines.feed(piece):
                    hear(line)
        for line in lines.rest():
            hear(line)
        code = self._api.exec_inspect(made["Id"])["ExitCode"]
        return -1 if code is None else int(code)

    def _pass_on(self, line: str, hear: Hear) -> None:
        self._tail.append(line)
        hear(line)

    def _commit(self, container: str) -> Image:
        """Keep the container's files as an image that is configured exactly as the one below."""
        place = [TreeFile("opt/selfheal/place", EXECUTABLE, carry.PLACE.encode())]
        self._api.put_archive(container, "/", write_tar(place))
        below = dict(self._api.inspect_image(self._image.id)["Config"])
        # The container's labels would make every container of this image look like ours.
        blank = dict.fromkeys(self._labels, "")
        labels = {**(below.get("Labels") or {}), **blank, KIND: SETUP, KEY: self._key}
        # What is null here would be taken over from the build container.
        config = {**below, "Labels": labels, "Entrypoint": below.get("Entrypoint") or []}
        repository, _, tag = _tag(self._key).partition(":")
        made = self._api.commit(container, repository=repository, tag=tag, conf=config)
        return Image(_tag(self._key), str(made["Id"]))

    def _why(self, container: str, code: int) -> str:
        if self._ended_by:
            return self._ended_by
        look = ["/bin/sh", "-c", _OUT_OF_MEMORY]
        if self._inside(container, look, lambda line: None, {}) == 0:
            return f"it ran out of memory ({_memory_mb(self._profile)} MiB), exit code {code}"
        return f"exit code {code}"

    def _failed(self, reason: str) -> SandboxError:
        tail = "\n".join(self._tail)
        return SandboxError(
            f"the set-up failed: {reason}\n$ {self._recipe.command}\n{tail}".rstrip()
        )

    def _remove(self) -> None:
        with self._lock:
            container = self._container
        if container:
            remove_container(self._api, container)


def _memory_mb(profile: Profile) -> int:
    """Installing takes more than running, whatever the profile allows a session."""
    return max(profile.memory_mb, _LEAST_MEMORY_MB)


def _limits(profile: Profile, labels: Mapping[str, str]) -> dict[str, Any]:
    """The build container's cage: root inside, but no privilege, no host path, no log.

    The tree and the temporary files are in anonymous volumes: on disk, never in the layer, and
    removed with the container.
    """
    memory = f"{_memory_mb(profile)}m"
    volumes = [
        docker.types.Mount(path, None, "volume", labels=dict(labels)) for path in ("/work", "/tmp")
    ]
    limits: dict[str, Any] = {
        "network_mode": "bridge",
        "cap_drop": ["ALL"],
        "cap_add": list(ROOT_CAPABILITIES),
        "security_opt": ["no-new-privileges"],
        "pids_limit": max(profile.pids, _LEAST_PIDS),
        "mem_limit": memory,
        "memswap_limit": memory,
        "ipc_mode": "private",
        "ulimits": [docker.types.Ulimit(name="core", soft=0, hard=0)],
        "log_config": docker.types.LogConfig(type="none"),
        "mounts": volumes,
    }
    if profile.cpus:
        limits["nano_cpus"] = int(profile.cpus * 1e9)
    return limits
