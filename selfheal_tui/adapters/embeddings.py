"""How alike two failures are, told by static embeddings: words that mean nearly the same count too.

Needs the extra `embeddings`. Refuses to fetch a model: it is a folder of this machine, which the
user names, and nothing is sent anywhere.
"""

from __future__ import annotations

import functools
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from selfheal_tui.core.signature import Signature, words_of
from selfheal_tui.errors import SelfhealError

if TYPE_CHECKING:
    from model2vec import StaticModel

LEAST = 0.5
"""Cosine below which two failures have nothing to tell each other."""

PARTS = ("config.json", "model.safetensors", "tokenizer.json")
"""Files of a model's folder. Without one of them the library would look for it on its makers'
server."""


class ByEmbeddings:
    """Fits `adapters.incidents.Likeness`. Calls raise SelfhealError where the extra is missing, or
    `folder` holds no model (the format of model2vec)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, wanted: Signature, known: Sequence[Signature]) -> Sequence[float]:
        """The cosine of both, 0 where it is under 0.5, in the order of `known`."""
        if not known:
            return []
        texts = [" ".join(words_of(each)) for each in (wanted, *known)]
        vectors = self._model.encode(texts, normalize=True, use_multiprocessing=False)
        alike = [min(float(vector @ vectors[0]), 1.0) for vector in vectors[1:]]
        return [found if found >= LEAST else 0.0 for found in alike]

    @functools.cached_property
    def _model(self) -> StaticModel:
        if importlib.util.find_spec("model2vec") is None:
            raise SelfhealError(
                "memory.embeddings needs the package model2vec; install it where selfheal is:"
                f" {sys.executable} -m pip install 'selfheal[embeddings]', or set it to nothing"
            )
        if not self._folder.is_absolute():
            # It would be another folder in each repository, which may bring one along.
            raise SelfhealError(f"memory.embeddings: {self._folder} is no absolute path")
        missing = [name for name in PARTS if not (self._folder / name).is_file()]
        if missing:
            raise SelfhealError(
                f"memory.embeddings: {self._folder} is no folder of a model2vec model:"
                f" {', '.join(missing)} is missing"
            )
        from model2vec import StaticModel

        try:
            return StaticModel.from_pretrained(self._folder, force_download=False)
        except Exception as error:
            raise SelfhealError(
                f"memory.embeddings: the model in {self._folder} cannot be read: {error}"
            ) from error
