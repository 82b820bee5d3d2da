from __future__ import annotations

import pytest

from selfheal_tui.core.patch import FileDiff
from selfheal_tui.core.pathkinds import classify, warnings_for


@pytest.mark.parametrize(
    ("path", "kinds"),
    [
        ("src/calc.py", set()),
        ("README.md", set()),
        ("src/author.py", set()),
        ("src/contest.py", set()),
        ("src/testing_ground.go", set()),
        ("tests/helpers.py", {"test"}),
        ("test_calc.py", {"test"}),
        ("pkg/calc_test.go", {"test"}),
        ("src/calc.spec.ts", {"test"}),
        ("src/CalcTest.java", {"test"}),
        ("web/__tests__/a.js", {"test"}),
        ("tests/conftest.py", {"test", "check settings"}),
        ("pytest.ini", {"check settings"}),
        ("jest.config.js", {"check settings"}),
        ("Makefile", {"check settings"}),
        (".github/workflows/ci.yml", {"ci"}),
        (".gitlab-ci.yml", {"ci"}),
        ("Jenkinsfile", {"ci"}),
        ("pyproject.toml", {"dependency", "check settings"}),
        ("requirements-dev.txt", {"dependency"}),
        ("go.mod", {"dependency"}),
        ("package-lock.json", {"lock file"}),
        ("a/b/uv.lock", {"lock file"}),
        ("web/app.min.js", {"generated"}),
        ("vendor/x/y.go", {"generated"}),
        (".env", {"secret"}),
        ("deploy/server.pem", {"secret"}),
        ("src/auth/views.py", {"security"}),
        ("src/password_reset.py", {"security"}),
    ],
)
def test_a_path_is_classified_by_its_name(path: str, kinds: set[str]) -> None:
    assert classify(path) == kinds


def file(path: str, kind: str = "modified", *, link: bool = False) -> FileDiff:
    return FileDiff(path, path, kind, 1, 1, link=link)


def test_ordinary_files_need_no_warning() -> None:
    assert warnings_for([file("src/a.py"), file("docs/b.md")]) == ()


def test_each_kind_is_one_sentence_with_its_paths() -> None:
    many = [file(f"tests/test_{number}.py") for number in range(7)]
    files = [
        *many,
        file(".ci/run"),
        file("l", link=True),
        file("x.sh", "mode"),
        file("new\nci/.env"),
    ]
    assert warnings_for(files) == (
        "tests are changed: tests/test_0.py, tests/test_1.py, tests/test_2.py, tests/test_3.py, "
        "tests/test_4.py and 2 more",
        "continuous integration is changed: .ci/run",
        "a file that usually holds secrets is changed: new\\nci/.env",
        "symbolic links are changed: l",
        "permissions are changed: x.sh",
    )
