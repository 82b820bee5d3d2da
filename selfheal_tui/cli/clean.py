"""`selfheal clean`: removes containers and volumes of ours that no running selfheal owns."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from selfheal_tui.cli.parser import Parser
from selfheal_tui.core.text import on_one_line


def main(arguments: Sequence[str]) -> int:
    parser = Parser(prog="selfheal clean", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--images", action="store_true", help="also remove the images that were built for sandboxes"
    )
    options = parser.parse_args(arguments)

    from selfheal_tui.adapters.docker.engine import connect
    from selfheal_tui.adapters.docker.sweep import sweep

    client = connect()
    try:
        removed = asyncio.run(sweep(client, images=options.images))
    finally:
        client.close()
    for name in removed:
        print(on_one_line(f"removed {name}"))
    if not removed:
        print("nothing to remove")
    return 0
