"""What is missing becomes one set-up command; names that nobody vouches for are not installed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_tui.core.environment import Missing
from selfheal_tui.core.named_requirements import named_requirements
from selfheal_tui.core.setup_plan import install_packages, plan_setup


def module(name, language="python"):
    return Missing("module", name, language)


def plan(*missing, files=None, own=(), guess=False):
    return plan_setup(missing, files or {}, own, guess=guess)


@pytest.mark.parametrize(
    ("name", "distribution"),
    [
        ("yaml", "PyYAML"),
        ("cv2", "opencv-python-headless"),
        ("PIL", "Pillow"),
        ("sklearn", "scikit-learn"),
        ("bs4", "beautifulsoup4"),
        ("dateutil", "python-dateutil"),
        ("dotenv", "python-dotenv"),
        ("attr", "attrs"),
        ("requests", "requests"),
    ],
)
def test_a_well_known_module_is_installed_by_its_distribution(name, distribution):
    assert plan(module(name)).command == f"pip install {distribution}"


@pytest.mark.parametrize(
    ("path", "text", "command"),
    [
        ("requirements-ci.txt", "pyyaml == 6.0.1 ; python_version > '3'\n", "pyyaml==6.0.1"),
        ("docs/requirements.txt", "--hash=x\nPyYAML>=6,<7 # why\n", "'PyYAML>=6,<7'"),
        (
            "pyproject.toml",
            '[project]\ndependencies = ["PyYAML~=6.0"]\n',
            "'PyYAML~=6.0'",
        ),
        ("pyproject.toml", '[tool.poetry.dependencies]\nPyYAML = "^6"\n', "PyYAML"),
        ("poetry.lock", '[[package]]\nname = "pyyaml"\nversion = "6.0"\n', "pyyaml==6.0"),
        ("Pipfile.lock", '{"default": {"pyyaml": {"version": "==6.0"}}}', "pyyaml==6.0"),
        ("setup.cfg", "[options]\ninstall_requires =\n    PyYAML<7\n", "'PyYAML<7'"),
        ("setup.py", "setup(extras_require={'x': ['PyYAML==6.0']})\n", "PyYAML==6.0"),
        ("environment.yml", "dependencies:\n  - pyyaml=6.0=h1\n", "pyyaml==6.0"),
    ],
)
def test_the_projects_own_files_say_which_version(path, text, command):
    assert plan(module("yaml"), files={path: text.encode()}).command == f"pip install {command}"


def test_an_exact_version_comes_before_a_range():
    files = {
        "pyproject.toml": b'[project]\ndependencies = ["six"]\n',
        "uv.lock": b'[[package]]\nname = "six"\nversion = "1.16.0"\nsource = {registry = "r"}\n',
    }
    assert named_requirements(files) == {"six": "six==1.16.0"}


@pytest.mark.parametrize(
    "line",
    ["six @ https://example.invalid/six.whl", "-e git+ssh://x#egg=six", "--index-url http://x six"],
)
def test_addresses_and_options_name_nothing(line):
    assert named_requirements({"requirements.txt": line.encode()}) == {}


def test_a_package_from_git_in_a_lock_is_not_taken_for_one_of_the_index():
    lock = b'[[package]]\nname = "six"\nversion = "1"\nsource = {git = "https://x"}\n'
    assert named_requirements({"uv.lock": lock}) == {}


@pytest.mark.parametrize("path", ["yaml.py", "src/yaml/__init__.py", "a/b/yaml/c.py"])
def test_a_module_that_the_tree_defines_is_never_installed(path):
    found = plan(module("yaml"), own=[path], guess=True)
    assert found.command == ""
    assert found.left == (
        "the Python module yaml is missing: the project itself defines a module of this name",
    )


def test_an_unknown_name_is_a_guess_and_only_where_somebody_looks():
    found = plan(module("acme_billing"))
    assert found.command == ""
    assert "nobody is there to look at a guess" in found.left[0]
    guessed = plan(module("acme_billing"), guess=True)
    assert guessed.command == "pip install acme_billing"
    assert "GUESS" in guessed.reason
    named = plan(module("acme_billing"), files={"requirements-x.txt": b"acme-billing==2\n"})
    assert named.command == "pip install acme-billing==2"


def test_all_of_a_round_is_one_command_with_the_systems_packages_first():
    found = plan(module("yaml"), Missing("library", "zlib.h"), module("six"),
                 Missing("program", "gcc"))  # fmt: skip
    assert found.command == f"{install_packages(['zlib1g-dev', 'gcc'])} &&\npip install PyYAML six"
    assert found.brings == (
        module("yaml"),
        Missing("library", "zlib.h"),
        module("six"),
        Missing("program", "gcc"),
    )


def test_a_tool_of_python_comes_with_pip():
    files = {"requirements-lint.txt": b"ruff==0.6.0\n"}
    assert plan(Missing("program", "ruff"), files=files).command == "pip install ruff==0.6.0"


def test_an_unknown_program_says_what_can_be_done():
    found = plan(Missing("program", "acmectl"), guess=True)
    assert found.command == ""
    assert "selfheal config --add-setup" in found.left[0]


def test_another_interpreter_is_said_in_plain_words():
    found = plan(Missing("interpreter", "python", "python", ">=3.13", "3.11.2"))
    assert found.left == (
        "Python >=3.13 (there is 3.11.2) is missing: a set-up command cannot change the"
        " interpreter; name an image that has it with --image, or a sandbox with --sandbox",
    )


PACKAGE = b'{"devDependencies": {"left-pad": "^1.3.0"}}'


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({"a/b/package.json": PACKAGE}, "(cd a/b && npm install --no-package-lock)"),
        ({"a/b/package.json": PACKAGE, "a/b/package-lock.json": b"{}"}, "(cd a/b && npm ci)"),
        ({"package.json": PACKAGE}, "npm install --no-save --no-package-lock 'left-pad@^1.3.0'"),
    ],
)
def test_what_a_package_json_names_is_installed_as_it_says(files, command):
    assert plan(module("left-pad", "node"), files=files).command == command


def test_a_package_of_node_that_nothing_names_is_not_installed():
    assert plan(module("left-pad", "node")).command == ""
    assert plan(module("../x", "node"), guess=True).command == ""


@settings(max_examples=150)
@given(
    st.text(max_size=40),
    st.sampled_from(["python", "node", "java", ""]),
    st.dictionaries(
        st.sampled_from(["requirements.txt", "pyproject.toml", "package.json", "setup.py",
                         "setup.cfg", "uv.lock", "Pipfile.lock", "environment.yml"]),
        st.binary(max_size=200),
    ),
)  # fmt: skip
def test_no_bytes_of_a_project_make_a_command_that_does_more(name, language, files):
    found = plan(module(name, language), files=files, guess=True)
    assert not set(found.command) & set("\n;|`$\0")


@settings(max_examples=100)
@given(st.text(alphabet="abz19.-_[]<>=!~,;@ #\n'\"\\/:$()", max_size=60))
def test_what_a_requirements_file_names_is_plain(text):
    for requirement in named_requirements({"requirements.txt": text.encode()}).values():
        assert requirement[0].isalnum()
        assert not set(requirement) & set("/@;#$\n\\'\" :")
