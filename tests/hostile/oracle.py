"""Checks all ten invariants after a scenario, and says which are broken, each as a sentence that
begins with its number. Never stops at the first.

    with Oracle(scene, server=server) as oracle:
        ran = scene.heal(server.base_url, "--check", "sh check.sh", "--push", "origin/healed")
    assert oracle.broken(ran) == []

Looks only from outside: at files, git objects, the engine, the model's requests and the bytes of
the terminal; never through the product's own code.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from selfheal_tui.adapters.local_copies import sweep_copies
from tests.hostile.chained import chain_of
from tests.hostile.consents import Record, recorded
from tests.hostile.gitfacts import NONE, Objects, refs_of
from tests.hostile.leaks import Sentinels
from tests.hostile.manifests import differences, manifest
from tests.hostile.scene import SECRETS, Ran, Scene, marks
from tests.hostile.tally import BROKEN, SCENARIOS, count
from tests.hostile.terminal_bytes import offences
from tests.hostile.watching import Watch, left_on_engine, processes_with

PATIENCE = 10.0
"""Seconds in which everything of ours must be gone."""


class Oracle:
    """A context around a scenario of `scene`; `broken` tells what it came to.

    `server` is the scripted model, or several. `secrets` are further sentinels. `allowed` are
    paths of the host that the scenario itself changes. `engine` False: no look at Docker.
    `watch` is one that several scenarios share: whoever made it looks for secrets in it. `mine`
    is the message of commits that the user makes meanwhile.
    """

    def __init__(
        self,
        scene: Scene,
        *,
        server: Any = None,
        secrets: Sequence[str] = (),
        allowed: Iterable[Path] = (),
        engine: bool = True,
        patience: float = PATIENCE,
        watch: Watch | None = None,
        mine: str = "",
    ) -> None:
        self._mine = mine
        self._scene = scene
        self._servers = server if isinstance(server, list) else [server] if server else []
        self._sentinels = Sentinels([*SECRETS, *secrets])
        self._allowed = set(allowed)
        self._engine = engine
        self._patience = patience
        self._watch = watch or Watch(engine=engine)
        self._shares = watch is not None
        self.consents = Record()
        """What a test without a session approves: `oracle.consents.grant("commit", {...})`."""

    def __enter__(self) -> Oracle:
        scene = self._scene
        self._folder = Path(tempfile.mkdtemp(prefix="oracle-", dir=scene.folder.parent))
        self._objects = Objects(scene.git_dir, self._folder)
        self.user_acted()
        if not self._shares:
            self._watch.__enter__()
        return self

    def user_acted(self) -> None:
        """What is there now is the user's own doing: it is what must be kept from here on."""
        scene = self._scene
        self._before_outside = self._outside()
        self._before_tree = self._worktree()
        self._before_git = self._git()
        self._before_refs = refs_of(scene.git_dir)
        self._before_index = self._index()
        self._before_remote = refs_of(scene.remote)

    def __exit__(self, *_: object) -> None:
        if not self._shares:
            self._watch.__exit__()

    def broken(self, ran: Ran | None = None) -> list[str]:
        """The broken invariants as sentences. `ran` is the last run; None for a scenario of
        adapters alone."""
        self._record = recorded(self._scene.state, self._folder)
        for kind, requests in self.consents.granted.items():
            for request in requests:
                self._record.grant(kind, request)
        if self._scene.killed:
            # The copy of a killed run goes with the next one that makes a copy.
            sweep_copies(self._scene.temporary)
        broken = [
            *self._executed(),
            *self._changed_outside(),
            *self._changed_in_git(),
            *self._not_as_approved(),
            *self._wrong_at_remotes(),
            *self._leaked(ran),
            *self._sent_to_terminal(ran),
            *self._left_behind(),
            *self._lost(ran),
            *self._lies(ran),
            *self._unaccounted(),
        ]
        count(SCENARIOS)
        count(BROKEN, len(broken))
        return broken

    # --- 1: nothing of theirs is executed --------------------------------------------------

    def _executed(self) -> Iterator[str]:
        for name in marks(self._scene.ran):
            yield f"1: a planted payload ran on the host: {name}"

    # --- 2: nothing outside the worktree and our own state ---------------------------------

    def _outside(self) -> Any:
        scene = self._scene
        ours = {scene.repository, scene.state, scene.ran, scene.remote, scene.git_dir, scene.out}
        return manifest(scene.folder, ours | self._allowed)

    def _worktree(self) -> Any:
        leave_out = {self._scene.repository / ".git", self._scene.git_dir} | self._allowed
        return manifest(self._scene.repository, leave_out)

    def _changed_outside(self) -> Iterator[str]:
        for path, how in differences(self._before_outside, self._outside()).items():
            yield f"2: outside the worktree, {path} {how}"
        allowed = self._approved_paths()
        folders = {str(parent) for path in allowed for parent in Path(path).parents}
        for path, how in differences(self._before_tree, self._worktree()).items():
            of_folder = path in folders and how in {"appeared", "vanished"}
            if path not in allowed and not of_folder:
                yield f"2: in the worktree, {path} {how} and was not approved"

    def _approved_paths(self) -> set[str]:
        paths: set[str] = set()
        for request in self._record.approved("commit"):
            if request["update_worktree"] and self._objects.has(request["tree"]):
                paths |= self._objects.changed(request["parent"], request["tree"])
        for request in self._record.approved("worktree") + self._record.approved("undo"):
            paths |= set(request["paths"])
        return paths

    # --- 3: only objects, the named ref, and the index when approved ------------------------

    def _git(self) -> Any:
        return manifest(self._scene.git_dir, self._allowed)

    def _index(self) -> dict[str, str]:
        return self._objects.index(self._scene.git_dir / "index")

    def _changed_in_git(self) -> Iterator[str]:
        refs = self._approved_refs()
        moves = [request for request in self._moving() if request["update_worktree"]]
        for path, how in differences(self._before_git, self._git()).items():
            if path.startswith("objects") and how == "appeared":
                continue
            if any(_belongs(path, ref) for ref in refs) or (path == "index" and moves):
                continue
            if path == "logs/HEAD" and moves:
                continue
            yield f"3: in .git, {path} {how}"
        allowed, before, after = self._approved_paths(), self._before_index, self._index()
        for path in sorted(before.keys() | after.keys()):
            if before.get(path) != after.get(path) and path not in allowed:
                yield f"3: the index has another entry for {path}, which was not approved"

    def _moving(self) -> list[dict[str, Any]]:
        return self._record.approved("commit") + self._record.approved("undo")

    def _approved_refs(self) -> set[str]:
        return {request["ref"] for request in self._moving()}

    # --- 4: what is committed and pushed is what was approved --------------------------------

    def _not_as_approved(self) -> Iterator[str]:
        after = refs_of(self._scene.git_dir)
        for ref in sorted(self._before_refs.keys() | after.keys()):
            old, new = self._before_refs.get(ref, ""), after.get(ref, "")
            if old != new and self._scene.git_dir / ref not in self._allowed:
                yield from self._wrong_move(ref, old, new)
        for event in self._record.of("Committed"):
            made = self._objects.commit(event["commit"])
            if made is None or made.tree != event["tree"]:
                yield f"4: the commit {event['commit']} that is told of does not hold its tree"

    def _wrong_move(self, ref: str, old: str, new: str) -> Iterator[str]:
        """Back from the new value, commit by approved commit, to the old one."""
        at = new
        while at and at != old:
            at = self._below_mine(at)
            if at == old:
                return
            made = self._objects.commit(at)
            wanted = [
                request for request in self._record.approved("commit") if request["ref"] == ref
            ]
            if made is None or not any(_is_made_by(made, request) for request in wanted):
                break
            at = made.parent
            if not old and any(request["old"] == NONE for request in wanted):
                return
        if at == old and new:
            return
        undone = [one for one in self._record.approved("undo") if one["ref"] == ref]
        if not any(one["new"] == new for one in undone):
            yield f"4: {ref} went from {old or 'nothing'} to {new or 'nothing'}, not approved"

    def _below_mine(self, commit: str) -> str:
        """This commit, or the first one below it that the user did not make meanwhile."""
        while self._mine and (made := self._objects.commit(commit)):
            if made.message.strip() != self._mine:
                break
            commit = made.parent
        return commit

    # --- 5: the remote has the one ref more, and the decoy nothing ---------------------------

    def _wrong_at_remotes(self) -> Iterator[str]:
        scene = self._scene
        objects = Objects(scene.remote, self._folder)
        after = refs_of(scene.remote)
        for ref in sorted(self._before_remote.keys() | after.keys()):
            old, new = self._before_remote.get(ref, ""), after.get(ref, "")
            if old == new:
                continue
            wanted = [one for one in self._record.approved("push") if one["ref"] == ref]
            if not any(one["commit"] == new and self._is_remote(one["url"]) for one in wanted):
                yield f"5: at the remote, {ref} became {new or 'deleted'}, which was not approved"
            elif old and not objects.is_ancestor(old, new):
                yield f"5: at the remote, {ref} was moved by force from {old} to {new}"

    def _is_remote(self, url: str) -> bool:
        plain = url.removeprefix("file://").rstrip("/")
        return Path(plain).resolve() == self._scene.remote.resolve()

    # --- 6: no secret anywhere ---------------------------------------------------------------

    def _leaked(self, ran: Ran | None) -> Iterator[str]:
        found = self._sentinels.found
        for server in self._servers:
            for number, request in enumerate(server.requests, 1):
                for secret in found(request.body) + found(request.path):
                    yield f"6: request {number} to the model holds {secret}"
        for folder in (self._scene.state, self._scene.out):
            for where, secret in self._sentinels.in_folder(folder, self._folder):
                yield f"6: {where} holds {secret}"
        for git_dir, before in (
            (self._scene.git_dir, self._before_refs),
            (self._scene.remote, self._before_remote),
        ):
            for ref, new in _moved(before, refs_of(git_dir)):
                made = Objects(git_dir, self._folder).commit(new)
                words = f"{ref} {made.message if made else new}"
                yield from (f"6: {ref} or its commit holds {one}" for one in found(words))
        for (what, _), secret in self._found_by_watch():
            yield f"6: {what} holds {secret}"
        for secret in found(ran.out + ran.err + ran.drawn) if ran else ():
            yield f"6: the output holds {secret}"

    def _found_by_watch(self) -> Iterator[tuple[tuple[str, str], str]]:
        for seen in () if self._shares else list(self._watch.seen):
            yield from ((seen, secret) for secret in self._sentinels.found(seen[1]))

    # --- 7: nothing but text and our own sequences at the terminal ----------------------------

    def _sent_to_terminal(self, ran: Ran | None) -> Iterator[str]:
        if ran is None:
            return
        for name, data in (("standard output", ran.out), ("standard error", ran.err)):
            yield from (f"7: {name} has {offence}" for offence in offences(data))
        for offence in offences(ran.drawn, interface=True):
            yield f"7: the terminal was sent {offence}"

    # --- 8: nothing is left -------------------------------------------------------------------

    def _left_behind(self) -> Iterator[str]:
        end = time.monotonic() + self._patience
        while (left := self._left()) and time.monotonic() < end:
            time.sleep(0.2)
        yield from (f"8: left behind: {name}" for name in left)

    def _left(self) -> list[str]:
        scene = self._scene
        left = [
            str(file.relative_to(scene.folder))
            for place in (scene.git_dir, scene.state, scene.remote)
            for file in place.rglob("*.lock")
            if file not in self._allowed
            and (place != scene.git_dir or str(file.relative_to(place)) not in self._before_git)
        ]
        left += [f"process {one}" for one in processes_with(f"SELFHEAL_STATE_DIR={scene.state} ")]
        if self._engine:
            left += left_on_engine(set(self._record.exits), self._watch)
        return left

    # --- 9: what was done can be taken up -----------------------------------------------------

    def _lost(self, ran: Ran | None) -> Iterator[str]:
        if self._record.broken:
            yield f"9: {self._record.broken}"
        damaged = self._scene.state.glob("sessions.db.damaged-*")
        yield from (f"9: the sessions were put away as {file.name}" for file in damaged)
        if ran and "--resume" in ran.arguments and ran.exit_code in {2, 70}:
            yield f"9: --resume ended with {ran.exit_code}: {ran.says[-300:]!r}"

    # --- 10: the exit code and the last line are true -----------------------------------------

    def _lies(self, ran: Ran | None) -> Iterator[str]:
        yield from self._false_claims()
        if ran is None or ran.exit_code < 0:
            return
        ended = self._record.of("SessionEnded")
        last = ended[-1] if ended and ran.arguments[:1] != ("undo",) else None
        if last is None and ran.exit_code == 0 and ended and not self._record.of("Undone"):
            yield "10: exit 0 of an undo, but nothing was undone"
        # The session is done and recorded then; what was lost is the report of it.
        is_unreported = ran.exit_code == 70 and "output lost" in ran.says
        if last and not (ran.drawn or is_unreported) and last["exit_code"] != ran.exit_code:
            yield f"10: the exit code is {ran.exit_code}, the session's {last['exit_code']}"
        if ran.exit_code != 0 and not ran.says.strip() and not ran.drawn:
            yield f"10: exit {ran.exit_code} without a word"
        if last and ran.exit_code == 0 and last["exit_code"] == 0:
            yield from self._not_done(ran, last)
        if last and ran.last_line.startswith("{") is False and ran.out:
            said = f"{last['outcome']} (exit {last['exit_code']}): "
            if "json" not in " ".join(ran.arguments) and said not in ran.says:
                yield f"10: the last line is {ran.last_line!r}, the outcome {said!r}"

    def _not_done(self, ran: Ran, last: dict[str, Any]) -> Iterator[str]:
        is_green = last["outcome"] == "already green"
        if "--push" in ran.arguments and not is_green and not self._record.of("Pushed"):
            yield f"10: exit 0, but the push that was asked for was not made: {last['text']}"
        if "--yes" in ran.arguments and not is_green and not self._record.of("Committed"):
            yield f"10: exit 0, but there is no commit: {last['text']}"

    def _unaccounted(self) -> Iterator[str]:
        """The audit log is whole, and has an approval for every commit and push there is."""
        chain = chain_of(self._scene.state, self._folder / "database" / "sessions.db")
        if chain is None:
            return
        if chain.broken:
            yield f"10: the audit log is broken: {chain.broken}"
            return
        yield from (f"10: the audit log has a {deed}" for deed in chain.unapproved())
        granted = self.consents.granted
        for ref, new in _moved(self._before_refs, refs_of(self._scene.git_dir)):
            ours = self._below_mine(new)
            is_mine = ours == self._before_refs.get(ref)
            if is_mine or self._scene.git_dir / ref in self._allowed:
                continue
            made = self._objects.commit(ours)
            told = chain.approved("undo", ref=ref, new=new) or (
                made is not None and chain.approved("commit", ref=ref, tree=made.tree)
            )
            if not told and not {"commit", "undo"} & granted.keys():
                yield f"10: {ref} moved to {new}, and the audit log has no approval of it"
        for ref, new in _moved(self._before_remote, refs_of(self._scene.remote)):
            if not chain.approved("push", ref=ref, commit=new) and "push" not in granted:
                yield f"10: {new} was pushed to {ref}, and the audit log has no approval of it"

    def _false_claims(self) -> Iterator[str]:
        refs, remote = refs_of(self._scene.git_dir), refs_of(self._scene.remote)
        undone = {event["commit"] for event in self._record.of("Undone")}
        for event in self._record.of("Committed"):
            value = refs.get(event["ref"], "")
            reached = value and self._objects.is_ancestor(event["commit"], value)
            if event["commit"] not in undone and not reached:
                yield f"10: {event['ref']} is told to have {event['commit']} and has not"
        at_remote = Objects(self._scene.remote, self._folder)
        for event in self._record.of("Pushed"):
            value = remote.get(event["ref"], "")
            if not value or not at_remote.is_ancestor(event["commit"], value):
                yield f"10: {event['commit']} is told to be pushed and is not at the remote"


def _moved(before: dict[str, str], after: dict[str, str]) -> Iterator[tuple[str, str]]:
    return ((ref, new) for ref, new in after.items() if before.get(ref) != new)


def _belongs(path: str, ref: str) -> bool:
    """Whether a path of `.git` is that of a ref, of its reflog, or a folder on the way there."""
    return any(path == full or full.startswith(path + "/") for full in (ref, f"logs/{ref}"))


def _is_made_by(made: Any, request: dict[str, Any]) -> bool:
    """Whether a commit is what was asked for: its tree, its parent and its message."""
    same = made.message.strip() == request["message"].strip()
    parent = "" if request["parent"] == NONE else request["parent"]
    return same and (made.tree, made.parent) == (request["tree"], parent)
