"""A plan in parts on the real engine: a sandbox and a conversation for each, at the same time."""

from __future__ import annotations

import json
import signal
import threading

import pytest

from tests.support.headless import Workplace
from tests.support.model_server import Answer, ModelServer, call, calls, submit, submit_plan
from tests.support.parts import part

pytestmark = pytest.mark.engine

MODULES = {"area": "w * h", "edge": "2 * (w + h)", "mean": "(w + h) / 2", "side": "max(w, h)"}
CHECK = "python -m pytest -q"
TESTS = (
    "import pytest\n\nfrom shapes.area import area\nfrom shapes.edge import edge\n"
    "from shapes.mean import mean\nfrom shapes.side import side\n\n\n"
    "@pytest.mark.parametrize(('made', 'wanted'), "
    "[(area, 6), (edge, 10), (mean, 2.5), (side, 3)])\n"
    "def test_it_measures(made, wanted):\n    assert made(2, 3) == wanted\n"
)
FILES = {
    "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["."]\n',
    "shapes/__init__.py": "NAMES = []\n",
    "tests/test_shapes.py": TESTS,
    **{
        f"shapes/{name}.py": f"def {name}(w, h):\n    raise NotImplementedError\n"
        for name in MODULES
    },
}
PARTS = [
    part("Area and edge", "shapes/area.py", "shapes/edge.py"),
    part("Mean and side", "shapes/mean.py", "shapes/side.py"),
]
PLANNED = submit_plan("Write the four.", files=["shapes"], parts=PARTS)


@pytest.fixture(autouse=True)
def _engine_with_a_base(engine, base_image, monkeypatch):
    monkeypatch.setenv("SELFHEAL_BASE_IMAGE", base_image)


def mend(*names: str, registers: str = "") -> Answer:
    """Write these functions, and perhaps the list of names."""
    written = [
        call("edit_file", path=f"shapes/{name}.py", old="raise NotImplementedError",
             new=f"return {MODULES[name]}")
        for name in names
    ]  # fmt: skip
    if registers:
        path = "shapes/__init__.py"
        written.append(call("write_file", path=path, content=f"NAMES = [{registers}]\n"))
    return calls(*written)


def together(answer: Answer, barrier: threading.Barrier):
    """`answer`, as soon as all have asked: so that a run of one after the other cannot pass."""

    def step(_) -> Answer:
        barrier.wait(timeout=60)
        return answer

    return step


def test_two_coders_work_at_the_same_time_and_their_work_is_merged_and_proved(tmp_path, engine):
    place = Workplace(tmp_path, FILES)
    before = place.manifest()
    barrier = threading.Barrier(2)
    tried = call("bash", command=f"{CHECK} -p no:cacheprovider -k area; hostname > shapes/where")
    script = {
        "planner": [PLANNED],
        "coder 1": [together(mend("area", "edge"), barrier), tried,
                    call("bash", command="rm shapes/where"), submit("Two.", "Write area, edge")],
        "coder 2": [together(mend("mean", "side"), barrier),
                    call("bash", command="ls shapes"), submit("Two more.", "Write mean, side")],
    }  # fmt: skip
    with ModelServer(script) as server:
        ended = place.heal(
            server.base_url, "--check", CHECK, "--no-review", "--output-dir", str(tmp_path / "out")
        )
        assert server.remaining == 0
    assert ended.exit_code == 0, ended.err
    result = ended.result
    assert [attempt["outcome"] for attempt in result["attempts"]] == ["green"]
    assert result["proof"]["verified"] is True
    changed = place.git("diff", "--name-only", "main", result["commit"]).split()
    assert changed == [f"shapes/{name}.py" for name in MODULES]
    assert result["message"].startswith("Write area, edge; Write mean, side\n\nArea and edge: Two.")
    after = {name: found for name, found in place.manifest().items() if ".git/" not in name}
    assert after == {name: found for name, found in before.items() if ".git/" not in name}
    lines = (tmp_path / "out" / "events.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    order = [e["event"] for e in events if e["event"].startswith("Part")]
    assert order == ["PartStarted"] * 2 + ["PartEnded"] * 2 + ["PartsMerged"]
    # One part saw nothing of the other's work.
    seen = next(e["text"] for e in events if e["event"] == "ToolReturned" and "init" in e["text"])
    assert "where" not in seen
    assert "merged parts 1 and 2" in ended.err
    label = {"label": f"selfheal.session={result['session']}"}
    assert engine.containers.list(all=True, filters=label) == []


def test_what_clashes_is_sorted_out_by_one_coder_before_the_check(tmp_path):
    place = Workplace(tmp_path, FILES)
    both = "NAMES = ['area', 'edge', 'mean', 'side']\n"
    script = {
        "planner": [PLANNED],
        "coder 1": [calls(mend("area", "edge", registers="'area', 'edge'"), submit("One."))],
        "coder 2": [calls(mend("mean", "side", registers="'mean', 'side'"), submit("Two."))],
        "coder": [
            calls(call("write_file", path="shapes/__init__.py", content=both), submit("Both."))
        ],
    }
    with ModelServer(script) as server:
        ended = place.heal(server.base_url, "--check", CHECK, "--no-review")
        told = server.requests[-1].text
    assert ended.exit_code == 0, ended.err
    assert "NAMES = ['mean', 'side']" in told
    assert f"{place.git('show', ended.result['commit'] + ':shapes/__init__.py')}\n" == both
    assert [attempt["outcome"] for attempt in ended.result["attempts"]] == ["green"]


def test_a_signal_ends_all_parts_and_leaves_no_container_and_what_was_done(tmp_path, engine):
    place = Workplace(tmp_path, FILES)
    before = place.manifest()
    barrier = threading.Barrier(2)
    hanging = calls(mend("area"), call("bash", command="echo started; sleep 100"))
    script = {
        "planner": [PLANNED],
        "coder 1": [together(hanging, barrier)],
        "coder 2": [together(calls(mend("mean"), submit("Half.")), barrier)],
    }
    with ModelServer(script) as server:
        process = place.start(
            "--yes", "--output", "stream-json", "--model", "openai/x", "--api-base",
            server.base_url, "--check", CHECK, "try",
        )  # fmt: skip
        events = (json.loads(line) for line in iter(process.stdout.readline, ""))
        awaited = {"CommandPrinted", "PartEnded"}
        while awaited:
            event = next(events)
            if event["event"] != "CommandPrinted" or "started" in event["text"]:
                awaited.discard(event["event"])
        process.send_signal(signal.SIGTERM)
        rest = list(events)
        _, err = process.communicate(timeout=10)
    assert process.returncode == 143, err
    assert rest[-1]["event"] == "SessionEnded", (err, rest)
    assert rest[-1]["event"] == "SessionEnded"
    (changed,) = (event for event in rest if event["event"] == "TreeChanged")
    assert [path for path, *_ in changed["files"]] == ["shapes/area.py", "shapes/mean.py"]
    assert place.manifest() == before
    name = json.loads(place.run("sessions", "--json").out)["id"]
    label = {"label": f"selfheal.session={name}"}
    assert engine.containers.list(all=True, filters=label) == []
