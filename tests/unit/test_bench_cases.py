"""Cases of a bench are read whole, or refused with file and line."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_tui.adapters.bench_cases import MOST_BYTES, make_repository, read_cases
from selfheal_tui.core.bench.case import BenchCase, content_of
from selfheal_tui.core.bench.humaneval import PROVEN, read_humaneval
from selfheal_tui.core.bench.manifest import Manifest, read_manifest
from selfheal_tui.core.tree import EXECUTABLE, LINK, REGULAR, TreeFile
from selfheal_tui.errors import UsageError
from tests.support.problems import BESIDE, PROBLEMS, QUOTES, SECONDS, write_problems

# --- HumanEval -----------------------------------------------------------------------------


def test_a_problem_is_a_module_with_a_stub_and_a_file_of_tests():
    (case,) = read_humaneval(json.dumps(SECONDS).encode(), "few.jsonl")
    files = (
        TreeFile(
            "solution.py", REGULAR, (SECONDS["prompt"] + "    raise NotImplementedError\n").encode()
        ),
        TreeFile(
            "test_solution.py",
            REGULAR,
            PROVEN.encode() + b"from solution import *\nfrom solution import in_seconds\n\n"
            b"METADATA = {}\n\n\ndef check(candidate):\n"
            b"    assert candidate([1, 0, 1]) == 3601\n    assert candidate([0, 2, 0]) == 120\n\n\n"
            b'if __name__ == "__main__":\n    check(in_seconds)\n    _prove()\n',
        ),
    )
    task = (
        "Write the body of `in_seconds` in solution.py, so that it does what its docstring says and"
        " `python3 test_solution.py` passes. Do not change the tests.\n\n"
        f"{SECONDS['prompt'].strip()}\n"
    )
    assert case == BenchCase(
        "Hand/0",
        task,
        "python3 test_solution.py",
        "few.jsonl, line 1",
        content_of(files),
        files,
    )


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda one: one["entry_point"])
def test_the_check_fails_on_the_stub_and_passes_on_the_reference(tmp_path, problem):
    (case,) = read_humaneval(json.dumps(problem).encode(), "x")
    make_repository(case, tmp_path / "repository")
    stub = _check(tmp_path / "repository")
    solved = problem["prompt"] + problem["canonical_solution"]
    (tmp_path / "repository" / "solution.py").write_text(solved)
    assert stub.returncode == 1
    assert "NotImplementedError" in stub.stderr
    assert _check(tmp_path / "repository").returncode == 0


EARLY_ENDS = {
    "by exit at import": "exit(0)\n",
    "by exit in the function": "import sys\n\n\ndef quoted(text):\n    sys.exit(0)\n",
    "by the system's own exit": "import os\n\nos._exit(0)\n",
    "by the system's own exit in the function": (
        "import os\n\n\ndef quoted(text):\n    os._exit(0)\n"
    ),
    "by another program in its place": "import os\n\nos.execvp('true', ['true'])\n",
    "by what it leaves for the end": (
        "import atexit\nimport os\n\natexit.register(os._exit, 0)\n\n\n"
        "def quoted(text):\n    return ''\n"
    ),
    "by a mark in the file of tests": (
        "import sys\n\nsys.modules['__main__']._passed = [True]\nexit(0)\n"
    ),
    "with a process that stays": (
        "import os\nimport time\n\nif os.fork():\n    os._exit(0)\n"
        "os.close(1)\nos.close(2)\ntime.sleep(2)\nos._exit(0)\n"
    ),
}


@pytest.mark.parametrize("solution", EARLY_ENDS.values(), ids=EARLY_ENDS)
def test_a_solution_that_ends_the_program_has_not_passed(tmp_path, solution):
    (case,) = read_humaneval(json.dumps(QUOTES).encode(), "x")
    make_repository(case, tmp_path / "repository")
    (tmp_path / "repository" / "solution.py").write_text(solution)
    ended = _check(tmp_path / "repository")
    assert ended.returncode == 1
    assert "AssertionError" in ended.stderr or "did not get to their end" in ended.stderr


def test_a_packed_file_and_a_plain_one_hold_the_same_cases(tmp_path):
    packed = read_cases(write_problems(tmp_path / "p.jsonl.gz"))
    plain = read_cases(write_problems(tmp_path / "p.jsonl"))
    assert [case.digest for case in packed] == [case.digest for case in plain]
    assert [case.id for case in packed] == ["Hand/0", "Hand/1", "Hand/2"]


def test_the_reference_solution_is_nowhere_in_a_case():
    (case,) = read_humaneval(json.dumps(BESIDE).encode(), "x")
    assert "twice(x) // 2" not in repr(case)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"prompt": None}, "line 3: `prompt` is missing, empty or not text"),
        ({"test": "  "}, "line 3: `test` is missing, empty or not text"),
        ({"task_id": 7}, "line 3: `task_id` is missing, empty or not text"),
        ({"prompt": "def f(:\n"}, "line 3: `prompt` is not the beginning of a function `quoted`"),
        ({"entry_point": "other"}, "line 3: `prompt` is not the beginning of a function `other`"),
        ({"entry_point": "a b"}, "line 3: `entry_point` is not a name of Python: 'a b'"),
        ({"test": "assert True"}, "line 3: `test` defines no function `check`"),
        ({"test": "def check(c): '\ud800'"}, "line 3: `test` holds what is not text"),
        ({"task_id": "Hand/0"}, "line 3: the id 'Hand/0' is that of few.jsonl, line 1"),
    ],
)
def test_a_problem_that_is_none_is_refused_with_its_line(changed, words):
    lines = [json.dumps(SECONDS), "", json.dumps(QUOTES | changed)]
    with pytest.raises(UsageError) as raised:
        read_humaneval("\n".join(lines).encode(), "few.jsonl")
    assert words in str(raised.value)


@pytest.mark.parametrize("line", [b"[]", b"{", b"\xff\xfe", b"[" * 100_000, b"null"])
def test_a_line_that_is_no_object_is_refused_with_its_number(line):
    with pytest.raises(UsageError, match=r"few\.jsonl, line 2: not (a )?JSON"):
        read_humaneval(json.dumps(SECONDS).encode() + b"\n" + line, "few.jsonl")


@settings(max_examples=200)
@given(st.binary(max_size=200))
def test_any_bytes_are_cases_or_a_usage_error(content):
    with pytest.raises(UsageError, match="few"):
        read_humaneval(content, "few")


_LINES = st.lists(
    st.fixed_dictionaries(
        {
            "task_id": st.text(min_size=1, max_size=8),
            "prompt": st.sampled_from([SECONDS["prompt"], "def in_seconds(x):", "x = 1", "def"]),
            "entry_point": st.sampled_from(["in_seconds", "x"]),
            "test": st.sampled_from(["def check(c):\n    pass", "pass"]) | st.text(max_size=5),
        }
    ),
    max_size=4,
)


@settings(max_examples=200)
@given(_LINES)
def test_no_problem_is_lost_without_a_word(problems):
    content = "\n".join(map(json.dumps, problems)).encode()
    try:
        cases = read_humaneval(content, "few")
    except UsageError:
        return
    assert [case.id for case in cases] == [problem["task_id"] for problem in problems]
    assert len({case.name for case in cases}) == len(cases)


def test_a_cut_archive_is_a_usage_error(tmp_path):
    file = tmp_path / "p.jsonl.gz"
    file.write_bytes(gzip.compress(json.dumps(SECONDS).encode())[:-12])
    with pytest.raises(UsageError, match=r"p\.jsonl\.gz is cut or damaged"):
        read_cases(file)


def test_a_file_that_is_not_there_and_one_of_another_kind_are_usage_errors(tmp_path):
    (tmp_path / "cases.yaml").write_text("")
    for name, words in (
        ("none", "does not exist"),
        ("none.jsonl", "No such file"),
        ("cases.yaml", "neither a folder of cases nor"),
    ):
        with pytest.raises(UsageError, match=words):
            read_cases(tmp_path / name)


# --- folders -------------------------------------------------------------------------------

TOML = """\
task = "make it pass"
check = "sh check.sh"
"""


def test_a_folder_of_repositories_is_read_whole(tmp_path):
    first = tmp_path / "first"
    (first / "lib").mkdir(parents=True)
    (first / ".git").mkdir()
    (first / ".git" / "config").write_text("[core]\n\tfsmonitor = evil\n")
    (first / "bench.toml").write_text(TOML + 'id = "One"\nattempts = 5\nsandbox = "python"\n')
    (first / "check.sh").write_text("exit 1\n")
    (first / "check.sh").chmod(0o755)
    (first / "lib" / "x").write_bytes(b"\0\xff")
    (first / "lib" / "bench.toml").write_text("not ours\n")
    (first / "link").symlink_to("lib")
    (tmp_path / "second").mkdir()
    (tmp_path / "second" / "bench.toml").write_text(TOML)
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "README").write_text("about these cases\n")
    files = (
        TreeFile("check.sh", EXECUTABLE, b"exit 1\n"),
        TreeFile("link", LINK, b"lib"),
        TreeFile("lib/bench.toml", REGULAR, b"not ours\n"),
        TreeFile("lib/x", REGULAR, b"\0\xff"),
    )
    expected = BenchCase(
        "One",
        "make it pass",
        "sh check.sh",
        str(first / "bench.toml"),
        content_of(files),
        folder=str(first),
        attempts=5,
        sandbox="python",
    )
    cases = read_cases(tmp_path)
    assert cases[0] == expected
    assert [case.id for case in cases] == ["One", "second"]
    make_repository(cases[0], tmp_path / "made")
    listed = subprocess.run(
        ["git", "ls-tree", "-r", "--format=%(objectmode) %(path)", "HEAD"],
        cwd=tmp_path / "made", capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert listed.stdout.splitlines() == [
        "100755 check.sh",
        "100644 lib/bench.toml",
        "100644 lib/x",
        "120000 link",
    ]
    assert "evil" not in (tmp_path / "made" / ".git" / "config").read_text()


def test_a_folder_whose_name_is_no_text_is_a_case_or_a_usage_error(tmp_path):
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    folder.mkdir()
    (folder / "bench.toml").write_text(TOML)
    with pytest.raises(UsageError, match="`id`"):
        read_cases(tmp_path)


def test_an_archive_that_unpacks_to_far_too_much_is_refused(tmp_path):
    file = tmp_path / "p.jsonl.gz"
    with gzip.open(file, "wb", compresslevel=1) as packed:
        for _ in range(MOST_BYTES // 2**20 + 2):
            packed.write(b"\n" * 2**20)
    with pytest.raises(UsageError, match="more than 256 MiB"):
        read_cases(file)


def test_a_sub_folder_without_a_manifest_is_not_skipped(tmp_path):
    (tmp_path / "one").mkdir()
    with pytest.raises(UsageError, match=r"one has no bench\.toml"):
        read_cases(tmp_path)


def test_what_is_neither_a_file_nor_a_link_is_refused(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "bench.toml").write_text(TOML)
    os.mkfifo(tmp_path / "one" / "pipe")
    with pytest.raises(UsageError, match="pipe is neither a file nor a link"):
        read_cases(tmp_path)


def test_an_empty_folder_holds_no_case(tmp_path):
    with pytest.raises(UsageError, match="holds no case"):
        read_cases(tmp_path)


def test_a_manifest_says_task_and_check_and_what_is_special():
    content = TOML + 'id = "x"\nattempts = 2\nsandbox = "node"\n'
    read = read_manifest(content.encode(), "bench.toml", "folder")
    assert read == Manifest("make it pass", "sh check.sh", "x", 2, "node")
    plain = read_manifest(TOML.encode(), "bench.toml", "folder")
    assert plain == Manifest("make it pass", "sh check.sh", "folder")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("check = 'x'\n", "bench.toml: `task` must be text"),
        (TOML + "chek = 'x'\n", "bench.toml, line 3: unknown key `chek`; did you mean `check`?"),
        (TOML + "[more]\n", "bench.toml, line 3: unknown key `more`"),
        (TOML + "attempts = 0\n", "bench.toml, line 3: `attempts` must be a whole number"),
        (TOML + "attempts = true\n", "bench.toml, line 3: `attempts` must be a whole number"),
        (TOML + "\nsandbox = 'local'\n", "bench.toml, line 4: a case cannot choose `local`"),
        (TOML + "id = 3\n", "bench.toml, line 3: `id` must be text"),
        ("task = \n", "at line 1"),
    ],
)
def test_a_manifest_that_is_not_understood_is_refused_with_its_line(text, words):
    with pytest.raises(UsageError) as raised:
        read_manifest(text.encode(), "bench.toml", "folder")
    assert words in str(raised.value)


@settings(max_examples=200)
@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: f"task={text}".encode()))
def test_any_bytes_are_a_manifest_or_a_usage_error(content):
    with pytest.raises(UsageError, match=r"bench\.toml"):
        read_manifest(content, "bench.toml", "folder")


def test_a_case_that_changed_has_another_digest():
    (case,) = read_humaneval(json.dumps(SECONDS).encode(), "x")
    changed = [
        replace(case, id="other"),
        replace(case, task="other"),
        replace(case, check="other"),
        replace(case, content="other"),
        replace(case, attempts=1),
        replace(case, sandbox="node"),
    ]
    assert len({one.digest for one in [case, *changed]}) == 7
    assert replace(case, where="elsewhere").digest == case.digest


def _check(folder):
    command = [sys.executable, "test_solution.py"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
