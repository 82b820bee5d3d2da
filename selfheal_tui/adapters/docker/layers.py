"""The image of a session as a pile: a base, the detected set-up, and one layer a kept command.

Each layer is known by the image below it and by its own recipe. Refuses to run anything.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence

import docker

from selfheal_tui.adapters.docker.calls import ENGINE_FAULTS
from selfheal_tui.adapters.docker.images import Image
from selfheal_tui.adapters.docker.setup import cached_setup
from selfheal_tui.core.approval import SetupRequest
from selfheal_tui.core.recipe import PLACE, Recipe
from selfheal_tui.core.tree import TreeFile

HEALED = "healed"

_BY_MANIFEST = re.compile(r"\bnpm (?:ci\b|install --no-package-lock)|\b(?:yarn|pnpm) install\b")
_MANIFESTS = frozenset(
    ("package.json", "package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml",
     "pnpm-workspace.yaml", "yarn.lock", ".npmrc", ".yarnrc", ".yarnrc.yml")
)  # fmt: skip


def healed(command: str, files: Sequence[TreeFile]) -> Recipe:
    """A set-up that a red check asked for. Where it installs whatever files of the project name,
    these decide what it does: it stands with their bytes."""
    by_manifest = _BY_MANIFEST.search(command) is not None
    paths = (file.path for file in files if posixpath.basename(file.path) in _MANIFESTS)
    return Recipe(HEALED, command, PLACE, tuple(sorted(paths)) if by_manifest else ())


class Layers:
    """`pending` are the recipes that no layer is there for yet, in their order."""

    def __init__(
        self,
        base: Image,
        detected: Recipe | None,
        commands: Iterable[str],
        files: Sequence[TreeFile],
    ) -> None:
        self.detected = detected
        self.pending: tuple[Recipe, ...] = (
            *([detected] if detected else []),
            *(healed(command, files) for command in commands),
        )
        self._pile: list[tuple[Recipe | None, Image]] = [(None, base)]

    @property
    def image(self) -> Image:
        return self._pile[-1][1]

    @property
    def last(self) -> Recipe:
        """The recipe of the layer on top."""
        recipe = self._pile[-1][0]
        assert recipe is not None, "there is a layer on the base"
        return recipe

    @property
    def commands(self) -> tuple[str, ...]:
        """What the layers above the detected set-up were made by."""
        recipes = (recipe for recipe, _ in self._pile if recipe is not None)
        return tuple(recipe.command for recipe in recipes if recipe.name == HEALED)

    @property
    def place(self) -> str:
        """The command that puts back what the layers keep of the tree; empty without a layer."""
        places = [recipe.place for recipe, _ in self._pile if recipe is not None]
        return places[0] if places else ""

    async def find(self, client: docker.DockerClient, files: Sequence[TreeFile]) -> None:
        """Take the layers that are there already, up to the first that is not."""
        while self.pending:
            recipe = self.pending[0]
            found = await cached_setup(client, self.image, recipe, files)
            if found is None:
                return
            self.add(recipe, found)
            self.pending = self.pending[1:]

    def request(self) -> SetupRequest | None:
        """All that is pending, as one request; None where nothing is."""
        if not self.pending:
            return None
        asks = self.detected if self.detected in self.pending else None
        reasons = [f"the project's own files ask for it ({asks.name})"] if asks else []
        if any(recipe is not asks for recipe in self.pending):
            reasons.append("it is kept for this repository (see `selfheal config`)")
        return SetupRequest(
            " &&\n".join(recipe.command for recipe in self.pending),
            "; ".join(reasons),
            self.image.name,
            tuple(sorted({path for recipe in self.pending for path in recipe.files})),
        )

    def give_up(self) -> tuple[Recipe, ...]:
        """What is pending, which is not any more."""
        left, self.pending = self.pending, ()
        return left

    def add(self, recipe: Recipe, image: Image) -> None:
        self._pile.append((recipe, image))

    def drop(self) -> Image:
        """Take the layer on top off again, and give it."""
        assert len(self._pile) > 1, "the base stays"
        return self._pile.pop()[1]


def remove_layer(client: docker.DockerClient, name: str) -> None:
    """Remove the image of a layer that helped nobody. Blocks."""
    try:
        client.api.remove_image(name)
    except ENGINE_FAULTS:
        # Another session may stand on it; then it is not nobody's.
        return
