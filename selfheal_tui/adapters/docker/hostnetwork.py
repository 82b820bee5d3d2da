"""What of the user's own network configuration a build may know: CA bundle, index, proxies.

Refuses whatever carries credentials, and what only works on the host itself.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CA_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT", "CURL_CA_BUNDLE")
"""Variables of the host that name a whole CA bundle, in order of preference."""

EXTRA_CA_VARIABLE = "NODE_EXTRA_CA_CERTS"
"""Names certificates that are added to the built-in ones; not a whole bundle."""

INDEXES = (
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "UV_INDEX_URL",
    "UV_EXTRA_INDEX_URL",
    "UV_DEFAULT_INDEX",
    "UV_INDEX",
    "NPM_CONFIG_REGISTRY",
    "npm_config_registry",
    "GOPROXY",
)
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")

_USES_BUNDLE = (*CA_VARIABLES, EXTRA_CA_VARIABLE, "GIT_SSL_CAINFO", "CARGO_HTTP_CAINFO")
_MAX_BUNDLE = 8 * 1024 * 1024


@dataclass(frozen=True)
class HostNetworkSettings:
    """The user's settings that a build container gets.

    `variables` are index and proxy settings as they are. `ca_bundle` is the path of a whole CA
    bundle on the host, `extra_ca` that of additional certificates; empty where none is set.
    `warnings` say what was left out and why, without its value.
    """

    variables: tuple[tuple[str, str], ...] = ()
    ca_bundle: str = ""
    extra_ca: str = ""
    warnings: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> HostNetworkSettings:
        """Reads names and values only; no file is opened."""
        variables: dict[str, str] = {}
        warnings: list[str] = []
        for name in (*INDEXES, *_both_cases(PROXIES)):
            value = environment.get(name, "").strip()
            if not value:
                continue
            reason = "" if name.upper() == "NO_PROXY" else _unfit(value)
            if reason:
                warnings.append(f"{name} is not handed to the build: {reason}")
            else:
                variables[name] = value
        bundle = next((environment[name] for name in CA_VARIABLES if environment.get(name)), "")
        return cls(
            tuple(variables.items()),
            bundle,
            "" if bundle else environment.get(EXTRA_CA_VARIABLE, ""),
            tuple(warnings),
        )

    @property
    def proxies(self) -> dict[str, str]:
        """The proxy variables alone."""
        known = set(_both_cases(PROXIES))
        return {name: value for name, value in self.variables if name in known}

    def environment(self, ca_path: str) -> dict[str, str]:
        """Variables for a build whose copy of the certificates is at `ca_path`.

        An empty `ca_path` means that there is no copy.
        """
        variables = dict(self.variables)
        if not ca_path:
            return variables
        if self.ca_bundle:
            variables.update(dict.fromkeys(_USES_BUNDLE, ca_path))
            variables["npm_config_cafile"] = ca_path
        elif self.extra_ca:
            variables[EXTRA_CA_VARIABLE] = ca_path
        return variables


def read_certificates(settings: HostNetworkSettings) -> tuple[bytes, str]:
    """The bytes of the user's certificates, and a warning where they cannot be used.

    Both are empty where none are set. A file that also holds a private key is refused.
    """
    name = settings.ca_bundle or settings.extra_ca
    if not name:
        return b"", ""
    path = Path(name)
    if not path.is_absolute():
        # A relative name may lead into the repository, which is not the user's configuration.
        return b"", f"the CA bundle {name} is not used: its path is not absolute"
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BUNDLE + 1)
    except OSError as error:
        return b"", f"the CA bundle {name} is not used: {error.strerror}"
    if len(content) > _MAX_BUNDLE:
        return b"", f"the CA bundle {name} is not used: it is larger than 8 MiB"
    if b"PRIVATE KEY-----" in content:
        return b"", f"the CA bundle {name} is not used: it holds a private key"
    if b"-----BEGIN CERTIFICATE-----" not in content:
        return b"", f"the CA bundle {name} is not used: it holds no PEM certificate"
    return content, ""


def _both_cases(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for upper in names for name in (upper, upper.lower()))


def _unfit(value: str) -> str:
    """Why a setting cannot be handed on; empty when it can. May hold several addresses."""
    for part in re.split(r"[\s,|]+", value):
        if "@" in part:
            return "it carries credentials"
        address = part.rpartition("=")[2] if "://" in part else part
        if address.lower().startswith("file:"):
            return "it names a file of this machine"
        if _is_loopback(address):
            return "it names this machine's own loopback address"
    return ""


def _is_loopback(address: str) -> bool:
    host = re.sub(r"^[A-Za-z][A-Za-z0-9+.-]*://", "", address)
    host = re.split(r"[/?#]", host)[0]
    host = host[1 : host.find("]")] if host.startswith("[") else host.partition(":")[0]
    if host.lower() == "localhost" or host.lower().endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
