"""What a set-up writes into the tree, which no image layer holds, and how it comes back.

Shell text only. `node_modules` folders and newly generated files are kept under /opt/selfheal;
a session's tree gets links to the former and copies of the latter. Refuses to replace a file
that the tree brings itself.
"""

from __future__ import annotations

PLACE_FILE = "/opt/selfheal/place"

PLACE = """\
#!/bin/sh
# Puts what the set-up left outside the tree back into it. Kept folders become real folders of
# links, so that tools can still write their caches into them.
set -eu
cd /work
kept=/opt/selfheal/kept
if [ -f "$kept/folders" ]; then
    while IFS= read -r folder; do
        parent=$(dirname "$folder")
        if [ -d "$parent" ] && [ ! -L "$parent" ]; then
            mkdir -p "$folder"
            find "$kept/tree/$folder" -mindepth 1 -maxdepth 1 \\
                -exec sh -c 'ln -sfn "$@" "$0/"' "$folder" {} +
        fi
    done <"$kept/folders"
fi
if [ -f "$kept/generated.tar" ]; then
    tar -xf "$kept/generated.tar" --skip-old-files --no-same-owner
fi
"""

BEFORE = """\
# Notes which files there are before the set-up, with what an earlier set-up keeps in place.
set -eu
cd /work
[ ! -f /opt/selfheal/place ] || sh /opt/selfheal/place
find . -type f | LC_ALL=C sort >/tmp/selfheal/before
"""

GATHER = """\
# Keeps what the set-up wrote into the tree.
set -eu
cd /work
kept=/opt/selfheal/kept
mkdir -p "$kept/tree"
touch "$kept/folders"
find . -name node_modules -type d -prune -print | sed 's#^\\./##' >/tmp/selfheal/folders
while IFS= read -r folder; do
    mkdir -p "$kept/tree/$folder"
    grep -qxF -e "$folder" "$kept/folders" || printf '%s\\n' "$folder" >>"$kept/folders"
    # A package of this very tree is reached by a relative link, which must not move.
    find "$folder" -mindepth 1 -maxdepth 2 -type l | while IFS= read -r link; do
        target=$(readlink -f "$link" || true)
        case "$target" in
            */node_modules/*) ;;
            /work/*) ln -sfn "$target" "$link" ;;
        esac
    done
    find "$folder" -mindepth 1 -maxdepth 1 | while IFS= read -r entry; do
        case "$(readlink "$entry" || true)" in
            "$kept"/*) continue ;;
        esac
        rm -rf "$kept/tree/$entry"
        mv "$entry" "$kept/tree/$entry"
    done
    # What is left are links of an earlier set-up.
    rm -rf "$folder"
done </tmp/selfheal/folders
find . \\( -name .git -o -name __pycache__ -o -name .venv \\) -prune -o -type f -print |
    LC_ALL=C sort | LC_ALL=C comm -13 /tmp/selfheal/before - |
    # A lock file is a decision about the project, not a product of its build.
    grep -vE '/((poetry|uv|yarn|Cargo)\\.lock|package-lock\\.json|pnpm-lock\\.yaml)$' \\
        >/tmp/selfheal/generated || true
if [ -s /tmp/selfheal/generated ]; then
    size=$(tr '\\n' '\\0' </tmp/selfheal/generated | du -cm --files0-from=- | tail -n 1 | cut -f1)
    if [ "$size" -gt 64 ]; then
        echo "the set-up generated $size MiB of files in the tree: they are not kept"
    else
        tar -rf "$kept/generated.tar" --no-recursion -T /tmp/selfheal/generated
    fi
fi
find "$kept" ! -type l ! -perm -004 -exec chmod a+rX {} +
"""

RUN = """\
# $1 is the set-up's command.
set -eu
umask 022
mkdir -p "$HOME"
prefix=$(python3 -c 'import sys; print(sys.prefix)' 2>/dev/null || true)
if [ -n "$prefix" ]; then
    # uv and poetry install into the Python that runs the tests, not into one of their own.
    export VIRTUAL_ENV="${VIRTUAL_ENV:-$prefix}"
    export UV_PROJECT_ENVIRONMENT="${UV_PROJECT_ENVIRONMENT:-$prefix}"
fi
sh /tmp/selfheal/before
cd /work
shell=$(command -v bash || command -v sh)
code=0
"$shell" -c "$1" </dev/null 2>&1 || code=$?
[ "$code" -eq 0 ] || exit "$code"
sh /tmp/selfheal/gather
"""
