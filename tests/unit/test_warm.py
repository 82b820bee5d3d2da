"""Getting ready before there is a task, over real parts: what is missing is told, the task comes
back, and sending it again works as soon as it is there."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from selfheal_tui.adapters.scripted import ScriptedModel
from selfheal_tui.agent.deliver import Target
from selfheal_tui.cli.compose import Place, compose
from selfheal_tui.cli.live import LiveConductor
from selfheal_tui.cli.models import model_in_use
from selfheal_tui.cli.readying import Bench
from selfheal_tui.core.approval import Answer, key_of
from selfheal_tui.core.events import MessageSent, SessionEnded, SessionStarted
from selfheal_tui.core.redact import Redactor
from selfheal_tui.errors import ModelError
from selfheal_tui.folders import make_private
from selfheal_tui.settings import CheckSettings, ModelSettings, SandboxSettings, Settings
from selfheal_tui.ui.conductor import Asked, Happened, NotStarted, Readied
from tests.support.headless import Workplace
from tests.support.sessions import FILES, NO_ROLES, Scripted, submitted, write

LOCAL = Settings(
    check=CheckSettings("sh check.sh", timeout=30),
    flow=NO_ROLES,
    sandbox=SandboxSettings(name="local"),
)
HEALS = [submitted(write("a.txt", "b\n"))]


class Heard:
    """Everything that a conductor told, as it comes; approvals are granted."""

    def __init__(self, conductor):
        self.news = []
        self._conductor = conductor
        self._came = asyncio.Event()
        self._task = asyncio.ensure_future(self._listen())

    async def _listen(self):
        async for batch in self._conductor.news():
            self.news += batch
            for item in batch:
                if isinstance(item, Asked):
                    self._conductor.answer(Answer(key_of(item.request), True, "user"))
            self._came.set()

    async def until(self, wanted):
        """The first news that `wanted` is true of, from now on or before."""
        while True:
            self._came.clear()
            if found := [item for item in self.news if wanted(item)]:
                return found[-1]
            await asyncio.wait_for(self._came.wait(), 60)

    def steps(self):
        """How each step stands now: pairs of state and detail."""
        told = [item for item in self.news if isinstance(item, Readied)]
        return {step.name: (step.state, step.detail) for step in told}

    def events(self, kind):
        return [
            item.event
            for item in self.news
            if isinstance(item, Happened) and isinstance(item.event, kind)
        ]


def event_of(kind):
    return lambda item: isinstance(item, Happened) and isinstance(item.event, kind)


def not_started(item):
    return isinstance(item, NotStarted)


@asynccontextmanager
async def live(tmp_path, settings=LOCAL, script=(), files=FILES, **environment):
    """A conductor over a repository, its news, and the place. `script` replaces the real model."""
    work = Workplace(tmp_path, files)
    state = make_private(tmp_path / "state")
    host = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "SELFHEAL_STATE_DIR": str(state)}
    host |= environment
    place = Place(work.repository, work.repository, host, tmp_path / "config")
    records = place.store()
    ids = iter(f"s{number}" for number in range(1, 9))

    async def parts_for(settings, session):
        parts = compose(place, settings, session, records, Redactor())
        model = Scripted(ScriptedModel(list(script)))
        return replace(parts, models=model) if script else parts

    bench = Bench(
        place=place,
        records=records,
        target=Target,
        parts_for=parts_for,
        new_id=lambda: next(ids),
        no_check=lambda settings: settings.check.command == "none",
        model=lambda settings: "scripted" if script else model_in_use(settings.model, host),
    )
    conductor = LiveConductor(bench, settings)
    heard = Heard(conductor)
    try:
        yield conductor, heard
    finally:
        await conductor.close()
        await heard._task
        records.close()


async def test_everything_is_told_as_a_step_and_what_was_typed_before_is_kept(tmp_path):
    async with live(tmp_path, script=HEALS) as (conductor, heard):
        conductor.open()
        conductor.start("put b into a.txt")
        conductor.say("and nothing else")
        await heard.until(event_of(SessionEnded))
        assert heard.steps() == {
            "repository": ("ready", f"{conductor._bench.place.repository} · main · 2 files"),
            "check": ("ready", "sh check.sh"),
            "model": ("ready", "scripted"),
            "model library": ("ready", "loaded"),
            "engine": ("ready", "none: commands run on this machine as you, with no isolation"),
            "image": ("ready", "none is needed"),
        }
        told = [event.text for event in heard.events(MessageSent)]
        assert told == ["and nothing else"]
        (ended,) = heard.events(SessionEnded)
        assert (ended.exit_code, ended.outcome) == (0, "committed")
        assert not any(map(not_started, heard.news))


async def test_without_an_engine_the_task_comes_back_and_no_session_is_begun(tmp_path):
    settings = replace(LOCAL, sandbox=SandboxSettings())
    nowhere = f"unix://{tmp_path}/none.sock"
    options = {"settings": settings, "script": HEALS, "DOCKER_HOST": nowhere}
    async with live(tmp_path, **options) as (conductor, heard):
        conductor.open()
        conductor.start("mend it")
        given_back = await heard.until(not_started)
        assert given_back.task == "mend it"
        assert given_back.reason.startswith(f"no container engine at {nowhere} (DOCKER_HOST)")
        steps = heard.steps()
        assert steps["engine"] == ("failed", given_back.reason)
        assert steps["image"] == ("waiting", "needs the engine")
        assert [steps[name][0] for name in ("repository", "check", "model")] == ["ready"] * 3
        assert heard.events(SessionStarted) == []
        assert not conductor.running


async def test_without_a_key_the_task_comes_back_and_works_after_a_model_is_named(tmp_path):
    settings = replace(LOCAL, model=ModelSettings(api_base="http://127.0.0.1:9", retries=0))
    async with live(tmp_path, settings=settings) as (conductor, heard):
        conductor.open()
        conductor.start("mend it")
        given_back = await heard.until(not_started)
        reason = "no model is named, and no provider's key is set"
        assert given_back == NotStarted("mend it", reason)
        assert heard.steps()["model"] == ("failed", reason)
        assert heard.steps()["model library"] == ("waiting", "loaded when there is a model")
        heard.news.clear()
        assert conductor.choose("model", "openai/any") == "model: openai/any"
        conductor.start("mend it")
        # Nothing answers at that endpoint: it got as far as asking.
        again = await heard.until(not_started)
        assert heard.steps()["model"] == ("ready", "openai/any at http://127.0.0.1:9")
        assert len(heard.events(SessionStarted)) == 1
        assert again.task == "mend it"


async def test_without_a_check_the_task_comes_back_and_none_is_an_answer(tmp_path):
    settings = replace(LOCAL, check=CheckSettings())
    options = {"settings": settings, "script": HEALS, "files": {"a.txt": "a\n"}}
    async with live(tmp_path, **options) as (conductor, heard):
        conductor.open()
        conductor.start("mend it")
        given_back = await heard.until(not_started)
        assert given_back == NotStarted("mend it", "no check command was found in this project")
        conductor.choose("check", "none")
        conductor.start("mend it")
        await heard.until(event_of(SessionEnded))
        state, detail = heard.steps()["check"]
        assert (state, detail) == ("ready", "none, as you chose: nothing will be verified")


async def test_what_was_said_to_a_task_that_could_not_begin_is_not_sent_to_the_next_one(tmp_path):
    settings = replace(LOCAL, check=CheckSettings())
    options = {"settings": settings, "script": HEALS, "files": {"a.txt": "a\n"}}
    async with live(tmp_path, **options) as (conductor, heard):
        conductor.open()
        conductor.start("mend it")
        conductor.say("quickly")
        await heard.until(not_started)
        conductor.choose("check", "true")
        conductor.start("mend it")
        await heard.until(event_of(SessionEnded))
        assert "quickly" not in [event.text for event in heard.events(MessageSent)]


async def test_a_repository_in_the_middle_of_a_merge_is_told(tmp_path):
    async with live(tmp_path, script=HEALS) as (conductor, heard):
        git = conductor._bench.place.repository / ".git"
        (git / "MERGE_HEAD").write_text("0" * 40 + "\n")
        conductor.open()
        conductor.start("mend it")
        await heard.until(not_started)
        steps = heard.steps()
        assert steps["repository"][0] == "failed"
        assert "merge" in steps["repository"][1]
        assert steps["image"] == ("waiting", "needs the repository")
        (git / "MERGE_HEAD").unlink()
        conductor.start("mend it")
        await heard.until(event_of(SessionEnded))
        assert heard.steps()["repository"][0] == "ready"


def test_a_key_is_named_by_its_variable_and_never_shown():
    environment = {"OPENAI_API_KEY": "sk-secret"}
    assert model_in_use(ModelSettings(), environment).endswith(", key in OPENAI_API_KEY")
    with pytest.raises(ModelError, match="anthropic/x needs a key: set ANTHROPIC_API_KEY"):
        model_in_use(ModelSettings(name="anthropic/x"), environment)
