"""What a configuration may say of TLS to a server."""

from pathlib import Path

import pytest

from eyened_domain.config import Settings, TLSSettings
from eyened_domain.errors import ConfigurationError

SERVER = {"user": "u", "password": "p", "host": "h", "port": 1, "database": "d"}


def tls_of(**options: object) -> TLSSettings | None:
    return Settings.load({"database": SERVER | options, "secret_key": "k"}).tls


def test_tls_is_read_from_the_nested_form_the_flat_form_and_the_url():
    expected = TLSSettings(ca=Path("/ca.pem"), verify_identity=False)
    assert tls_of(ssl_ca="/ca.pem", ssl_verify_identity="no") == expected
    flat = {f"DATABASE_{name.upper()}": str(value) for name, value in SERVER.items()}
    flat["DATABASE_NAME"] = flat.pop("DATABASE_DATABASE")
    more = {"DATABASE_SSL_CA": "/ca.pem", "DATABASE_SSL_VERIFY_IDENTITY": "0", "SECRET_KEY": "k"}
    assert Settings.load(flat | more).tls == expected
    assert Settings.load(None, environ=flat | more).tls == expected
    url = "mysql+pymysql://u:p@h/d?ssl_ca=/ca.pem&ssl_check_hostname=false&charset=utf8mb4"
    assert Settings.load({"database_url": url, "secret_key": "k"}).tls == expected
    assert tls_of() is None


def test_tls_beside_a_url_of_the_same_source_counts_for_it():
    url = {"DATABASE_URL": "mysql://u@h/d", "SECRET_KEY": "k", "DATABASE_SSL_DISABLED": "true"}
    assert Settings.load(url).tls == TLSSettings(disabled=True)
    with pytest.raises(ConfigurationError, match="take one of them out"):
        Settings.load(url | {"DATABASE_URL": "mysql://u@h/d?ssl_ca=/ca.pem"})


def test_tls_of_the_environment_s_own_server_does_not_count_for_another():
    environ = {"DATABASE_SSL_CA": "/ca.pem", "SECRET_KEY": "k"}
    assert Settings.load("mysql://u@h/d", environ=environ).tls is None


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"ssl_disabled": True, "ssl_ca": "/ca.pem"}, "ssl_disabled"),
        ({"ssl_key": "/key.pem"}, "ssl_key"),
        ({"ssl_verify_cert": False, "ssl_verify_identity": True}, "ssl_verify_identity"),
        ({"ssl_disabled": "perhaps"}, "DATABASE_SSL_DISABLED"),
        ({"ssl_caa": "/ca.pem"}, "ssl_ca"),
    ],
)
def test_tls_that_cannot_be_meant_is_refused(options: dict[str, object], named: str):
    with pytest.raises(ConfigurationError, match=named):
        tls_of(**options)


@pytest.mark.parametrize("option", ["ssl=true", "ssl_mode=REQUIRED", "ssl-ca=/ca.pem"])
def test_an_option_of_a_url_about_tls_that_would_do_nothing_is_refused(option: str):
    with pytest.raises(ConfigurationError, match="ssl_ca"):
        Settings.load({"database_url": f"mysql://u@h/d?{option}", "secret_key": "k"})


def test_tls_without_a_server_is_refused():
    with pytest.raises(ConfigurationError, match="which server"):
        Settings.load({"DATABASE_SSL_CA": "/ca.pem"})


def test_the_password_of_a_key_is_hidden():
    found = tls_of(ssl_cert="/c", ssl_key="/k", ssl_key_password="geheim")
    assert found is not None
    assert "geheim" not in repr(found)


@pytest.mark.parametrize(
    ("said", "verifies", "checks_host"),
    [
        ({"ca": Path("/ca")}, True, True),
        ({"ca": Path("/ca"), "verify_identity": False}, True, False),
        ({"ca": Path("/ca"), "verify_cert": False}, False, False),
        ({"verify_cert": True}, True, True),
        ({"verify_identity": True}, True, True),
        ({"cipher": "HIGH"}, False, False),
    ],
)
def test_a_server_is_verified_as_soon_as_somebody_is_named(said, verifies, checks_host):
    tls = TLSSettings(**said)
    assert (tls.is_verifying, tls.is_checking_host) == (verifies, checks_host)
