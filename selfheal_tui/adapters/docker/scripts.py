"""The shell texts of our own commands inside a container, and how they name what they need.

Each runs with `sh -c` in the tree's root; `$1` is the private folder of the channel.
"""

from __future__ import annotations

import os
import posixpath
import shlex
from importlib.resources import files

from selfheal_tui.adapters.manifest import FIND

NOT_THERE, IS_FOLDER, NOT_A_FILE, NOT_READABLE = 20, 21, 22, 23
"""Exit codes of `read` and `write`."""

PROBE = rb"""
missing=
for tool in tar find setsid base64 head dd xargs mkdir chmod mv rm rmdir cat env readlink; do
    command -v $tool >/dev/null 2>&1 || missing="$missing $tool,"
done
case $(tar --version 2>/dev/null) in *GNU*) ;; *) missing="$missing GNU tar," ;; esac
[ "$(find / -maxdepth 0 -printf x 2>/dev/null)" = x ] || missing="$missing find -printf,"
[ "$(printf abc | dd bs=3 count=1 iflag=fullblock status=none 2>/dev/null)" = abc ] ||
    missing="$missing dd iflag=fullblock,"
printf %s "$missing"
"""
"""Prints what is missing, each followed by a comma."""

CLEAR = b'find . -mindepth 1 -delete 2>"$1/errors"'

UNPACK = b'tar -x -m -p --no-same-owner --recursive-unlink -f - 2>"$1/errors"'
"""Times are those of now: zip and make are unhappy with 1970."""

PACK = (
    b"tar -c --format=gnu --hard-dereference --no-recursion --null --no-unquote -T - -f -"
    b' 2>"$1/errors"'
)

ERRORS = b'head -c 2000 "$1/errors"'

DELETE = b'xargs -0 rm -f -- 2>"$1/errors"'

PRUNE = b"xargs -0 rmdir -- 2>/dev/null; :"
"""Folders come deepest first; one that still holds something stays."""

MANIFEST = f'echo >"$1/tick"; find "$1/tick" . {FIND} 2>"$1/errors"'.encode()

MEND = (
    rb"find . -type d ! -perm -u=rwx -exec chmod u+rwx {} \; 2>/dev/null;"
    b" find . -type f ! -perm -u=r -exec chmod u+r {} + 2>/dev/null; :"
)
"""Gives back the rights on the tree that a command took away from itself."""

KEEP_COMMAND = b'rm -rf "$1/command"; cat 2>"$1/errors" >"$1/command"'


def supervisor() -> str:
    """Without its comments: every list of processes shows it."""
    text = files("selfheal_tui.adapters.docker").joinpath("supervisor.sh").read_text("utf-8")
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))


def read_script(path: str, limit: int) -> bytes:
    """Prints at most `limit` bytes of a file."""
    return _about(
        path,
        f"[ -d {{0}} ] && exit {IS_FOLDER}",
        f"[ -e {{0}} ] || exit {NOT_THERE}",
        f"[ -f {{0}} ] || exit {NOT_A_FILE}",
        f"[ -r {{0}} ] || exit {NOT_READABLE}",
        f"exec head -c {limit} <{{0}}",
    )


def write_script(path: str, source: str) -> bytes:
    """Replaces a file in one step by what `source` prints; through a link, and with its mode."""
    return _about(
        path,
        f"[ -d {{0}} ] && exit {IS_FOLDER}",
        f"if [ -e {{0}} ]; then [ -f {{0}} ] || exit {NOT_A_FILE}; fi",
        # The x saves a name that ends in a newline.
        "path=$(readlink -f -- {0} && echo x) && path=${{path%?x}} || path={0}",
        'mkdir -p -- "${{path%/*}}" 2>&1 || exit 1',
        "new=$path.$$; trap 'rm -f -- \"$new\"' EXIT",
        f'{source} 2>"$1/errors" >"$new" || {{{{ head -c 500 "$1/errors"; exit 1; }}}}',
        '[ ! -e "$path" ] || chmod --reference="$path" -- "$new" 2>&1 || exit 1',
        'mv -fT -- "$new" "$path" 2>&1',
    )


def _about(path: str, *lines: str) -> bytes:
    return os.fsencode("\n".join(lines).format(shlex.quote(path)))


def inside(path: str, work: str) -> str:
    """The absolute form of a path that is relative to the tree's root."""
    return posixpath.normpath(posixpath.join(work, path))


def may_write(path: str, work: str) -> bool:
    """Whether an absolute path lies in the tree or in the folder for temporary files."""
    return any(path.startswith(folder + "/") for folder in (work, "/tmp"))
