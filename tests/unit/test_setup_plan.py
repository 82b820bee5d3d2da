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
        "uv.lock": b'[[package]]\nname = "six"\nversion = "1.16.0"\nsource = {registry = "https://pypi.org/simple"}\n',
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


ELSEWHERE = {
    "poetry, from git": (
        "pyproject.toml",
        '[tool.poetry.dependencies]\nacme = {git = "https://git.invalid/acme"}\n',
    ),
    "poetry, from a folder": (
        "pyproject.toml",
        '[tool.poetry.group.dev.dependencies]\nacme = {path = "../acme", develop = true}\n',
    ),
    "poetry, from another index": (
        "pyproject.toml",
        '[tool.poetry.dependencies]\nacme = {version = "==1", source = "ours"}\n',
    ),
    "poetry, where another index is named": (
        "pyproject.toml",
        '[[tool.poetry.source]]\nname = "ours"\nurl = "https://index.invalid/simple"\n'
        '[tool.poetry.dependencies]\nacme = "==1"\n',
    ),
    "uv, from the workspace": (
        "pyproject.toml",
        '[project]\ndependencies = ["acme>=1"]\n[tool.uv.sources]\nAcme = {workspace = true}\n',
    ),
    "uv, where another index is named": (
        "pyproject.toml",
        '[project]\ndependencies = ["acme>=1"]\n'
        '[[tool.uv.index]]\nurl = "https://index.invalid/simple"\n',
    ),
    "Pipfile, from git": ("Pipfile", '[packages]\nacme = {git = "https://git.invalid/acme"}\n'),
    "Pipfile, from another index": (
        "Pipfile",
        '[[source]]\nurl = "https://index.invalid/simple"\n[packages]\nacme = "*"\n',
    ),
    "Pipfile.lock, from a folder": ("Pipfile.lock", '{"default": {"acme": {"path": "./acme"}}}'),
    "Pipfile.lock, from another index": (
        "Pipfile.lock",
        '{"default": {"acme": {"version": "==1", "index": "ours"}}}',
    ),
    "requirements of another index": (
        "requirements.txt",
        "--extra-index-url=https://index.invalid/simple\nacme==1\n",
    ),
    "requirements of a folder of files": ("requirements.txt", "-f ./wheels\nacme==1\n"),
    "uv.lock, from another index": (
        "uv.lock",
        '[[package]]\nname = "acme"\nversion = "1"\n'
        'source = {registry = "https://index.invalid/simple"}\n',
    ),
    "names of conda": ("environment.yml", "dependencies:\n  - acme=1.0=h1\n  - acme\n"),
    "a list of another kind": ("setup.cfg", "[flake8]\nexclude =\n    acme\n"),
    "a package of the project's own": ("setup.cfg", "[options]\npackages =\n    acme\n"),
}


@pytest.mark.parametrize(("path", "text"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_what_comes_from_elsewhere_is_not_taken_from_the_public_index_by_its_name(path, text):
    # Whoever registers the name there would run their code.
    assert plan(module("acme"), files={path: text.encode()}).command == ""


def test_another_index_takes_no_pin_from_what_is_known():
    text = b"--extra-index-url https://index.invalid/simple\nacme==1\nPyYAML==6.0.1\n"
    assert named_requirements({"requirements.txt": text}) == {"pyyaml": "PyYAML==6.0.1"}
    plain = text.replace(b"index.invalid", b"pypi.org")
    assert set(named_requirements({"requirements.txt": plain})) == {"acme", "pyyaml"}


@pytest.mark.parametrize("name", ["distutils_x", "tkinter", "asyncore", "sqlite3"])
def test_a_module_of_python_itself_is_never_looked_for_in_the_index(name):
    found = plan(module(name), guess=True)
    if name == "distutils_x":
        assert "GUESS" in found.reason
        return
    assert found.command == ""
    assert "part of Python itself" in found.left[0]


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


@pytest.mark.parametrize(
    "versions", ["workspace:*", "file:../acme", "git+ssh://git.invalid/a", "npm:other@1", "a/b"]
)
def test_a_package_of_node_from_elsewhere_is_not_taken_from_the_registry(versions):
    package = f'{{"dependencies": {{"acme": "{versions}"}}}}'.encode()
    assert plan(module("acme", "node"), files={"package.json": package}).command == ""
    below = plan(module("acme", "node"), files={"a/b/package.json": package}).command
    # There npm itself reads where it comes from.
    assert below in ("(cd a/b && npm install --no-package-lock)", "")


@pytest.mark.parametrize("name", ["re\u0430ct", "acme.tgz", "acme.tar.gz"])
def test_a_name_that_is_not_plain_is_not_even_a_guess(name):
    package = f'{{"dependencies": {{"{name}": "1"}}}}'.encode()
    assert plan(module(name, "node"), files={"package.json": package}, guess=True).command == ""


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
