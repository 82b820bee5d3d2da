"""The connection to a Docker engine (or Podman's socket), found as Docker's own clients find it.

Refuses to start or install an engine. What goes wrong is a sentence that says what to do.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import docker.errors
import docker.tls
import requests.exceptions

from selfheal_tui.errors import SandboxError

CONNECT_TIMEOUT = 5
"""Seconds until an engine that does not answer is given up."""

CALL_TIMEOUT = 120
"""Seconds that one later call may take; the longest is the commit of a large layer."""

OLDEST_API = (1, 40)
DEFAULT_SOCKET = Path("/var/run/docker.sock")


@dataclass(frozen=True)
class Endpoint:
    """Where an engine is looked for. `source` names the setting that says so.

    `tls` is the folder with `ca.pem`, `cert.pem` and `key.pem`; None without TLS.
    """

    url: str
    source: str
    tls: Path | None = None
    verify: bool = True


@dataclass(frozen=True)
class EngineFacts:
    """What `doctor` says of an engine. Version numbers are as the engine writes them.

    `cgroup` is `1` or `2`; the booleans say whether the engine has the thing at work.
    """

    endpoint: str
    product: str
    version: str
    api: str
    system: str
    cgroup: str
    rootless: bool
    userns: bool
    seccomp: bool
    apparmor: bool
    memory_limit: bool
    swap_limit: bool
    pids_limit: bool
    storage: str
    cpus: int
    memory: int


def connect(environment: Mapping[str, str] | None = None) -> docker.DockerClient:
    """A client of the engine that the user's configuration names. Blocks for 5 s at most.

    Raises SandboxError when no engine answers, it may not be used, or it is too old.
    """
    environment = os.environ if environment is None else environment
    endpoint = find_endpoint(environment)
    try:
        _probe(endpoint)
        client = docker.DockerClient(
            base_url=endpoint.url,
            version="auto",
            tls=_tls(endpoint),
            timeout=CONNECT_TIMEOUT,
            use_ssh_client=endpoint.url.startswith("ssh://"),
        )
    except (docker.errors.DockerException, requests.exceptions.RequestException, OSError) as error:
        raise SandboxError(why_not(error, endpoint)) from error
    except ValueError as error:
        # A login in the client's own file, which the library reads, is not of its form.
        raise SandboxError(f"the Docker client's config.json cannot be read: {error}") from error
    client.api.timeout = CALL_TIMEOUT
    try:
        _check_version(client)
    except SandboxError:
        client.close()
        raise
    return client


def find_endpoint(
    environment: Mapping[str, str], default_socket: Path = DEFAULT_SOCKET
) -> Endpoint:
    """DOCKER_HOST, else the chosen context, else the first socket that is there.

    Raises SandboxError for a context that does not exist or cannot be read.
    """
    folder = _docker_folder(environment)
    if host := environment.get("DOCKER_HOST"):
        verify = environment.get("DOCKER_TLS_VERIFY", "") != ""
        given = environment.get("DOCKER_CERT_PATH")
        tls = Path(given) if given else folder if verify else None
        return Endpoint(host, "DOCKER_HOST", tls, verify)
    context = environment.get("DOCKER_CONTEXT") or _current_context(folder)
    if context and context != "default":
        return _of_context(context, folder)
    runtime = environment.get("XDG_RUNTIME_DIR")
    candidates = [(default_socket, "the default socket")]
    if runtime:
        candidates.append((Path(runtime) / "docker.sock", "the rootless engine's socket"))
        candidates.append((Path(runtime) / "podman" / "podman.sock", "Podman's socket"))
    found = next((item for item in candidates if item[0].exists()), candidates[0])
    return Endpoint(f"unix://{found[0]}", found[1])


def facts(client: docker.DockerClient) -> EngineFacts:
    """What the engine says of itself. Raises SandboxError when it stopped answering."""
    try:
        version: dict[str, Any] = client.version()
        info: dict[str, Any] = client.info()
    except (docker.errors.DockerException, requests.exceptions.RequestException) as error:
        raise SandboxError(f"the container engine stopped answering: {error}") from error
    options = [str(option) for option in info.get("SecurityOptions") or ()]
    names = {option.split(",")[0].removeprefix("name=") for option in options}
    return EngineFacts(
        endpoint=_address(client),
        product=_product(version),
        version=str(version.get("Version", "")),
        api=str(version.get("ApiVersion", "")),
        system=str(info.get("OperatingSystem", "")),
        cgroup=str(info.get("CgroupVersion") or "1"),
        rootless="rootless" in names,
        userns="userns" in names,
        seccomp="seccomp" in names and not any("unconfined" in option for option in options),
        apparmor="apparmor" in names,
        memory_limit=bool(info.get("MemoryLimit")),
        swap_limit=bool(info.get("SwapLimit")),
        pids_limit=bool(info.get("PidsLimit")),
        storage=str(info.get("Driver", "")),
        cpus=int(info.get("NCPU") or 0),
        memory=int(info.get("MemTotal") or 0),
    )


def why_not(error: BaseException, endpoint: Endpoint) -> str:
    """The sentence for a connection that failed."""
    place = f"{endpoint.url} ({endpoint.source})"
    if "paramiko" in str(error):
        return f"{place} is reached over ssh, which needs: pip install 'docker[ssh]'"
    causes = list(_causes(error))
    for cause in causes:
        match cause:
            case PermissionError():
                return (
                    f"no permission for the container engine at {place}; "
                    "add yourself to its group (sudo usermod -aG docker $USER) and log in again"
                )
            case FileNotFoundError():
                return (
                    f"no container engine at {place}: install Docker or Podman, or start it "
                    "(sudo systemctl start docker)"
                )
            case ConnectionRefusedError():
                return f"no container engine answers at {place}: it is not running; start it"
    if any(isinstance(cause, docker.errors.TLSParameterError) for cause in causes):
        return f"the TLS files for {place} cannot be used: {error}"
    text = str(error)
    if "400" in text and "HTTPS" in text:
        return f"the container engine at {place} wants TLS: set DOCKER_TLS_VERIFY=1"
    if any(isinstance(cause, (TimeoutError, requests.exceptions.Timeout)) for cause in causes):
        return f"the container engine at {place} does not answer within {CONNECT_TIMEOUT} s"
    return f"the container engine at {place} cannot be reached: {_last(causes)}"


def _probe(endpoint: Endpoint) -> None:
    """Raises OSError for a socket that does not answer: docker-py would leave its end open."""
    if not endpoint.url.startswith("unix://"):
        return
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(CONNECT_TIMEOUT)
        probe.connect("/" + endpoint.url.removeprefix("unix://").lstrip("/"))


def _check_version(client: docker.DockerClient) -> None:
    try:
        version: dict[str, Any] = client.version()
    except (docker.errors.DockerException, requests.exceptions.RequestException) as error:
        raise SandboxError(f"the container engine stopped answering: {error}") from error
    spoken = str(version.get("ApiVersion", ""))
    if _api(spoken) < OLDEST_API:
        oldest = ".".join(map(str, OLDEST_API))
        raise SandboxError(
            f"the container engine is too old: it speaks API {spoken or '?'}, {oldest} is needed"
            " (Docker 19.03 or later)"
        )
    if str(version.get("Os", "linux")).lower() != "linux":
        raise SandboxError("the container engine runs Windows containers; switch it to Linux ones")


def _api(text: str) -> tuple[int, ...]:
    parts = text.split(".")
    return tuple(int(part) for part in parts) if all(part.isdecimal() for part in parts) else ()


def _address(client: docker.DockerClient) -> str:
    adapter = client.api.get_adapter(client.api.base_url)
    path = getattr(adapter, "socket_path", "")
    return f"unix://{path}" if path else str(client.api.base_url)


def _product(version: Mapping[str, Any]) -> str:
    names = [str(part.get("Name", "")) for part in version.get("Components") or ()]
    return "Podman" if any("podman" in name.lower() for name in names) else "Docker"


def _docker_folder(environment: Mapping[str, str]) -> Path:
    given = environment.get("DOCKER_CONFIG")
    return Path(given) if given else Path(environment.get("HOME") or "~").expanduser() / ".docker"


def _current_context(folder: Path) -> str:
    """The context that `docker context use` chose. Nothing else of the file is looked at."""
    try:
        name = json.loads((folder / "config.json").read_bytes()).get("currentContext", "")
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise SandboxError(f"{folder / 'config.json'} cannot be read: {error}") from error
    return str(name)


def _of_context(name: str, folder: Path) -> Endpoint:
    number = hashlib.sha256(name.encode()).hexdigest()
    file = folder / "contexts" / "meta" / number / "meta.json"
    try:
        endpoint = json.loads(file.read_bytes())["Endpoints"]["docker"]
        host, skip = str(endpoint["Host"]), bool(endpoint.get("SkipTLSVerify"))
    except FileNotFoundError as error:
        raise SandboxError(
            f"the Docker context `{name}` does not exist; `docker context ls` lists them"
        ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SandboxError(f"the Docker context `{name}` cannot be read from {file}") from error
    tls = folder / "contexts" / "tls" / number / "docker"
    return Endpoint(host, f"context `{name}`", tls if tls.is_dir() else None, not skip)


def _tls(endpoint: Endpoint) -> docker.tls.TLSConfig | bool:
    if endpoint.tls is None or endpoint.url.startswith(("unix:", "ssh:", "npipe:")):
        return False
    cert, key, ca = (endpoint.tls / name for name in ("cert.pem", "key.pem", "ca.pem"))
    return docker.tls.TLSConfig(
        client_cert=(str(cert), str(key)) if cert.exists() or key.exists() else None,
        ca_cert=str(ca) if ca.exists() else None,
        verify=endpoint.verify,
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """`error`, what it was raised from, and the errors that it carries as arguments."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        cause = waiting.pop(0)
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            waiting += [cause.__cause__, cause.__context__, *cause.args]
            waiting.append(getattr(cause, "reason", None))


def _last(causes: list[BaseException]) -> str:
    """What the system said, where it said something; else what the library said."""
    system = [cause for cause in causes if isinstance(cause, OSError) and cause.strerror]
    return str(system[-1].strerror if system else causes[0])
