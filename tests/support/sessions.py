"""Whole sessions on real git and the local sandbox, with a scripted model and kept events."""

from __future__ import annotations

from selfheal_tui.adapters.local_provision import LocalProvision
from selfheal_tui.adapters.outline_process import OutlineProcess
from selfheal_tui.adapters.scripted import ScriptedModel, calling
from selfheal_tui.adapters.store import Store
from selfheal_tui.agent.deliver import Target
from selfheal_tui.agent.roles import Models
from selfheal_tui.cli.compose import Place, repository_opener
from selfheal_tui.core.events import AttemptEnded, ProposalMade
from selfheal_tui.core.proof import Proof
from selfheal_tui.core.redact import Redactor
from selfheal_tui.folders import make_private
from selfheal_tui.headless import nobody_answers, yes_to
from selfheal_tui.parts import Order, Parts
from selfheal_tui.session import Session
from selfheal_tui.settings import CheckSettings, FlowSettings, SandboxSettings, Settings
from tests.support.headless import Workplace

FILES = {"check.sh": "grep -qx b a.txt || { echo FAIL: no b; exit 1; }\n", "a.txt": "a\n"}
NO_ROLES = FlowSettings(plan=False, review=False)


def write(path, content):
    return ("write_file", {"path": path, "content": content})


def submit(summary="Done.", message="Mend it"):
    return ("submit", {"summary": summary, "commit_message": message})


def submitted(*calls, summary="Done."):
    return calling(*calls, submit(summary))


class Scripted:
    def __init__(self, model):
        self.model = model

    def roles(self):
        return Models(self.model, self.model, self.model)

    async def prepare(self):
        pass

    async def close(self):
        pass


class Bench:
    """A repository, and runs of sessions on it whose events are kept."""

    def __init__(self, tmp_path, files):
        self.place = Workplace(tmp_path, files)
        self.state = make_private(tmp_path / "state")
        self.store = Store(self.state)
        self.settings = Settings(
            check=CheckSettings("sh check.sh", timeout=30),
            flow=NO_ROLES,
            sandbox=SandboxSettings(name="local"),
        )
        self.order = Order("s1", "try", str(self.place.repository), Target())
        self.redactor = Redactor()
        self.provision = LocalProvision()
        self.incidents = None
        self.outliner = OutlineProcess()
        self.wrap_repository = lambda repository: repository
        self.events = []
        self.model = None

    def session(self, script, ask=None, show=None):
        self.model = script if hasattr(script, "complete") else ScriptedModel(script)
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.place.folder)}
        environment["SELFHEAL_STATE_DIR"] = str(self.state)
        here = self.place.repository
        place = Place(here, here, environment, self.place.folder / "config")
        return Session(
            order=self.order,
            settings=self.settings,
            parts=Parts(
                self._opener(repository_opener(place, self.order.session)),
                self.provision,
                Scripted(self.model),
                self.store,
                self.redactor,
                incidents=self.incidents,
                outliner=self.outliner,
            ),
            ask=ask or yes_to(push=bool(self.order.target.remote)),
            ask_user=nobody_answers,
            show=show or self.events.append,
        )

    def _opener(self, opened):
        async def open_repository():
            repository, shadow, warnings = await opened()
            return self.wrap_repository(repository), shadow, warnings

        return open_repository

    async def run(self, script, ask=None):
        return await self.session(script, ask).run()

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def outcomes(self):
        return [event.outcome for event in self.of(AttemptEnded)]

    @property
    def proof(self):
        (made,) = self.of(ProposalMade)
        return Proof.from_json(made.proof)
