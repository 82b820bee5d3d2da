"""One pull of an image, with the user's own login for that registry as docker-py knows it."""

from __future__ import annotations

import docker
import docker.auth
import docker.utils

from selfheal_tui.adapters.docker.stream import STREAM_FAULTS, EngineStream, Hear, said
from selfheal_tui.errors import SandboxError


class Pull:
    """One pull: `run` in a thread, `stop` from another one.

    `advice` begins the sentence of a failure.
    """

    def __init__(self, client: docker.DockerClient, reference: str, advice: str) -> None:
        self._client = client
        self._stream = EngineStream(client)
        self._reference = reference
        self._advice = advice

    def run(self, hear: Hear) -> None:
        """Pull. Raises SandboxError. Blocks."""
        hear(f"pulling {self._reference}")
        try:
            failure = self._pull(hear)
        except STREAM_FAULTS as error:
            raise SandboxError(f"{self._advice}; pulling it failed: {said(error)}") from error
        if failure:
            raise SandboxError(f"{self._advice}; pulling it failed: {failure}")

    def stop(self) -> None:
        self._stream.stop()

    def _pull(self, hear: Hear) -> str:
        repository, tag = docker.utils.parse_repository_tag(self._reference)
        registry, _ = docker.auth.resolve_repository_name(repository)
        header = docker.auth.get_config_header(self._client.api, registry)
        values = self._stream.values(
            "/images/create",
            params={"fromImage": repository, "tag": tag or "latest"},
            headers={"X-Registry-Auth": header} if header else {},
            body=b"",
        )
        for value in values:
            if "error" in value:
                return str(value["error"])
            # The many small steps of a layer's download are left out.
            if not value.get("progressDetail"):
                hear(f"{value.get('id', '')} {value.get('status', '')}".strip())
        return ""
