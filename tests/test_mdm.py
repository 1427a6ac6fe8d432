"""MDMs as data: every fact has its source, what is wrong is refused by its line, and one new MDM is one new file."""

import ast
import json
import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.errors import CatalogueError, InvalidDomain, MdmRefusal, UnknownMdm
from provisioner.format import Platform
from provisioner.mdm import Answer, Mdm, find_mdm, load_mdms, variables_for, with_variables
from tests.checkout import CHECKOUT, MODULES
from tests.commands import Shell

MDMS = load_mdms()
EVERY = [pytest.param(mdm, id=mdm.id) for mdm in MDMS.values()]
WITH_VARIABLES = [pytest.param(mdm, id=mdm.id) for mdm in MDMS.values() if mdm.variables]
WITHOUT = [pytest.param(mdm, id=mdm.id) for mdm in MDMS.values() if not mdm.variables and not mdm.asks_for_variables]

TOY = """\
name = "Toy MDM"

[variables]
address = "<<mail>>"
username = "[[upn]]"
username_is_upn = "yes"
escaped = "unknown"
in_profiles = "yes"
reserved = ["[["]
source = ["https://toy.example/variables"]
checked = 2026-11-25
confidence = "documented"

[profiles]
signed = "no"
scope.iphone = "System"
limit = 100000
forms = ["profile"]
source = ["https://toy.example/profiles"]
checked = 2026-11-25
confidence = "observed"
""".replace("<<mail>>", "[[mail]]")


def _load(tmp_path: Path, text: str, name: str = "toy.toml") -> Mdm:
    (tmp_path / name).write_text(text)
    return load_mdms(tmp_path)[Path(name).stem]


def test_the_mdms_that_were_promised_are_there() -> None:
    promised = (
        "addigy android-management-api apple-business citrix fleet generic intune iru ivanti jamf-pro jamf-school "
        "maas360 manageengine micromdm mosyle nanocmd nanomdm sophos workspace-one zentral"
    )
    assert promised.split() == list(MDMS)


@pytest.mark.parametrize(
    ("mdm_id", "address", "username"),
    [
        ("intune", "{{mail}}", "{{userprincipalname}}"),
        ("jamf-pro", "$EMAIL", "$USERNAME"),
        ("jamf-school", "%Email%", "%Email%"),  # its %Username% is no address
        ("workspace-one", "{EmailAddress}", "{EmailAddress}"),
        ("iru", "$EMAIL", "$USERNAME"),
        ("mosyle", "%Email%", "%UserId%"),
        ("addigy", '{{.User "emails_primary"}}', '{{.User "user_name"}}'),
        ("fleet", "$FLEET_VAR_HOST_END_USER_IDP_USERNAME", "$FLEET_VAR_HOST_END_USER_IDP_USERNAME"),
        ("zentral", "$REALM_USER.EMAIL", "$REALM_USER.USERNAME"),
        ("sophos", "%_EMAILADDRESS_%", "%_USERNAME_%"),
        ("citrix", "${user.mail}", "${user.userprincipalname}"),
        ("manageengine", "%email%", "%upn%"),
        ("ivanti", "${userEmailAddress}", "${userEmailAddress}"),
        ("maas360", "%email%", "%upn%"),
    ],
)
def test_a_domains_people_are_spelt_exactly_as_the_mdm_spells_them(mdm_id: str, address: str, username: str) -> None:
    variables = variables_for(MDMS[mdm_id], "Contoso.Example.")
    assert ("contoso.example", address, username) == (variables.domain, variables.address, variables.username)
    assert "*@contoso.example" == variables.key


@pytest.mark.parametrize("mdm", WITH_VARIABLES)
def test_a_name_is_filled_in_only_where_the_mdm_escapes_it(mdm: Mdm) -> None:
    assert mdm.variables is not None
    named = variables_for(mdm, "contoso.example").display_name
    assert named == (mdm.variables.full_name if mdm.variables.escaped is Answer.YES else "")


def test_fleet_and_zentral_alone_are_known_to_escape() -> None:
    assert {"fleet", "zentral"} == {m.id for m in MDMS.values() if m.variables and m.variables.escaped is Answer.YES}


@pytest.mark.parametrize("mdm", WITHOUT)
def test_an_mdm_without_variables_names_the_other_way(mdm: Mdm) -> None:
    with pytest.raises(MdmRefusal, match=rf"^{re.escape(mdm.name)}: .*--csv FILE instead of --domain"):
        variables_for(mdm, "contoso.example")


def test_another_mdm_says_that_it_needs_its_variables() -> None:
    with pytest.raises(MdmRefusal, match=r"^Another MDM: it needs --address-variable and --username-variable"):
        variables_for(MDMS["generic"], "contoso.example")


def test_another_mdms_variables_are_taken_as_they_are_given() -> None:
    mdm = with_variables(MDMS["generic"], address="${user.mail}", username="#upn#")
    assert mdm.variables is not None
    assert ("#", "${") == mdm.variables.reserved
    variables = variables_for(mdm, "contoso.example")
    assert ("${user.mail}", "#upn#", "") == (variables.address, variables.username, variables.display_name)


@pytest.mark.parametrize(
    ("address", "username", "reason"),
    [
        ("", "%u%", "--address-variable is empty"),
        ("%e%", " ", "--username-variable is empty"),
        ("<e>", "%u%", "--address-variable holds one of & < >"),
        ("%DOMAIN\\\\mail%", "%u%", "--address-variable holds one of & < >"),
        ("%e%", "%u&v%", "--username-variable holds one of & < >"),
        ("%e%", "{{.U 'x'}}", "--username-variable holds one of & < >"),
        ("anna@contoso.example", "%u%", "--address-variable is an address"),
        ("%e%", "anna%1@contoso.example", "--username-variable is an address"),
        ("email", "%u%", "--address-variable 'email' is a plain word"),
        ("%e%", "user.name", "--username-variable 'user.name' is a plain word"),
        ("%e\n%", "%u%", "--address-variable holds a line break"),
        ("%e%", "%\x00%", "--username-variable holds a control character"),
    ],
)
def test_what_is_no_variable_is_refused_with_the_option(address: str, username: str, reason: str) -> None:
    with pytest.raises(MdmRefusal, match=f"^Another MDM: {re.escape(reason)}") as refused:
        with_variables(MDMS["generic"], address=address, username=username)
    assert "contoso.example" not in str(refused.value)


@given(st.text(max_size=30))
def test_whatever_is_given_is_a_variable_or_refused(text: str) -> None:
    try:
        mdm = with_variables(MDMS["generic"], address=text, username="%upn%")
    except MdmRefusal:
        return
    assert text == variables_for(mdm, "contoso.example").address
    assert mdm.variables is not None
    assert any(start in text for start in mdm.variables.reserved)
    assert not set(text) & set("&<>\"'\\\r\n\x00")


def test_an_mdms_own_variables_cannot_be_replaced() -> None:
    with pytest.raises(MdmRefusal, match=r"^Jamf Pro: its variables are known here"):
        with_variables(MDMS["jamf-pro"], address="%e%", username="%u%")


def test_a_domain_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidDomain):
        variables_for(MDMS["intune"], "contoso")


def test_an_unknown_mdm_suggests_the_nearest() -> None:
    with pytest.raises(UnknownMdm, match=r"Unknown MDM 'intunes'. Did you mean 'intune'"):
        find_mdm(MDMS, "intunes")


@pytest.mark.parametrize("mdm", EVERY)
def test_every_fact_has_an_https_source_and_a_day(mdm: Mdm) -> None:
    parts = [part for part in (mdm.variables, mdm.profiles, mdm.apps, mdm.console, mdm.api) if part]
    for part in parts:
        assert all(source.startswith("https://") for source in part.evidence.sources)
        assert part.evidence.sources
        assert date(2026, 11, 1) <= part.evidence.checked
        assert part.evidence.confidence in {"documented", "observed"}


@pytest.mark.parametrize("mdm", [pytest.param(m, id=m.id) for m in MDMS.values() if m.profiles])
def test_a_mail_account_is_the_devices_on_a_phone_and_the_users_on_a_mac(mdm: Mdm) -> None:
    assert mdm.profiles is not None
    assert {Platform.IPHONE: "System", Platform.MAC: "User"} == dict(mdm.profiles.scopes)


@pytest.mark.parametrize("mdm", EVERY)
def test_a_command_for_the_api_has_its_secret_in_a_variable(mdm: Mdm) -> None:
    for command in mdm.api.lines if mdm.api else ():
        assert re.search(r"\$(TOKEN|API_KEY)\b", command)


def test_a_new_mdm_is_one_new_file(tmp_path: Path) -> None:
    toy = _load(tmp_path, TOY)
    assert ("toy", "Toy MDM", False) == (toy.id, toy.name, toy.takes_signed)
    assert "[[upn]]" == variables_for(toy, "contoso.example").username
    assert ("profile",) == toy.forms


@pytest.mark.parametrize(
    ("ours", "theirs", "reason"),
    [
        ('signed = "no"', 'signed = "maybe"', r":15: profiles.signed: cannot be 'maybe'"),
        ('signed = "no"', "", r":14: profiles.signed: is missing"),
        ('scope.iphone = "System"', 'scope.iphone = "Device"', r":16: profiles.scope.iphone: cannot be 'Device'"),
        ('scope.iphone = "System"', 'scope.ipad = "System"', r":16: profiles.scope.ipad: is unknown"),
        ("limit = 100000", "limit = 0", r":17: profiles.limit: is not positive"),
        ('forms = ["profile"]', 'forms = ["../profile"]', r":18: profiles.forms: '../profile' is no form's id"),
        ('forms = ["profile"]', "forms = []", r":18: profiles.forms: is an empty array"),
        ('address = "[[mail]]"', 'address = "mail"', r":4: variables.address: is no variable"),
        ('address = "[[mail]]"', 'address = "[[mail&]]"', r":4: variables.address: holds a character that XML escapes"),
        ('address = "[[mail]]"', 'adress = "[[mail]]"', r":4: variables.adress: is unknown. Did you mean 'address'"),
        ('address = "[[mail]]"', 'address = ""', r":4: variables.address: is empty"),
        ('reserved = ["[["]', 'reserved = [""]', r":9: variables.reserved: is empty"),
        ('confidence = "observed"', 'confidence = "memory"', r":21: profiles.confidence: cannot be 'memory'"),
        ('"https://toy.example/profiles"', '"a friend"', r":19: profiles.source: 'a friend' is no https URL"),
        ('name = "Toy MDM"', 'name = "Toy MDM"\nasks_for_variables = true', r":4: variables: cannot be declared"),
    ],
)
def test_a_wrong_fact_is_refused_with_its_file_and_line(tmp_path: Path, ours: str, theirs: str, reason: str) -> None:
    assert ours in TOY
    with pytest.raises(CatalogueError, match=reason):
        _load(tmp_path, TOY.replace(ours, theirs))


def test_an_mdm_that_takes_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="an MDM takes one of them"):
        _load(tmp_path, 'name = "Toy MDM"')


def test_a_file_whose_name_is_no_id_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="'Toy MDM' is no MDM's id"):
        _load(tmp_path, TOY, name="Toy MDM.toml")


def test_a_directory_without_mdms_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="there is no fact file"):
        load_mdms(tmp_path)


def test_the_package_mdm_alone_makes_variables() -> None:
    makers = set()
    for module in MODULES:
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.Call):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if called == "Variables":
                    makers.add(module.relative_to(CHECKOUT).as_posix())
    assert {"provisioner/mdm/spelling.py"} == makers


def test_every_mdm_is_listed_with_its_variables(tmp_path: Path) -> None:
    listed = {line.split()[0]: line for line in Shell(tmp_path).run("mdms").stdout.splitlines()[1:]}
    assert list(MDMS) == list(listed)
    assert "{{userprincipalname}}" in listed["intune"]
    assert " none " in listed["nanomdm"]
    assert " asks for it " in listed["generic"]


def test_the_list_has_the_day_of_the_newest_fact(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    listed = {line.split()[0]: line for line in shell.run("mdms").stdout.splitlines()[1:]}
    for entry in json.loads(shell.run("mdms", "--json").stdout):
        newest = max(re.findall(r'"checked": "([0-9-]+)"', json.dumps(entry)))
        assert f"  {newest}  " in listed[entry["id"]]


def test_every_mdm_is_listed_for_programs_with_its_sources(tmp_path: Path) -> None:
    listed = {entry["id"]: entry for entry in Shell(tmp_path).json("mdms", PROVISIONER_PROT="x")}
    assert list(MDMS) == list(listed)
    entry = listed["intune"]
    assert {"iphone": "System", "mac": "User"} == entry["profiles"]["scopes"]
    assert ("{{mail}}", "2026-11-24") == (entry["variables"]["address"], entry["variables"]["evidence"]["checked"])
