"""Gets a Docker sandbox ready: engine, sweep, profile, image, set-up layer. Opens containers.

Refuses to reach the network for anything but images and an approved set-up command.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import docker

from selfheal_tui.adapters.docker.calls import in_thread
from selfheal_tui.adapters.docker.container import OFF
from selfheal_tui.adapters.docker.engine import connect, facts
from selfheal_tui.adapters.docker.hostnetwork import HostNetworkSettings
from selfheal_tui.adapters.docker.images import Image, ensure_image, find_image, resolve_image
from selfheal_tui.adapters.docker.layers import Layers, healed, remove_layer
from selfheal_tui.adapters.docker.owner import labels_for, this_process
from selfheal_tui.adapters.docker.profiles import detect, named
from selfheal_tui.adapters.docker.sandbox import open_docker_sandbox
from selfheal_tui.adapters.docker.setup import cached_setup, ensure_setup
from selfheal_tui.adapters.docker.sweep import sweep
from selfheal_tui.adapters.kept_setups import KeptSetups
from selfheal_tui.agent.ports import Sandbox
from selfheal_tui.core.approval import Granted, SetupRequest
from selfheal_tui.core.devcontainer import DEVCONTAINER_FILES, read_devcontainer
from selfheal_tui.core.profile import Profile
from selfheal_tui.core.recipe import Recipe, find_recipe
from selfheal_tui.core.tree import TreeFile
from selfheal_tui.errors import SandboxError, SelfhealError
from selfheal_tui.settings import SandboxSettings

Say = Callable[[str], None]

ON = "bridge"
"""The engine's network of a sandbox that has one."""


class DockerProvision:
    """Fits `parts.Provision`."""

    def __init__(
        self,
        *,
        session: str,
        settings: SandboxSettings,
        profiles: Sequence[Profile],
        environment: Mapping[str, str],
        kept: KeptSetups | None = None,
    ) -> None:
        self._kept = kept
        self._session = session
        self._settings = settings
        self._profiles = profiles
        self._environment = environment
        self._host = HostNetworkSettings.from_environment(environment)
        self._client: docker.DockerClient | None = None
        self._profile: Profile | None = None
        self._layers: Layers | None = None
        self._tried: list[str] = []
        self._files: Sequence[TreeFile] = ()
        self._warnings: list[str] = []

    @property
    def place(self) -> str:
        return self._layers.place if self._layers else ""

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(self._warnings)

    @property
    def image(self) -> str:
        if self._profile is None or self._layers is None:
            return ""
        return f"{self._layers.image.name}, profile {self._profile.name}"

    async def reach(self, say: Say) -> str:
        """Raises SandboxError when no engine answers, with what to do about it."""
        found = await in_thread(facts, await self._engine(say))
        return f"{found.product} {found.version} at {found.endpoint}"

    async def prepare(self, files: Sequence[TreeFile], say: Say) -> None:
        """Raises SandboxError when no engine answers or no image can be had."""
        self._files = files
        # What was prepared once is prepared again for the session: nothing is to be said twice.
        self._warnings = []
        client = await self._engine(say)
        self._profile = self._chosen_profile()
        if self._profile.root:
            self._warnings.append(
                f"the sandbox profile {self._profile.name} has a root user and a writable root"
            )
        base = await self._base(client, self._profile, say)
        self._layers = Layers(base, self._recipe(), self._kept_commands(), files)
        await self._layers.find(client, files)
        if self._layers.pending and self._settings.network == "off":
            for recipe in self._layers.give_up():
                self._warnings.append(
                    f"`{recipe.command}` was not run: the network is off (--network off)"
                )
        if self._settings.network == "on":
            self._warnings.append("the sandbox's network is always on (--network on)")

    def setup_request(self) -> SetupRequest | None:
        return self._layers.request() if self._layers else None

    async def setup(self, granted: Granted[SetupRequest], say: Say) -> None:
        if granted.request != self.setup_request():
            raise SandboxError("the set-up that was approved is not the one that is needed now")
        _, _, layers = self._ready()
        for recipe in layers.pending:
            try:
                layers.add(recipe, await self._run(recipe, say))
            except SandboxError as error:
                if recipe is layers.detected:
                    raise
                self._warnings.append(f"a kept set-up command failed and is left out: {error}")
        layers.give_up()

    @property
    def extensions(self) -> tuple[str, ...]:
        return self._layers.commands if self._layers else ()

    def extension(self, command: str, reason: str) -> SetupRequest | str:
        if self._settings.network == "off":
            return f"`{command}` is not run: the network is off (--network off)"
        _, _, layers = self._ready()
        recipe = healed(command, self._files)
        return SetupRequest(command, reason, layers.image.name, recipe.files)

    async def extend(self, granted: Granted[SetupRequest], say: Say) -> str:
        request = granted.request
        if request != self.extension(request.command, request.reason):
            raise SandboxError("the set-up was approved for another image than there is now")
        _, _, layers = self._ready()
        recipe = healed(request.command, self._files)
        there = await cached_setup(self._ready()[0], layers.image, recipe, self._files)
        layers.add(recipe, there or await self._run(recipe, say))
        if there is None:
            # One that is there already may be what another repository's sessions stand on.
            self._tried.append(layers.image.name)
        return layers.image.name

    def keep_extension(self) -> None:
        _, profile, layers = self._ready()
        if self._kept is not None:
            detected = layers.detected.command if layers.detected else ""
            self._kept.add(layers.last.command, profile=profile.name, detected=detected)
        self._tried = [name for name in self._tried if name != layers.image.name]

    def drop_extension(self) -> None:
        _, _, layers = self._ready()
        layers.drop()

    async def _run(self, recipe: Recipe, say: Say) -> Image:
        client, profile, layers = self._ready()
        return await ensure_setup(
            client,
            layers.image,
            recipe,
            self._files,
            profile,
            say,
            labels=labels_for(self._session, this_process()),
            network=self._host,
            timeout=self._settings.setup_timeout,
        )

    async def open(self) -> Sandbox:
        client, profile, layers = self._ready()
        image = layers.image
        return await open_docker_sandbox(
            client,
            image.id,
            profile,
            self._session,
            image_name=image.name,
            network=ON if self._settings.network == "on" else OFF,
            tree_bytes=sum(len(file.content) for file in self._files),
        )

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            for name in reversed(self._tried):
                await in_thread(remove_layer, client, name)
            await in_thread(client.close)

    async def _engine(self, say: Say) -> docker.DockerClient:
        if self._client is None:
            self._client = await in_thread(connect, self._environment)
            for name in await sweep(self._client):
                say(f"removed {name}, left over from an earlier run")
        return self._client

    def _chosen_profile(self) -> Profile:
        if self._settings.name:
            return named(self._profiles, self._settings.name)
        roots = {file.path.split("/")[0] for file in self._files}
        return detect(self._profiles, roots)

    async def _base(self, client: docker.DockerClient, profile: Profile, say: Say) -> Image:
        if self._settings.image:
            return await resolve_image(client, self._settings.image, say)
        named_by_project = await self._devcontainer(client)
        if named_by_project is not None:
            return named_by_project
        base = self._settings.base_image or None
        return await ensure_image(client, profile, base, say, network=self._host)

    async def _devcontainer(self, client: docker.DockerClient) -> Image | None:
        """The image that the project's devcontainer names, if it is here: what a repository says
        never makes us pull anything."""
        content = {file.path: file.content for file in self._files}
        name = next((name for name in DEVCONTAINER_FILES if name in content), "")
        if not name or self._settings.name:
            return None
        found = read_devcontainer(content[name])
        if found.note:
            self._warnings.append(found.note)
        if not found.image:
            return None
        image = await in_thread(find_image, client, found.image)
        if image is None:
            self._warnings.append(
                f"{name} names the image {found.image}, which is not here: the sandbox profile's"
                f" own is used; to use it, say --image {found.image}"
            )
        return image

    def _recipe(self) -> Recipe | None:
        content = {file.path: file.content for file in self._files}
        found = find_recipe(content, content.__getitem__)
        self._warnings += found.warnings
        return found.recipe

    def _kept_commands(self) -> tuple[str, ...]:
        try:
            return self._kept.read().commands if self._kept else ()
        except SelfhealError as error:
            self._warnings.append(f"the kept set-up commands are not used: {error}")
            return ()

    def _ready(self) -> tuple[docker.DockerClient, Profile, Layers]:
        if self._client is None or self._profile is None or self._layers is None:
            raise SandboxError("the sandbox was not prepared")
        return self._client, self._profile, self._layers
