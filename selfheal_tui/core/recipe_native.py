"""The part of a set-up recipe that Go and Rust projects ask for: their modules, fetched ahead.

Where an image has no folder of its own for them, they are kept in /opt/selfheal and linked into
the session's home.
"""

from __future__ import annotations

import re

import tomli

from selfheal_tui.core.recipe_parts import Folder, Malformed, Part, table

_GO_PLACE = (
    "if [ -d /opt/selfheal/go/pkg/mod ]; then "
    "mkdir -p ~/go/pkg && ln -sfn /opt/selfheal/go/pkg/mod ~/go/pkg/mod; fi"
)
_CARGO_PLACE = (
    "if [ -d /opt/selfheal/cargo ]; then "
    "mkdir -p ~/.cargo && ln -sfn /opt/selfheal/cargo/* ~/.cargo/; fi"
)
_DEPENDENCIES = ("dependencies", "dev-dependencies", "build-dependencies", "target", "workspace")
_MAX_MEMBERS = 500


def go_part(folder: Folder) -> Part | None:
    """`go mod download`; None without a requirement, and where modules are vendored."""
    if not folder.has("go.mod") or folder.has("vendor/modules.txt"):
        return None
    if not re.search(r"^[ \t]*require\b", folder.text("go.mod"), re.MULTILINE):
        return None
    return Part(
        name="go",
        command='GOPATH="${GOPATH:-/opt/selfheal/go}" go mod download',
        files=folder.present("go.mod", "go.sum"),
        place=_GO_PLACE,
    )


def cargo_part(folder: Folder) -> Part | None:
    """`cargo fetch`; None for a package without any dependency."""
    if not folder.has("Cargo.toml"):
        return None
    try:
        manifest = tomli.loads(folder.text("Cargo.toml"))
    except (tomli.TOMLDecodeError, RecursionError) as error:
        raise Malformed(f"{folder.full('Cargo.toml')} is not valid TOML: {error}") from error
    if not any(table(manifest.get(key)) for key in _DEPENDENCIES):
        return None
    locked = " --locked" if folder.has("Cargo.lock") else ""
    members = [name for name in folder.below() if name.endswith("/Cargo.toml")][:_MAX_MEMBERS]
    return Part(
        name="cargo",
        command=f'CARGO_HOME="${{CARGO_HOME:-/opt/selfheal/cargo}}" cargo fetch{locked}',
        files=folder.present("Cargo.toml", "Cargo.lock", *members),
        place=_CARGO_PLACE,
    )
