"""The set-up recipe that a tree's own files ask for."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_tui.core.recipe import PLACE, FoundRecipe, Recipe, detect_recipe, find_recipe

PACKAGE = '[build-system]\nrequires = ["hatchling"]\n[project]\nname = "demo"\n'


def found(**files: str) -> FoundRecipe:
    return in_tree({name.replace("__", "."): text for name, text in files.items()})


def in_tree(tree: dict[str, str]) -> FoundRecipe:
    content = {path: text.encode() for path, text in tree.items()}
    return find_recipe(content, content.__getitem__)


def command(tree: dict[str, str]) -> str:
    recipe = in_tree(tree).recipe
    assert recipe is not None
    return recipe.command


def test_a_tree_without_manifests_has_no_recipe():
    assert in_tree({"Makefile": "all:\n", "src/a.c": "", "README": ""}) == FoundRecipe()


def test_requirements_come_with_those_for_tests_and_what_they_include():
    tree = {
        "requirements.txt": "requests>=2 # http\n",
        "requirements-dev.txt": "-r requirements.txt\n-c limits/pins.txt\npytest\n",
        "limits/pins.txt": "urllib3<3\n",
        "docs/requirements.txt": "sphinx\n",
        "app.py": "",
    }
    assert in_tree(tree) == FoundRecipe(
        Recipe(
            "pip",
            "pip install -r requirements.txt -r requirements-dev.txt",
            PLACE,
            ("limits/pins.txt", "requirements-dev.txt", "requirements.txt"),
        )
    )


@pytest.mark.parametrize(
    "text", ["", "# nothing yet\n\n   # really\n", "--index-url https://example.test/simple\n"]
)
def test_requirements_that_ask_for_nothing_are_no_recipe(text):
    assert in_tree({"requirements.txt": text}).recipe is None


def test_an_include_that_leaves_the_tree_or_turns_in_a_circle_is_not_followed():
    tree = {"requirements.txt": "-r ../outside.txt\n-r requirements.txt\n-r /etc/passwd\nsix\n"}
    assert in_tree(tree).recipe == Recipe(
        "pip", "pip install -r requirements.txt", PLACE, ("requirements.txt",)
    )


def test_requirements_of_a_package_install_the_package_too():
    tree = {"requirements.txt": "six\n", "setup.py": "from setuptools import setup\nsetup()\n"}
    assert command(tree) == "pip install -r requirements.txt -e ."


def test_requirements_that_name_the_project_itself_are_enough():
    tree = {"requirements.txt": "-e .[test]\n", "pyproject.toml": PACKAGE}
    assert command(tree) == "pip install -r requirements.txt"


def test_hashed_requirements_are_installed_alone():
    tree = {"requirements.txt": "six==1.0 \\\n  --hash=sha256:00\n", "pyproject.toml": PACKAGE}
    assert command(tree) == "pip install -r requirements.txt && pip install --no-deps -e ."


@pytest.mark.parametrize(
    ("extras", "target"),
    [
        ("", "-e ."),
        ("docs = []", "-e ."),
        ("test = []\ndev = []\ndocs = []", "-e '.[test]'"),
        ("testing = []", "-e '.[testing]'"),
        ("dev = []", "-e '.[dev]'"),
        ("'dev; rm -rf /' = []", "-e ."),
    ],
)
def test_the_extra_for_tests_is_chosen_among_those_that_exist(extras, target):
    text = f"{PACKAGE}[project.optional-dependencies]\n{extras}\n"
    assert command({"pyproject.toml": text}) == f"pip install {target}"


def test_dependency_groups_for_tests_are_spelled_out_with_what_they_include():
    text = PACKAGE + (
        "[dependency-groups]\n"
        'test = ["pytest>=8", {include-group = "more"}, {include-group = "test"}]\n'
        'more = ["hypothesis", "--index-url=https://evil.test", 7]\n'
        'docs = ["sphinx"]\n'
    )
    assert command({"pyproject.toml": text}) == "pip install -e . 'pytest>=8' hypothesis"


def test_settings_of_tools_alone_are_no_recipe():
    assert found(pyproject__toml="[tool.ruff]\nline-length = 90\n") == FoundRecipe()


def test_an_application_without_a_build_system_gets_its_dependencies_only():
    text = (
        '[project]\nname = "shop"\ndependencies = ["flask>=3"]\n'
        "[project.optional-dependencies]\ntest = ['pytest']\n"
    )
    assert command({"pyproject.toml": text, "app.py": ""}) == "pip install 'flask>=3' pytest"


def test_a_package_folder_makes_a_project_without_build_system_installable():
    text = '[project]\nname = "my-shop"\n'
    assert command({"pyproject.toml": text, "src/my_shop/__init__.py": ""}) == "pip install -e ."


def test_the_extras_of_setup_py_and_setup_cfg_are_found():
    script = "setup(extras_require={'test': ['pytest']})"
    assert command({"setup.py": script}) == "pip install -e '.[test]'"
    config = "[options.extras_require]\ntesting =\n  pytest\n"
    assert command({"setup.py": "setup()", "setup.cfg": config}) == "pip install -e '.[testing]'"


def test_a_version_that_comes_from_git_is_pretended():
    text = (
        '[build-system]\nrequires = ["hatchling", "hatch-vcs"]\n'
        '[project]\nname = "demo"\ndynamic = ["version"]\n'
    )
    assert command({"pyproject.toml": text}) == (
        "SETUPTOOLS_SCM_PRETEND_VERSION=0.0.0 pip install -e ."
    )


def test_the_lock_of_uv_comes_before_requirements():
    tree = {
        "uv.lock": "version = 1\n",
        "requirements.txt": "six\n",
        "pyproject.toml": PACKAGE + "[dependency-groups]\ntest = ['pytest']\ndev = ['ruff']\n",
    }
    assert in_tree(tree).recipe == Recipe(
        "uv",
        "pip install uv && uv sync --frozen --inexact --group test",
        PLACE,
        ("pyproject.toml", "uv.lock"),
    )


def test_the_lock_of_poetry_is_exported_for_pip():
    tree = {
        "poetry.lock": "[[package]]\nname = 'six'\n",
        "pyproject.toml": (
            "[tool.poetry]\nname = 'demo'\n[tool.poetry.dependencies]\npython = '^3.10'\n"
            "[tool.poetry.group.dev.dependencies]\npytest = '*'\n"
            "[build-system]\nrequires = ['poetry-core']\n"
        ),
    }
    assert command(tree) == (
        "python3 -m venv /opt/poetry && /opt/poetry/bin/pip install poetry poetry-plugin-export && "
        "/opt/poetry/bin/poetry export --with dev -o /tmp/requirements.txt && "
        "pip install -r /tmp/requirements.txt && pip install --no-deps -e ."
    )


def test_a_poetry_lock_with_a_git_dependency_is_exported_without_hashes():
    tree = {
        "poetry.lock": '[package.source]\ntype = "git"\n',
        "pyproject.toml": "[tool.poetry]\npackage-mode = false\n",
    }
    assert command(tree).endswith(
        "poetry export --without-hashes -o /tmp/requirements.txt && "
        "pip install -r /tmp/requirements.txt"
    )


NODE = json.dumps({"dependencies": {"is-number": "7"}})


@pytest.mark.parametrize(
    ("files", "name", "expected"),
    [
        ({"package-lock.json": "{}"}, "npm", "npm ci"),
        ({"npm-shrinkwrap.json": "{}"}, "npm", "npm ci"),
        (
            {"pnpm-lock.yaml": ""},
            "pnpm",
            "npm install -g pnpm && pnpm install --frozen-lockfile",
        ),
        (
            {"yarn.lock": ""},
            "yarn",
            "npm install -g yarn@1 && yarn install --frozen-lockfile",
        ),
        (
            {"yarn.lock": "", ".yarnrc.yml": ""},
            "yarn",
            "npm install -g @yarnpkg/cli-dist && "
            "YARN_NODE_LINKER=node-modules yarn install --immutable",
        ),
        ({}, "npm", "npm install --no-package-lock"),
    ],
)
def test_a_node_project_is_installed_by_its_lock(files, name, expected):
    tree = {"package.json": NODE, **files}
    assert in_tree(tree).recipe == Recipe(name, expected, PLACE, tuple(sorted(tree)))


def test_the_package_manager_that_a_project_names_is_taken_in_its_version():
    package = json.dumps({"devDependencies": {"a": "1"}, "packageManager": "pnpm@9.1.0+sha512.0"})
    assert command({"package.json": package, "pnpm-lock.yaml": ""}).startswith(
        "npm install -g pnpm@9.1.0 && "
    )


def test_the_members_of_a_workspace_decide_too_whether_a_layer_still_fits():
    tree = {"package.json": '{"workspaces": ["packages/*"]}', "packages/a/package.json": NODE}
    recipe = in_tree(tree).recipe
    assert recipe is not None
    assert recipe.files == ("package.json", "packages/a/package.json")


@pytest.mark.parametrize(
    "tree",
    [
        {"package.json": '{"name": "x", "scripts": {"test": "node --test"}}'},
        {"package.json": '{"dependencies": {}}'},
        {"package.json": NODE, "node_modules/is-number/index.js": ""},
    ],
)
def test_a_node_project_that_needs_nothing_has_no_recipe(tree):
    assert in_tree(tree) == FoundRecipe()


def test_go_and_cargo_are_fetched_where_the_image_has_them():
    tree = {"go.mod": "module m\nrequire example.test/x v1.0.0\n", "go.sum": ""}
    recipe = in_tree(tree).recipe
    assert recipe is not None
    assert recipe.command == (
        'if command -v go >/dev/null; then GOPATH="${GOPATH:-/opt/selfheal/go}" go mod download; '
        "else echo 'go is not in this image: its dependencies are not installed'; fi"
    )
    assert (recipe.name, recipe.files) == ("go", ("go.mod", "go.sum"))
    cargo = command({"Cargo.toml": '[dependencies]\nserde = "1"\n', "Cargo.lock": ""})
    assert "cargo fetch --locked" in cargo
    assert in_tree({"go.mod": "module m\n"}) == FoundRecipe()
    assert in_tree({"Cargo.toml": "[package]\nname = 'x'\n"}) == FoundRecipe()


def test_several_languages_make_one_recipe():
    recipe = in_tree({"requirements.txt": "six\n", "package.json": NODE}).recipe
    assert recipe == Recipe(
        "pip + npm",
        "if command -v pip >/dev/null; then pip install -r requirements.txt; "
        "else echo 'pip is not in this image: its dependencies are not installed'; fi &&\n"
        "if command -v npm >/dev/null; then npm install --no-package-lock; "
        "else echo 'npm is not in this image: its dependencies are not installed'; fi",
        PLACE,
        ("package.json", "requirements.txt"),
    )


def test_projects_right_below_the_root_count_where_the_root_holds_none():
    tree = {
        "back end/requirements.txt": "six\n",
        "web/package.json": NODE,
        "examples/package.json": NODE,
        "a/b/package.json": NODE,
    }
    recipe = in_tree(tree).recipe
    assert recipe is not None
    assert "(cd 'back end' && pip install -r requirements.txt)" in recipe.command
    assert "(cd web && npm install --no-package-lock)" in recipe.command
    assert recipe.files == ("back end/requirements.txt", "web/package.json")


@pytest.mark.parametrize(
    ("name", "text", "warning"),
    [
        ("pyproject.toml", "[project", "pyproject.toml is not valid TOML"),
        ("package.json", "{,}", "package.json is not valid JSON"),
        ("package.json", "[]", "package.json is not a JSON object"),
        ("Cargo.toml", "=", "Cargo.toml is not valid TOML"),
    ],
)
def test_a_malformed_file_is_a_warning_and_no_recipe(name, text, warning):
    result = in_tree({name: text})
    assert result.recipe is None
    assert [one.startswith(warning) for one in result.warnings] == [True]


def test_one_malformed_file_does_not_hide_the_other_language():
    result = in_tree({"package.json": "{", "requirements.txt": "six\n"})
    assert result.recipe is not None
    assert result.recipe.name == "pip"
    assert len(result.warnings) == 1


def test_detect_recipe_is_the_recipe_alone():
    tree = {"requirements.txt": b"six\n"}
    assert detect_recipe(tree, tree.__getitem__) == find_recipe(tree, tree.__getitem__).recipe


NAMES = [
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "requirements.txt",
    "requirements-dev.txt",
    "uv.lock",
    "poetry.lock",
    "package.json",
    "package-lock.json",
    "pnpm-lock.yaml",
    "yarn.lock",
    "go.mod",
    "Cargo.toml",
    "Cargo.lock",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
MANIFEST = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("dependencies", "devDependencies", "workspaces", "packageManager", "project"), JSON
    ),
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), st.binary(max_size=200), max_size=6))
def test_whatever_bytes_the_files_hold_it_never_raises(tree):
    assert isinstance(find_recipe(tree, tree.__getitem__), FoundRecipe)


@settings(max_examples=150, deadline=None)
@given(MANIFEST, st.sampled_from(["", "package-lock.json", "pnpm-lock.yaml", "yarn.lock"]))
def test_whatever_values_a_package_holds_it_never_raises(package, lock):
    tree = {"package.json": json.dumps(package).encode(), **({lock: b""} if lock else {})}
    assert isinstance(find_recipe(tree, tree.__getitem__), FoundRecipe)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["project", "tool.poetry", "tool.poetry.group", "dependency-groups", "x"]),
    st.sampled_from(["name", "dev", "test", "dependencies", "extras", "optional-dependencies"]),
    st.sampled_from(["1", "true", '"x"', "[1, 2]", '["a", {b = 1}]', "{}", '{test = ["-e ."]}']),
)
def test_whatever_values_a_pyproject_holds_it_never_raises(section, key, value):
    text = f"[{section}]\n{key} = {value}\n[build-system]\nrequires = 3\n"
    tree = {"pyproject.toml": text.encode()}
    assert isinstance(find_recipe(tree, tree.__getitem__).recipe, Recipe)


@pytest.mark.parametrize("name", ["pyproject.toml", "package.json", "Cargo.toml"])
def test_a_file_nested_without_end_is_a_warning(name):
    text = ("x = " if name.endswith("toml") else "") + "[" * 100_000
    result = in_tree({name: text})
    assert (result.recipe, len(result.warnings)) == (None, 1)
