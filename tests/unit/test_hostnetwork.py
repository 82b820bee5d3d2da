"""What of the user's network configuration a build gets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.adapters.docker.hostnetwork import (
    INDEXES,
    HostNetworkSettings,
    read_certificates,
)

CERTIFICATE = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


def test_indexes_and_proxies_are_handed_on_and_nothing_else():
    environment = {
        "PIP_INDEX_URL": "https://mirror.example.test/simple",
        "NPM_CONFIG_REGISTRY": "https://mirror.example.test/npm",
        "HTTPS_PROXY": "http://proxy.example.test:8080",
        "no_proxy": "localhost,.example.test",
        "AWS_SECRET_ACCESS_KEY": "hush",
        "HOME": "/home/me",
        "PIP_EXTRA_INDEX_URL": "  ",
    }
    settings = HostNetworkSettings.from_environment(environment)
    assert settings == HostNetworkSettings(
        (
            ("PIP_INDEX_URL", "https://mirror.example.test/simple"),
            ("NPM_CONFIG_REGISTRY", "https://mirror.example.test/npm"),
            ("HTTPS_PROXY", "http://proxy.example.test:8080"),
            ("no_proxy", "localhost,.example.test"),
        )
    )
    assert settings.proxies == {
        "HTTPS_PROXY": "http://proxy.example.test:8080",
        "no_proxy": "localhost,.example.test",
    }


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("https://me:hush@mirror.example.test/simple", "it carries credentials"),
        ("https://a.example.test https://hush@b.example.test", "it carries credentials"),
        ("name=https://me:hush@mirror.example.test/simple", "it carries credentials"),
        ("file:///opt/simple", "it names a file of this machine"),
        ("name=file:///opt/simple", "it names a file of this machine"),
        ("http://localhost:3141/simple", "it names this machine's own loopback address"),
        ("http://127.0.0.1:3141", "it names this machine's own loopback address"),
        ("http://[::1]:3141/x", "it names this machine's own loopback address"),
    ],
)
def test_what_is_not_fit_is_left_out_with_a_reason_but_without_its_value(value, reason):
    settings = HostNetworkSettings.from_environment({"PIP_EXTRA_INDEX_URL": value})
    assert settings == HostNetworkSettings(
        warnings=(f"PIP_EXTRA_INDEX_URL is not handed to the build: {reason}",)
    )


@given(st.sampled_from(INDEXES), st.text(max_size=20), st.text(max_size=20))
def test_a_user_and_password_never_get_through(name, user, password):
    value = f"https://{user}:{password}@mirror.example.test/simple"
    assert HostNetworkSettings.from_environment({name: value}).variables == ()


def test_a_whole_bundle_is_used_by_every_tool():
    settings = HostNetworkSettings.from_environment(
        {"REQUESTS_CA_BUNDLE": "/etc/ca.pem", "NODE_EXTRA_CA_CERTS": "/etc/more.pem"}
    )
    assert settings == HostNetworkSettings(ca_bundle="/etc/ca.pem")
    assert settings.environment("/tmp/ca") == dict.fromkeys(
        [
            "SSL_CERT_FILE",
            "REQUESTS_CA_BUNDLE",
            "PIP_CERT",
            "CURL_CA_BUNDLE",
            "NODE_EXTRA_CA_CERTS",
            "GIT_SSL_CAINFO",
            "CARGO_HTTP_CAINFO",
            "npm_config_cafile",
        ],
        "/tmp/ca",
    )


def test_additional_certificates_do_not_replace_a_bundle():
    settings = HostNetworkSettings.from_environment({"NODE_EXTRA_CA_CERTS": "/etc/more.pem"})
    assert settings.environment("/tmp/ca") == {"NODE_EXTRA_CA_CERTS": "/tmp/ca"}


def test_without_a_copy_of_the_certificates_no_variable_names_one():
    settings = HostNetworkSettings(ca_bundle="/etc/ca.pem", variables=(("GOPROXY", "direct"),))
    assert settings.environment("") == {"GOPROXY": "direct"}


def test_certificates_are_read(tmp_path):
    bundle = tmp_path / "ca.pem"
    bundle.write_bytes(CERTIFICATE)
    assert read_certificates(HostNetworkSettings(ca_bundle=str(bundle))) == (CERTIFICATE, "")
    assert read_certificates(HostNetworkSettings()) == (b"", "")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (CERTIFICATE + b"-----BEGIN PRIVATE KEY-----\n", "it holds a private key"),
        (b"nothing", "it holds no PEM certificate"),
        (None, "No such file or directory"),
    ],
)
def test_a_file_that_is_no_bundle_is_not_used(tmp_path, content, reason):
    bundle = tmp_path / "ca.pem"
    if content is not None:
        bundle.write_bytes(content)
    expected = f"the CA bundle {bundle} is not used: {reason}"
    assert read_certificates(HostNetworkSettings(ca_bundle=str(bundle))) == (b"", expected)


def test_a_relative_path_is_not_the_users_configuration():
    assert read_certificates(HostNetworkSettings(extra_ca="ca.pem")) == (
        b"",
        "the CA bundle ca.pem is not used: its path is not absolute",
    )
