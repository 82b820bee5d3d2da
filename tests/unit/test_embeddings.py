"""Likeness by embeddings: a tiny model that is made here stands for one of the user's."""

from __future__ import annotations

import numpy
import pytest
from model2vec import StaticModel
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from selfheal_tui.adapters.embeddings import PARTS, ByEmbeddings
from selfheal_tui.adapters.incidents import IncidentStore
from selfheal_tui.cli.compose import incidents_for
from selfheal_tui.cli.place import Place
from selfheal_tui.core.checks import Failure
from selfheal_tui.core.incident import Incident
from selfheal_tui.core.signature import signature_of
from selfheal_tui.errors import SelfhealError
from selfheal_tui.settings import MemorySettings, Settings

MEANS = {
    "[UNK]": (0.0, 0.0, 1.0),
    "timeout": (1.0, 0.0, 0.0),
    "deadline": (0.95, 0.1, 0.0),
    "price": (0.0, 1.0, 0.0),
}
"""Words and what they mean, in three dimensions."""


def failing(message):
    return signature_of([Failure("t", message)])


def healed(message):
    return Incident(failing(message), f"Mend {message}", "", ("a.py",), "", "/r", "1a2b", 1.0)


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """The folder of a model that knows three words."""
    tokenizer = Tokenizer(WordLevel({word: at for at, word in enumerate(MEANS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    folder = tmp_path_factory.mktemp("model")
    vectors = numpy.array(list(MEANS.values()), dtype="float32")
    StaticModel(vectors, tokenizer).save_pretrained(folder)
    return folder


def test_what_means_the_same_is_alike_and_other_things_are_not(model):
    known = [failing("deadline"), failing("price"), failing("timeout")]
    near, other, same = ByEmbeddings(model)(failing("timeout"), known)
    assert same == pytest.approx(1.0, abs=1e-5)
    assert 0.9 < near < same
    assert other == 0.0


def test_nothing_known_is_compared_with_nothing(tmp_path):
    assert ByEmbeddings(tmp_path)(failing("timeout"), []) == []


def test_a_heal_is_recalled_that_shares_no_word_with_the_failure(model, tmp_path):
    by_words = IncidentStore(tmp_path)
    by_words.remember(healed("deadline"))
    by_words.remember(healed("price"))
    by_meaning = IncidentStore(tmp_path, like=ByEmbeddings(model), everything=True)
    wanted = failing("timeout")
    assert by_words.similar(wanted, 3) == []
    assert [known.incident.message for known in by_meaning.similar(wanted, 3)] == ["Mend deadline"]


@pytest.mark.parametrize("missing", PARTS)
def test_a_folder_that_holds_no_model_is_named_and_nothing_is_fetched(tmp_path, missing):
    for name in set(PARTS) - {missing}:
        (tmp_path / name).touch()
    with pytest.raises(
        SelfhealError, match=rf"no folder of a model2vec model: {missing} is missing"
    ):
        ByEmbeddings(tmp_path)(failing("timeout"), [failing("price")])


def test_a_model_that_cannot_be_read_is_an_error_with_its_folder(model, tmp_path):
    for name in PARTS:
        (tmp_path / name).write_bytes((model / name).read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"not it")
    with pytest.raises(SelfhealError, match=f"the model in {tmp_path} cannot be read"):
        ByEmbeddings(tmp_path)(failing("timeout"), [failing("price")])


def test_a_folder_of_the_repository_is_never_taken_by_a_relative_path(model, tmp_path, monkeypatch):
    monkeypatch.chdir(model.parent)
    with pytest.raises(SelfhealError, match="is no absolute path"):
        ByEmbeddings(model.relative_to(model.parent))(failing("timeout"), [failing("price")])


async def test_the_setting_names_the_folder(model, tmp_path):
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin"}
    place = Place(tmp_path, tmp_path, environment, tmp_path / "config")
    settings = Settings(memory=MemorySettings(embeddings=str(model)))
    kept = incidents_for(place, settings)
    await kept.remember(healed("deadline"))
    (note,) = await kept.similar(failing("timeout"))
    assert "Mend deadline" in note.text
    assert await incidents_for(place, Settings()).similar(failing("timeout")) == ()
