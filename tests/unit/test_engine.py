"""Finding the engine as Docker's own clients do, and saying why it cannot be had."""

from __future__ import annotations

import hashlib
import json
import socket
from pathlib import Path

import pytest

from selfheal_tui.adapters.docker.engine import Endpoint, connect, find_endpoint, why_not
from selfheal_tui.errors import SandboxError


def configured(home: Path, config: dict, context: dict | None = None, name: str = "far") -> dict:
    folder = home / ".docker"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    if context is not None:
        meta = folder / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest()
        meta.mkdir(parents=True)
        (meta / "meta.json").write_text(json.dumps(context))
    return {"HOME": str(home)}


FAR = {"Name": "far", "Endpoints": {"docker": {"Host": "tcp://far.example.test:2376"}}}


def test_docker_host_comes_before_a_context(tmp_path):
    environment = configured(tmp_path, {"currentContext": "far"}, FAR)
    environment["DOCKER_HOST"] = "tcp://near.example.test:2375"
    assert find_endpoint(environment) == Endpoint(
        "tcp://near.example.test:2375", "DOCKER_HOST", verify=False
    )


def test_docker_host_with_tls_takes_the_files_of_its_folder(tmp_path):
    environment = {
        "DOCKER_HOST": "tcp://near.example.test:2376",
        "DOCKER_TLS_VERIFY": "1",
        "DOCKER_CERT_PATH": str(tmp_path),
    }
    assert find_endpoint(environment) == Endpoint(
        "tcp://near.example.test:2376", "DOCKER_HOST", tmp_path
    )


def test_the_current_context_is_followed(tmp_path):
    environment = configured(tmp_path, {"currentContext": "far", "auths": {}}, FAR)
    assert find_endpoint(environment) == Endpoint("tcp://far.example.test:2376", "context `far`")


def test_docker_context_comes_before_the_current_one(tmp_path):
    environment = configured(tmp_path, {"currentContext": "other"}, FAR)
    environment["DOCKER_CONTEXT"] = "far"
    assert find_endpoint(environment).url == "tcp://far.example.test:2376"


def test_a_context_that_does_not_exist_is_named(tmp_path):
    environment = configured(tmp_path, {"currentContext": "gone"})
    with pytest.raises(SandboxError, match="context `gone` does not exist"):
        find_endpoint(environment)


@pytest.mark.parametrize("content", [{}, {"Endpoints": []}, {"Endpoints": {"docker": {}}}])
def test_a_context_that_cannot_be_read_is_named(tmp_path, content):
    environment = configured(tmp_path, {"currentContext": "far"}, content)
    with pytest.raises(SandboxError, match="context `far` cannot be read"):
        find_endpoint(environment)


def test_a_configuration_that_cannot_be_read_is_named(tmp_path):
    environment = configured(tmp_path, {})
    (tmp_path / ".docker" / "config.json").write_text("[]")
    with pytest.raises(SandboxError, match=r"config\.json cannot be read"):
        find_endpoint(environment)


def test_podmans_socket_is_used_where_there_is_no_docker(tmp_path):
    podman = tmp_path / "podman" / "podman.sock"
    podman.parent.mkdir()
    podman.touch()
    environment = {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}
    assert find_endpoint(environment, tmp_path / "none.sock") == Endpoint(
        f"unix://{podman}", "Podman's socket"
    )
    docker = tmp_path / "docker.sock"
    docker.touch()
    assert find_endpoint(environment, docker) == Endpoint(f"unix://{docker}", "the default socket")


def test_without_any_socket_the_default_one_is_named(tmp_path):
    default = tmp_path / "none.sock"
    assert find_endpoint({"HOME": str(tmp_path)}, default) == Endpoint(
        f"unix://{default}", "the default socket"
    )


def test_an_engine_that_is_not_there_says_what_to_do(tmp_path):
    address = f"unix://{tmp_path}/none.sock"
    with pytest.raises(SandboxError) as raised:
        connect({"DOCKER_HOST": address})
    assert str(raised.value) == (
        f"no container engine at {address} (DOCKER_HOST): install Docker or Podman, or start it "
        "(sudo systemctl start docker)"
    )


def test_a_port_that_nobody_listens_on_is_an_engine_that_is_not_running():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(SandboxError, match="it is not running; start it"):
            connect({"DOCKER_HOST": address})


def test_a_socket_without_permission_names_the_group():
    error = OSError("cannot connect")
    error.__cause__ = ConnectionError("aborted", PermissionError(13, "Permission denied"))
    endpoint = Endpoint("unix:///var/run/docker.sock", "the default socket")
    assert why_not(error, endpoint) == (
        "no permission for the container engine at unix:///var/run/docker.sock (the default "
        "socket); add yourself to its group (sudo usermod -aG docker $USER) and log in again"
    )


def test_an_engine_that_stays_silent_is_given_up():
    endpoint = Endpoint("tcp://192.0.2.1:2375", "DOCKER_HOST")
    assert why_not(TimeoutError("timed out"), endpoint) == (
        "the container engine at tcp://192.0.2.1:2375 (DOCKER_HOST) does not answer within 5 s"
    )


def test_an_unknown_host_is_named():
    error = OSError(-2, "Name or service not known")
    assert why_not(error, Endpoint("tcp://nowhere.test:1", "DOCKER_HOST")) == (
        "the container engine at tcp://nowhere.test:1 (DOCKER_HOST) cannot be reached: "
        "Name or service not known"
    )
