"""A scripted model for benches: a wrong body first, the reference after it was shown the failure.

Keyed on the problem's prompt in the task, and on what the conversation holds: it keeps no state, so
that cases side by side do not mix. It proves the harness, never a model.
As a program: `python -m tests.support.bench_model FILE` prints its URL and serves.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.support.model_server import (
    ModelServer,
    Turn,
    call,
    calls,
    refuse,
    role_of,
    submit,
    submit_plan,
    submit_review,
)

WRONG = "    return 'not what is asked for'\n"


def read_problems(path: Path) -> list[dict[str, str]]:
    """The problems of a HumanEval file."""
    content = path.read_bytes()
    text = gzip.decompress(content) if path.name.endswith(".gz") else content
    return [json.loads(line) for line in text.splitlines() if line.strip()]


class HealsAtTheSecond:
    """Answers any request about one of `problems`; `never` names ids that it does not heal."""

    def __init__(self, problems: Iterable[Mapping[str, str]], never: Iterable[str] = ()) -> None:
        # The longest first: one prompt may be the beginning of another.
        self._problems = sorted(problems, key=lambda one: -len(one["prompt"]))
        self._never = frozenset(never)

    def __call__(self, body: dict[str, Any]) -> Turn:
        texts = [_text(message) for message in body["messages"]]
        problem = self._asked_about("\n".join(texts))
        if problem is None:
            return refuse(400, "the request is about none of the problems")
        role = role_of(body)
        if role == "planner":
            return submit_plan("Write the body.", files=["solution.py"])
        if role == "reviewer":
            return submit_review("approve", "It is the reference.")
        return self._coded(problem, len(submits(body)), failed=was_shown_a_failure(body))

    def _asked_about(self, text: str) -> Mapping[str, str] | None:
        return next((one for one in self._problems if one["prompt"].strip() in text), None)

    def _coded(self, problem: Mapping[str, str], submitted: int, *, failed: bool) -> Turn:
        """Goes by what was submitted, and answered, in this very conversation."""
        right = failed and problem["task_id"] not in self._never
        wrong = WRONG.replace("for", f"for ({submitted})")
        content = problem["prompt"] + (problem["canonical_solution"] if right else wrong)
        return calls(
            call("write_file", path="solution.py", content=content), submit(f"Try {submitted + 1}.")
        )


def submits(body: Mapping[str, Any]) -> list[str]:
    """Calls of `submit` in a conversation."""
    made = [one for message in body["messages"] for one in message.get("tool_calls") or ()]
    return [one["id"] for one in made if one["function"]["name"] == "submit"]


def was_shown_a_failure(body: Mapping[str, Any]) -> bool:
    """Whether a traceback came after a submit of the same conversation."""
    texts = [_text(message) for message in body["messages"]]
    first = next((at for at, one in enumerate(body["messages"]) if one.get("tool_calls")), None)
    return first is not None and any("Traceback" in text for text in texts[first:])


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "\n".join(part.get("text", "") for part in content)


def main(path: str) -> None:
    """Serve the problems of a file; the URL is the first line on stdout."""
    server = ModelServer((), forever=HealsAtTheSecond(read_problems(Path(path))))
    print(server.base_url, flush=True)
    server.serve()


if __name__ == "__main__":
    main(sys.argv[1])
