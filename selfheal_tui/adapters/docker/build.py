"""One build of a sandbox image with the engine's classic builder: no step needs more than that."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Mapping

import docker

from selfheal_tui.adapters.docker.calls import ENGINE_FAULTS
from selfheal_tui.adapters.docker.stream import STREAM_FAULTS, EngineStream, Hear, said
from selfheal_tui.errors import SandboxError

_LAST_LINES = 15
_LONG, _CUT = 300, 140
_NARRATION = ("Step ", " --->", "Removing intermediate container")
"""How the builder's own lines begin; the output of the failed step says more."""

_STEP_IMAGE = re.compile(r"^ ---> ([0-9a-f]{12,64})$")


class Build:
    """One build: `run` in a thread, `stop` from another one."""

    def __init__(
        self,
        client: docker.DockerClient,
        *,
        context: bytes,
        tag: str,
        arguments: Mapping[str, str],
        labels: Mapping[str, str],
    ) -> None:
        self._client = client
        self._stream = EngineStream(client)
        self._context = context
        self._tag = tag
        self._params = {
            "t": tag,
            "rm": "1",
            "forcerm": "1",
            "buildargs": json.dumps(dict(arguments)),
            "labels": json.dumps(dict(labels)),
        }
        self._last_step = ""
        self._tail: deque[str] = deque(maxlen=_LAST_LINES)

    def run(self, hear: Hear) -> str:
        """Build; the image's id. Raises SandboxError; then nothing is left but the base. Blocks."""
        try:
            failure = self._build(hear)
            if not failure and not self._stream.stopped:
                return str(self._client.api.inspect_image(self._tag)["Id"])
        except STREAM_FAULTS as error:
            failure = said(error)
        self._discard()
        raise SandboxError(self._sentence(failure or "it was stopped"))

    def stop(self) -> None:
        self._stream.stop()

    def _build(self, hear: Hear) -> str:
        """The build's own error; empty when there is none."""
        values = self._stream.values(
            "/build",
            params=self._params,
            headers={"Content-Type": "application/x-tar"},
            body=self._context,
        )
        for value in values:
            if "error" in value:
                return str(value["error"])
            for line in str(value.get("stream", "")).splitlines():
                self._hear(line, hear)
        return ""

    def _hear(self, line: str, hear: Hear) -> None:
        step = _STEP_IMAGE.match(line)
        if step:
            self._last_step = step[1]
        if not line.strip():
            return
        hear(line)
        if not line.startswith(_NARRATION):
            self._tail.append(line)

    def _sentence(self, failure: str) -> str:
        tail = "\n".join(self._tail)
        reason = failure if len(failure) <= _LONG else f"{failure[:_CUT]} ... {failure[-_CUT:]}"
        return f"the sandbox image {self._tag} cannot be built: {reason}\n{tail}".rstrip()

    def _discard(self) -> None:
        """Remove the steps of a build that came to nothing; never an image that has a name."""
        if not self._last_step:
            return
        try:
            attributes = self._client.api.inspect_image(self._last_step)
            if attributes.get("Parent") and not attributes.get("RepoTags"):
                self._client.api.remove_image(self._last_step)
        except ENGINE_FAULTS:
            # Another build goes on from this step, or the engine is gone: both may keep it.
            return
