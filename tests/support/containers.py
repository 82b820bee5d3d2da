"""Plain containers on the engine, to look into images from outside selfheal."""

from __future__ import annotations

import docker


def printed_by(engine: docker.DockerClient, image: str, command: list[str]) -> str:
    """What a command prints in a throw-away container without network. It must end with 0."""
    container = engine.containers.create(
        image, command, network_mode="none", read_only=True, tmpfs={"/tmp": ""}
    )
    try:
        container.start()
        # The log is whole only when the engine calls the container ended.
        exit_code = container.wait()["StatusCode"]
        output: bytes = container.logs()
    finally:
        container.remove(force=True)
    assert exit_code == 0, output.decode()
    return output.decode()
