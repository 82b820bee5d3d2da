"""A whole HumanEval file through `selfheal bench` with a scripted model, killed in the middle once.

    python -m tests.bench.humaneval HumanEval.jsonl.gz [--jobs 2] [--sandbox local]

The model gives a wrong body first and the reference once it was shown the failure: attempt 1 must
come to 0 %, healing to 100 %, and no case may be lost or run twice. It proves the harness, never a
model. The data is not part of this project.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.support.bench_model import HealsAtTheSecond, read_problems
from tests.support.model_server import ModelServer


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, help="HumanEval.jsonl or HumanEval.jsonl.gz")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--sandbox", default="", help="`local`: without Docker")
    options = parser.parse_args()
    problems = read_problems(options.file)
    with (
        tempfile.TemporaryDirectory() as folder,
        ModelServer((), forever=HealsAtTheSecond(problems)) as server,
    ):
        command = _command(options, server.base_url, Path(folder, "out"))
        wrong = _measure(command, _environment(Path(folder)), Path(folder, "out"), problems)
        print(f"requests to the model       {len(server.requests)}")
    print("\n".join(wrong) or "as it should be")
    return 1 if wrong else 0


def _measure(
    command: list[str], environment: dict[str, str], out: Path, problems: list[dict[str, str]]
) -> list[str]:
    """Run, kill, run again; what is not as it should be."""
    half = len(problems) // 2
    started = time.monotonic()
    _killed_after(half, command, environment)
    killed = time.monotonic()
    before = (out / "results.jsonl").read_bytes()
    ended = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    whole = time.monotonic()
    again = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    done = time.monotonic()
    report = json.loads(ended.stdout)
    figures, kept = report["figures"], before.count(b"\n") - 1
    print(f"problems                    {len(problems)}")
    print(f"killed with SIGKILL after   {kept} cases, {killed - started:.1f} s")
    print(f"resumed to the end in       {whole - killed:.1f} s")
    print(f"nothing left to do          {done - whole:.1f} s")
    print(f"wall clock per case         {(whole - started) / len(problems):.2f} s")
    print(f"at attempt 1                {figures['first_rate']:.1%}")
    print(f"after healing               {figures['rate']:.1%}")
    print(f"attempts                    {figures['attempts']}")
    after = (out / "results.jsonl").read_bytes()
    ids = Counter(case["case"] for case in map(json.loads, after.splitlines()[1:]))
    expected: dict[str, tuple[Any, Any]] = {
        "exit code": (ended.returncode, 0),
        "cases, each once": (ids, Counter(problem["task_id"] for problem in problems)),
        "results before the kill are kept": (after.startswith(before[: before.rfind(b"\n")]), True),
        "rate at attempt 1": (figures["first_rate"], 0.0),
        "rate after healing": (figures["rate"], 1.0),
        "attempts": (figures["attempts"], 2 * len(problems)),
        "the same report with nothing left to do": (json.loads(again.stdout), report),
    }
    return [f"WRONG: {name}: {is_} != {be}" for name, (is_, be) in expected.items() if is_ != be]


def _killed_after(cases: int, command: list[str], environment: dict[str, str]) -> None:
    """Start the command and kill it, as nothing can be prepared for, once it told so many cases."""
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None, "it was asked for"
        for line in process.stderr:
            if f"[{cases}/" in line:
                process.kill()
                return
        raise SystemExit(f"it ended before {cases} cases were told: exit {process.wait()}")


def _command(options: argparse.Namespace, url: str, out: Path) -> list[str]:
    local = ["--sandbox", "local", "--yes"] if options.sandbox == "local" else []
    return [
        sys.executable, "-m", "selfheal_tui", "bench", str(options.file),
        "--output-dir", str(out), "--jobs", str(options.jobs), "--output", "json",
        "--model", "openai/scripted", "--api-base", url, "--fail-under", "100%", *local,
    ]  # fmt: skip


def _environment(folder: Path) -> dict[str, str]:
    """No settings of this machine but the base image."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("SELFHEAL_") or name == "SELFHEAL_BASE_IMAGE"
    }
    return kept | {"SELFHEAL_CONFIG_DIR": str(folder / "config")}


if __name__ == "__main__":
    sys.exit(main())
