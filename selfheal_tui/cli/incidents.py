"""`selfheal incidents`: what is remembered of earlier heals, to be read, reworded and deleted."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from selfheal_tui.adapters.incidents import IncidentStore
from selfheal_tui.adapters.runbooks import FILE, read_runbook
from selfheal_tui.cli.parser import Parser, at_least
from selfheal_tui.cli.place import Place
from selfheal_tui.cli.wording import edited
from selfheal_tui.core.incident import Known, day, note_of
from selfheal_tui.core.plainjson import plain_json
from selfheal_tui.core.redact import Redactor
from selfheal_tui.core.text import on_one_line, one_line, printable
from selfheal_tui.errors import ApprovalRefused, UsageError
from selfheal_tui.settings import Settings, resolve


def main(arguments: Sequence[str]) -> int:
    options = _parser().parse_args(arguments)
    place = Place.from_process(None)
    settings, _ = resolve(
        file=place.config_file,
        repository=str(place.repository),
        environment=place.environment,
        flags={},
    )
    store = IncidentStore(place.state())
    if not settings.memory.enabled:
        _say("memory is switched off (memory.enabled): nothing is kept or recalled")
    try:
        match options.action:
            case "show":
                _show(_found(store, options.id), as_json=options.json)
            case "edit":
                _edit(store, options, place, settings)
            case "delete":
                _delete(store, options)
            case _:
                _list(store, place, as_json=options.json)
    finally:
        if store.warning:
            _say(store.warning)
    return 0


def _parser() -> Parser:
    parser = Parser(
        prog="selfheal incidents",
        description="What is remembered of earlier heals, and told to the model when something"
        " alike fails. It stays on this machine.",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    listing = actions.add_parser("list", help="all of them, the latest first (the default)")
    listing.add_argument("--json", action="store_true", help="one JSON object a line")
    show = actions.add_parser("show", help="one of them: what failed, what fixed it, its note")
    show.add_argument("--json", action="store_true", help="as one JSON object")
    edit = actions.add_parser("edit", help="put a note into your own words")
    edit.add_argument("--text", help='the note; without it your editor opens ("": made anew)')
    delete = actions.add_parser("delete", help="forget one, or all")
    for action in (show, edit, delete):
        action.add_argument(
            "id",
            metavar="ID",
            type=at_least(1, int),
            nargs="?" if action is delete else None,
            help="its number in the list",
        )
    delete.add_argument("--all", action="store_true", help="all of them")
    delete.add_argument("--yes", action="store_true", help="do not ask")
    return parser


def _found(store: IncidentStore, number: int) -> Known:
    known = store.find(number)
    if known is None:
        raise UsageError(f"there is no incident {number}; see `selfheal incidents`")
    return known


# --- list and show -------------------------------------------------------------------------


def _list(store: IncidentStore, place: Place, *, as_json: bool) -> None:
    kept = store.all()
    for known in kept:
        print(_json(known) if as_json else printable(_line(known)))
    if as_json:
        return
    if not kept:
        print("nothing is remembered yet")
    own, path = len(read_runbook(place.config / FILE)), place.config / FILE
    _say(f"your own runbook: {path} ({f'{own} sections' if own else 'nothing in it'})")


def _line(known: Known) -> str:
    incident = known.incident
    folder = one_line(incident.repository.rpartition("/")[2], 20)
    error, fix = (
        one_line(incident.signature.title, 60),
        one_line(known.text or incident.message, 60),
    )
    return f"{known.id:>4}  {day(incident.at)}  {folder:<14}  {error}  ->  {fix}"


def _show(known: Known, *, as_json: bool) -> None:
    if as_json:
        print(_json(known))
        return
    incident, note = known.incident, note_of(known)
    lines = [
        f"incident    {known.id}",
        f"healed      {day(incident.at)} in {incident.repository}",
        f"commit      {incident.commit or '(none: only files were written)'}",
        *(f"failed      {s.error or s.kind}" for s in incident.signature.symptoms),
        *(f"at          {place}" for place in _places(known)),
        f"message     {incident.message}",
        f"summary     {one_line(incident.summary, 1_000)}",
        *(f"changed     {path}" for path in incident.files),
        f"note        {note.origin}: {note.text}",
        f"wording     {'your own' if known.text else 'made from the heal'}",
        *incident.patch.splitlines(),
    ]
    for line in lines:
        print(printable(line))


def _places(known: Known) -> list[str]:
    symptoms = known.incident.signature.symptoms
    return list(dict.fromkeys(frame for each in symptoms for frame in each.frames))


def _json(known: Known) -> str:
    incident, note = known.incident, note_of(known)
    return plain_json(
        {
            "id": known.id,
            "at": incident.at,
            "repository": incident.repository,
            "commit": incident.commit,
            "error": incident.signature.title,
            "symptoms": json.loads(incident.signature.to_json()),
            "message": incident.message,
            "summary": incident.summary,
            "files": list(incident.files),
            "patch": incident.patch,
            "wording": known.text,
            "note": {"origin": note.origin, "text": note.text},
        }
    )


# --- edit and delete -----------------------------------------------------------------------


def _edit(
    store: IncidentStore, options: argparse.Namespace, place: Place, settings: Settings
) -> None:
    known = _found(store, options.id)
    text, before = options.text, note_of(known).text
    if text is None:
        text = edited(before, place.environment, place.state())
        # What was only looked at stays made from the heal.
        text = known.text if text == before else text
    redactor = Redactor.from_environment(place.environment, settings.privacy.redact)
    if not store.reword(known.id, " ".join(redactor.redact(text).split())):
        raise UsageError(f"incident {known.id} was deleted meanwhile")
    note = note_of(_found(store, known.id))
    print(on_one_line(f"{note.origin}: {note.text}"))


def _delete(store: IncidentStore, options: argparse.Namespace) -> None:
    if (options.id is None) == (not options.all):
        raise UsageError("say which one: selfheal incidents delete ID, or --all")
    if options.all:
        what = f"all {len(store.all())} that are remembered"
    else:
        what = f"incident {options.id}: {_line(_found(store, options.id)).strip()}"
    if not options.yes:
        _confirm(what)
    gone = store.forget(None if options.all else options.id)
    print(f"deleted {gone}")


def _confirm(what: str) -> None:
    """Raises ApprovalRefused unless somebody at a terminal types yes."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise ApprovalRefused("nobody is there to confirm it: say --yes, or run it at a terminal")
    print(on_one_line(f"Delete {what}? Type yes: "), end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().casefold() != "yes":
        raise ApprovalRefused("nothing was deleted: no yes was typed")


def _say(text: str) -> None:
    print(f"selfheal: {on_one_line(text)}", file=sys.stderr)
