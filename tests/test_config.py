"""Settings: what is accepted, which source wins, and that a mistake is named with its place and what was expected."""

import os
import string
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.config import (
    SETTINGS,
    Configuration,
    Settings,
    default_of,
    load_configuration,
    mask_database,
    parse_public_url,
    variable_of,
)
from provisioner.errors import ConfigurationError

PASSWORD = "correct horse"


def load(
    *, file: Path | None = None, environ: Mapping[str, str] | None = None, overrides: Mapping[str, object] | None = None
) -> Configuration:
    return load_configuration(file=file, environ=environ or {}, overrides=overrides or {})


def problems(**sources: object) -> list[str]:
    with pytest.raises(ConfigurationError) as refusal:
        load(**sources)  # type: ignore[arg-type]  # the tests name the sources
    return str(refusal.value).splitlines()


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    return tmp_path / "provisioner.toml"


# sources


def test_without_any_source_every_setting_has_its_default() -> None:
    configuration = load()
    assert {"default"} == set(configuration.origins.values())
    assert ("127.0.0.1", 8080) == (configuration.settings.host, configuration.settings.port)
    assert Path("data").absolute() == configuration.settings.data_dir
    assert len(os.sched_getaffinity(0)) == configuration.settings.workers


def test_the_environment_overrides_the_file_and_the_command_line_overrides_both(toml: Path) -> None:
    toml.write_text('host = "192.0.2.1"\nport = 1\nthreads = 1\n')
    environ = {"PROVISIONER_PORT": "2", "PROVISIONER_THREADS": "2"}
    configuration = load(file=toml, environ=environ, overrides={"threads": "3", "host": None})
    settings = configuration.settings
    assert ("192.0.2.1", 2, 3) == (settings.host, settings.port, settings.threads)
    assert [f"{toml}: host", "PROVISIONER_PORT", "--threads"] == [
        configuration.origins[name] for name in ("host", "port", "threads")
    ]


def test_the_environment_can_name_the_file(toml: Path) -> None:
    toml.write_text("port = 9000")
    assert 9000 == load(environ={"PROVISIONER_CONFIG": str(toml)}).settings.port


def test_a_file_on_the_command_line_goes_before_the_one_in_the_environment(toml: Path, tmp_path: Path) -> None:
    toml.write_text("port = 9000")
    other = tmp_path / "other.toml"
    assert 9000 == load(file=toml, environ={"PROVISIONER_CONFIG": str(other)}).settings.port


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_can_stand_in_the_file_and_in_the_environment(name: str, toml: Path) -> None:
    toml.write_text(f'{name} = ["no setting takes a list of this"]')
    assert [f"{toml}: {name}"] == [line[: len(f"{toml}: {name}")] for line in problems(file=toml)]
    value = {"public_url": "https://h.example", "database_url": "sqlite:////d", "trusted_proxies": "::1"}.get(name, "1")
    value = {"log_level": "info", "log_format": "json", "metrics_networks": "::1"}.get(name, value)
    value = {"smtp_security": "tls", "smtp_from": "it@h.example", "smtp_scope": "https://h.example/.default"}.get(
        name, value
    )
    assert variable_of(name) == load(environ={variable_of(name): value}).origins[name]


def test_a_variable_that_is_empty_is_not_given() -> None:
    assert "default" == load(environ={"PROVISIONER_PORT": ""}).origins["port"]


def test_variables_of_other_programs_are_nobodys_business() -> None:
    assert load(environ={"HOME": "/nowhere", "XPROVISIONER_PORT": "x", "provisioner_port": "x"}) == load()


def test_what_kubernetes_says_of_a_service_called_provisioner_is_not_ours() -> None:
    environ = {
        "PROVISIONER_SERVICE_HOST": "10.0.0.1",
        "PROVISIONER_SERVICE_PORT": "8080",
        "PROVISIONER_SERVICE_PORT_HTTP": "8080",
        "PROVISIONER_PORT": "tcp://10.0.0.1:8080",
        "PROVISIONER_PORT_8080_TCP": "tcp://10.0.0.1:8080",
        "PROVISIONER_PORT_8080_TCP_PROTO": "tcp",
        "PROVISIONER_PORT_8080_TCP_PORT": "8080",
        "PROVISIONER_PORT_8080_TCP_ADDR": "10.0.0.1",
        "PROVISIONER_DB_SERVICE_HOST": "10.0.0.2",
        "PROVISIONER_DB_PORT": "tcp://10.0.0.2:5432",
    }
    assert load(environ=environ) == load()


# mistakes


def test_an_unknown_key_or_variable_is_an_error_with_a_suggestion(toml: Path) -> None:
    toml.write_text('pubilc_url = "https://mail.contoso.example"')
    assert [f"{toml}: pubilc_url is not a setting. Did you mean 'public_url'?"] == problems(file=toml)
    assert ["PROVISIONER_PUBILC_URL is not a setting. Did you mean 'PROVISIONER_PUBLIC_URL'?"] == problems(
        environ={"PROVISIONER_PUBILC_URL": "https://mail.contoso.example"}
    )


def test_all_mistakes_of_all_sources_are_told_at_once(toml: Path) -> None:
    toml.write_text("port = 99999\nthraeds = 4\n")
    assert 4 == len(
        problems(
            file=toml, environ={"PROVISIONER_LINK_DAYS": "many", "PROVISIONER_X": "1"}, overrides={"log_level": "info"}
        )
    )


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("PORT", "x", "was expected to be a number from 1 to 65535, found 'x'."),
        ("PORT", "0", "was expected to be a number from 1 to 65535, found '0'."),
        ("HOST", "mail host", "was expected to be an IP address or a host name, found 'mail host'."),
        ("QR_CAPITALS", "maybe", "was expected to be true or false, found 'maybe'."),
        ("LOG_LEVEL", "loud", "was expected to be debug, info, warning or error, found 'loud'."),
        ("TRUSTED_PROXIES", "10.0.0.0/8, x", "may hold networks such as 10.0.0.0/8 only, found 'x'."),
        ("TRUSTED_PROXIES", "10.0.0.1/8", "holds '10.0.0.1/8', an address inside a network; write 10.0.0.0/8."),
        ("DATABASE_URL", "postgres://h/d", "begins with postgres://; write postgresql:// instead."),
        ("DATABASE_URL", "mysql://h/d", "was expected to begin with sqlite:// or postgresql://."),
        ("DATA_DIR", " ", "was expected to be a path."),
        ("DATA_DIR", "~nobody-is-called-so/x", "begins with ~, but whose home directory that is cannot be found out."),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_with_what_was_expected(variable: str, value: str, reason: str) -> None:
    assert [f"PROVISIONER_{variable} {reason}"] == problems(environ={f"PROVISIONER_{variable}": value})


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("port = true", "port was expected to be a whole number, found true."),
        ("port = 8080.5", "port was expected to be a whole number, found 8080.5."),
        ("host = 5", "host was expected to be an IP address or a host name, found '5'."),
        ("data_dir = 5", "data_dir was expected to be the path of a directory, found '5'."),
        (
            "trusted_proxies = 5",
            "trusted_proxies was expected to be networks such as 10.0.0.0/8, 192.0.2.1, found '5'.",
        ),
        ("trusted_proxies = [5.5]", "trusted_proxies may hold networks such as 10.0.0.0/8 only, found '5.5'."),
        ("[port]\nnumber = 1", "port was expected to be a number from 1 to 65535, found \"{'number': 1}\"."),
    ],
)
def test_a_value_of_another_kind_is_refused(line: str, reason: str, toml: Path) -> None:
    toml.write_text(line)
    assert [f"{toml}: {reason}"] == problems(file=toml)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"port 8080", "is not valid TOML: Expected '=' after a key in a key/value pair (at line 1, column 6)."),
        (b"port = 1\nport = 2\n", "is not valid TOML: Cannot overwrite a value (at line 2, column 9)."),
        (b'host = "\xff"', "is not UTF-8 text."),
        (b"host = " + 5000 * b"[", "is nested too deeply to be read."),
    ],
)
def test_a_file_that_is_no_toml_is_refused_by_name(content: bytes, reason: str, toml: Path) -> None:
    toml.write_bytes(content)
    assert [f"The configuration file {toml} {reason}"] == problems(file=toml)


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    missing = tmp_path / "missing.toml"
    assert [f"The configuration file {missing} cannot be read: No such file or directory."] == problems(file=missing)


# values


def test_paths_are_absolute_and_know_the_home_directory() -> None:
    settings = load(environ={"PROVISIONER_DATA_DIR": "~/data", "PROVISIONER_LINK_KEY_FILE": "keys/link"}).settings
    assert Path.home() / "data" == settings.data_dir
    assert Path.home() / "data" / "identity" == settings.identity_dir
    assert Path("keys/link").absolute() == settings.link_key_file


@pytest.mark.parametrize("value", ["10.0.0.0/8, 192.0.2.1", "10.0.0.0/8 192.0.2.1", "10.0.0.0/8,192.0.2.1/32,"])
def test_proxies_are_a_list_of_networks_and_addresses(value: str) -> None:
    expected = (ip_network("10.0.0.0/8"), ip_network("192.0.2.1/32"))
    assert expected == load(environ={"PROVISIONER_TRUSTED_PROXIES": value}).settings.trusted_proxies


def test_proxies_are_a_list_in_the_file_too(toml: Path) -> None:
    toml.write_text('trusted_proxies = ["10.0.0.0/8", "2001:db8::/32"]')
    assert (ip_network("10.0.0.0/8"), ip_network("2001:db8::/32")) == load(file=toml).settings.trusted_proxies


def test_words_may_be_in_capitals() -> None:
    settings = load(environ={"PROVISIONER_LOG_LEVEL": "DEBUG", "PROVISIONER_LOG_FORMAT": "Json"}).settings
    assert ("debug", "json") == (settings.log_level, settings.log_format)


@pytest.mark.parametrize(
    ("given_url", "expected"),
    [
        ("https://mail.contoso.example", "https://mail.contoso.example"),
        ("https://mail.contoso.example/", "https://mail.contoso.example"),
        ("HTTPS://Mail.Contoso.EXAMPLE.:443/", "https://mail.contoso.example"),
        ("https://mail.contoso.example:8443", "https://mail.contoso.example:8443"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://192.0.2.1", "https://192.0.2.1"),
        ("https://[2001:DB8:0::1]:8443", "https://[2001:db8::1]:8443"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost:80/", "http://localhost"),
        ("http://[::1]", "http://[::1]"),
        ("", ""),
    ],
)
def test_a_public_url_is_normalised(given_url: str, expected: str) -> None:
    assert expected == parse_public_url(given_url)


@pytest.mark.parametrize(
    ("given_url", "reason"),
    [
        ("mail.contoso.example", "was expected to be https:// and a host"),
        ("ftp://mail.contoso.example", "was expected to be https:// and a host"),
        ("https://", "was expected to be https:// and a host"),
        ("https://mail.contoso.example:0", "was expected to be https:// and a host"),
        ("http://mail.contoso.example", "was expected to begin with https://"),
        ("http://0.0.0.0:8080", "was expected to begin with https://"),
        ("http://localhost.contoso.example", "was expected to begin with https://"),
        ("https://mail.contoso.example/setup", "scheme, host and port only"),
        ("https://mail.contoso.example//", "scheme, host and port only"),
        ("https://mail.contoso.example?", "scheme, host and port only"),
        ("https://mail.contoso.example/#", "scheme, host and port only"),
        ("https://anna@mail.contoso.example", "scheme, host and port only"),
        ("https://mail.contoso.example:99999", "is not a URL"),
        ("https://mail.contoso.example:x", "is not a URL"),
        ("https://[::1", "is not a URL"),
        ("https://mail .contoso.example", "holds a blank"),
        ("https://mail.contoso.example\n", "holds a blank"),
        ("https:\\\\mail.contoso.example", "a backslash"),
        ("https://intranet", "has a host that cannot be used"),
        ("https://mail_.contoso.example", "has a host that cannot be used"),
        ("https://1.2.3", "has a host that cannot be used"),
        ("https://[fe80::1%eth0]", "zone"),
    ],
)
def test_a_public_url_that_links_cannot_be_made_of_is_refused(given_url: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_public_url(given_url)
    assert 1 == len(problems(overrides={"public_url": given_url}))


_URLS = st.one_of(
    st.text(),
    st.builds(
        "{}://{}{}".format,
        st.sampled_from(["http", "https", "HTTPS", "ftp"]),
        st.one_of(
            st.text(alphabet=string.ascii_letters + string.digits + "-.:[]@%", max_size=30), st.text(max_size=10)
        ),
        st.sampled_from(["", "/", ":8443", ":443/", "/x", "?", "#"]),
    ),
)


@given(_URLS)
def test_whatever_is_given_as_a_public_url_is_refused_or_is_scheme_host_and_port(text: str) -> None:
    try:
        url = parse_public_url(text)
    except ValueError:
        return
    assert url == parse_public_url(url), "normalising twice is normalising once"
    if url:
        assert url.startswith(("https://", "http://127.", "http://localhost", "http://[::1]", "http://[::ffff:"))
        assert url.isascii()
        assert not set(url.partition("://")[2]) & set("/?#@\\ ")


# secrets


def test_a_secret_can_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    secret = tmp_path / "passphrase"
    secret.write_text(f"{PASSWORD}\n")
    configuration = load(environ={"PROVISIONER_IDENTITY_PASSPHRASE_FILE": str(secret)})
    assert configuration.settings.identity_passphrase is not None
    assert PASSWORD == configuration.settings.identity_passphrase.get_secret_value()
    assert "PROVISIONER_IDENTITY_PASSPHRASE_FILE" == configuration.origins["identity_passphrase"]


def test_the_file_of_a_secret_can_be_named_in_the_configuration_file(toml: Path, tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://h/d")
    toml.write_text(f'database_url_file = "{tmp_path / "url"}"')
    configuration = load(file=toml)
    assert f"{toml}: database_url_file" == configuration.origins["database_url"]


def test_a_secret_given_directly_and_as_a_file_is_a_contradiction(tmp_path: Path) -> None:
    names = "PROVISIONER_IDENTITY_PASSPHRASE_FILE and PROVISIONER_IDENTITY_PASSPHRASE"
    environ = {"PROVISIONER_IDENTITY_PASSPHRASE": "x", "PROVISIONER_IDENTITY_PASSPHRASE_FILE": str(tmp_path)}
    assert [f"{names} are both given; give one of the two."] == problems(environ=environ)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read: No such file or directory."),
        (b"", "is empty."),
        (b"\r\n", "is empty."),
        (b"\xff", "is not UTF-8 text."),
        (b"x" * 70_000, "is too long."),
    ],
)
def test_a_file_of_a_secret_must_be_readable(content: bytes | None, reason: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    if content is not None:
        secret.write_bytes(content)
    (problem,) = problems(environ={"PROVISIONER_DATABASE_URL_FILE": str(secret)})
    assert problem.startswith("PROVISIONER_DATABASE_URL_FILE names a file that ")
    assert problem.endswith(reason)


def test_a_file_of_a_secret_that_never_ends_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("/dev/zero", tmp_path / "pipe"):
        (problem,) = problems(environ={"PROVISIONER_IDENTITY_PASSPHRASE_FILE": str(name)})
        assert (
            "PROVISIONER_IDENTITY_PASSPHRASE_FILE names a file that cannot be read: It is no regular file." == problem
        )


def test_a_setting_that_is_no_secret_has_no_file() -> None:
    (problem,) = problems(environ={"PROVISIONER_PORT_FILE": "/nowhere"})
    assert problem.startswith("PROVISIONER_PORT_FILE is not a setting.")


def test_no_message_and_no_print_shows_a_secret(toml: Path) -> None:
    toml.write_text(f'identity_passphrase = ["{PASSWORD}"]\ndatabase_url = "ftp://u:{PASSWORD}@h"\n')
    assert PASSWORD not in "".join(problems(file=toml))
    settings = load(environ={"PROVISIONER_IDENTITY_PASSPHRASE": PASSWORD, **_database("h")}).settings
    assert PASSWORD not in repr(settings)
    assert PASSWORD not in str(settings.model_dump())


def _database(host: str) -> dict[str, str]:
    return {"PROVISIONER_DATABASE_URL": f"postgresql://anna:{PASSWORD}@{host}/mail"}


def test_what_is_shown_masks_secrets() -> None:
    configuration = load(environ={"PROVISIONER_IDENTITY_PASSPHRASE": PASSWORD, **_database("h")})
    assert "********" == configuration.shown("identity_passphrase")
    assert "postgresql://anna:********@h/mail" == configuration.shown("database_url")
    assert 8080 == configuration.shown("port")
    assert [] == configuration.shown("trusted_proxies")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:////data/a:b@c.sqlite3", "sqlite:////data/a:b@c.sqlite3"),
        ("postgresql://anna@db/mail", "postgresql://anna@db/mail"),
        ("postgresql://db:5432/mail", "postgresql://db:5432/mail"),
        ("postgresql://:secret@db/mail", "postgresql://:********@db/mail"),
        ("postgresql://an@na:se@cr:et/@db/mail", "postgresql://an@na:********@db/mail"),
        (
            "postgresql:///mail?host=db&password=secret&sslpassword=x",
            "postgresql:///mail?host=db&password=********&sslpassword=********",
        ),
    ],
)
def test_the_password_of_a_database_is_masked(url: str, expected: str) -> None:
    assert expected == mask_database(url)


@given(user=st.text(alphabet=string.ascii_lowercase), password=st.text(alphabet=string.printable, min_size=1))
def test_no_password_of_a_database_is_shown_however_it_is_written(user: str, password: str) -> None:
    marked = f"«{password}»"  # so that it cannot stand elsewhere in the URL by chance
    assert not set("«»") & set(mask_database(f"postgresql://{user}:{marked}@db/mail"))


# documentation


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_explained(name: str) -> None:
    assert SETTINGS[name].help.endswith(".")
    assert SETTINGS[name].expected
    assert default_of(name)


def test_a_default_that_is_computed_is_told_in_words_and_the_others_are_their_values() -> None:
    assert "`8080`" == default_of("port")
    assert "`false`" == default_of("qr_capitals")
    assert "one for each processor" == default_of("workers")
    computed = {name for name, field in Settings.model_fields.items() if field.default_factory is not None}
    assert {name for name in computed if SETTINGS[name].default} == computed
