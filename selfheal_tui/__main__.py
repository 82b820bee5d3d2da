"""`python -m selfheal_tui`: the console script, without the current folder's modules."""

# Not even `__future__` before that folder is gone: an import is an import.
import sys

# Python puts the current folder first; a repository's own `rich.py` must not be imported.
if not getattr(sys.flags, "safe_path", False):
    del sys.path[0]

from selfheal_tui.cli import main

if __name__ == "__main__":
    sys.exit(main())
