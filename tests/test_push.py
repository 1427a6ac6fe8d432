"""Pushing a set to each MDM that has an API: it arrives as it was exported, once, and again is an update."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from provisioner.errors import PushFailed, PushRefused
from provisioner.push import LANGUAGES, Outcome
from tests.mdm_servers import TOKEN, Asked, Authority, Fleet, Graph, Mdm, NanoMdm, Said, Zentral, make_authority
from tests.pushing import CASES, MDMS, Case, Place, administrator, expected

every_mdm = pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def place(tmp_path: Path, authority: Authority) -> Iterator[Place]:
    with administrator(tmp_path, authority) as place:
        yield place


def _deliver(place: Place, case: Case, mdm: Mdm) -> list[Outcome]:
    connection = place.connection(case, place.start(mdm))
    return [item.deliver(connection) for item in place.items(case, place.export(case))]


def test_there_is_a_case_for_every_mdm_with_an_api_and_an_mdm_for_every_language() -> None:
    with_api = {mdm.id: mdm.push for mdm in MDMS.values() if mdm.push is not None}
    assert {case.id for case in CASES} == with_api.keys()
    assert LANGUAGES.keys() == {api.speaks for api in with_api.values()}


@every_mdm
def test_a_set_arrives_as_it_was_exported_and_a_second_push_makes_nothing_twice(case: Case, place: Place) -> None:
    mdm, export = case.server(), place.export(case)
    server = place.start(mdm)
    first, second = (place.push(case, export, server).stdout.splitlines() for _ in range(2))
    made = expected(case, export)
    assert made
    assert sorted(made) == sorted(mdm.contents)
    assert {"sent" if case.for_people else "created"} == {line.split()[0] for line in first}
    assert {case.again} == {line.split()[0] for line in second}
    assert [line.split()[1] for line in first] == [line.split()[1] for line in second]


@every_mdm
def test_what_has_changed_is_changed_there(case: Case, place: Place) -> None:
    mdm = case.server()
    server = place.start(mdm)
    place.push(case, place.export(case), server)
    before = list(mdm.contents)
    changed = place.export(case, consent="Call 4712.")
    lines = place.push(case, changed, server).stdout.splitlines()
    assert {"sent" if case.for_people else "updated"} == {line.split()[0] for line in lines}
    assert sorted(expected(case, changed)) == sorted(
        content for content in mdm.contents if not case.for_people or content not in before
    )


@pytest.mark.parametrize("changed", [{"name": "Fabrikam"}, {"language": "de"}], ids=["renamed", "in-german"])
@pytest.mark.parametrize("case", [case for case in CASES if not case.for_people], ids=lambda case: case.id)
def test_whatever_the_organisation_is_called_and_reads_its_things_are_found_again(
    case: Case, changed: dict[str, str], place: Place
) -> None:
    """A second policy beside one that is assigned would leave the old settings on every device."""
    mdm = case.server()
    server = place.start(mdm)
    place.push(case, place.export(case), server)
    export = place.export(case, **changed)
    place.push(case, export, server)
    assert sorted(expected(case, export)) == sorted(mdm.contents)


@every_mdm
def test_two_domains_of_one_organisation_lie_side_by_side(case: Case, place: Place) -> None:
    if case.for_people:
        return
    mdm = case.server()
    server = place.start(mdm)
    exports = [place.export(case, domain=domain) for domain in ("contoso.example", "fabrikam.example")]
    for export in exports:
        assert {"created"} == {line.split()[0] for line in place.push(case, export, server).stdout.splitlines()}
    assert len(mdm.contents) == sum(len(expected(case, export)) for export in exports)


@pytest.mark.parametrize("case", [case for case in CASES if not case.for_people], ids=lambda case: case.id)
def test_a_set_can_be_made_on_the_way(case: Case, place: Place) -> None:
    mdm, export = case.server(), place.export(case)
    server = ("--server", place.start(mdm), "--ca-file", place.authority.ca_file)
    whom = ("--domain", "contoso.example", "--context", place.directory / "contoso.toml")
    place.shell.run("push", "--mdm", case.id, *whom, *server, *case.options)
    assert sorted(expected(case, export)) == sorted(mdm.contents)


@every_mdm
def test_a_rehearsal_writes_what_is_asked_and_asks_nothing(case: Case, place: Place) -> None:
    mdm, export = case.server(), place.export(case)
    server = place.start(mdm)
    rehearsed = place.push(case, export, server, "--dry-run", PROVISIONER_PUSH_TOKEN_FILE="").stdout_bytes
    assert [] == mdm.asked
    place.push(case, export, server)
    assert TOKEN.encode() not in rehearsed
    assert b"Authorization: " in rehearsed
    assert b" ********\n" in rehearsed
    for asked in mdm.asked:
        query = "&".join(f"{quote(name)}={quote(value, safe='')}" for name, value in asked.query.items())
        if asked.query.get("page", "0") == "0" and "$skiptoken" not in asked.query:  # later pages depend on answers
            assert f"{asked.method} {server}{asked.path}{'?' if query else ''}{query}\n".encode() in rehearsed
        if asked.method != "GET":
            assert _as_rehearsed(mdm, asked) in rehearsed


def _as_rehearsed(mdm: Mdm, asked: Asked) -> bytes:
    """The body with what only the MDM knows, or is new each time, as the rehearsal has it."""
    if isinstance(mdm, Zentral):
        body = asked.body
        for artifact in mdm.artifacts:
            body = body.replace(artifact["id"].encode(), b"ITS-ID")
        return body
    if isinstance(mdm, NanoMdm):
        return asked.body.partition(b"<key>CommandUUID</key>")[0]
    return asked.body


@every_mdm
def test_a_wrong_token_is_told_without_showing_it(case: Case, place: Place) -> None:
    mdm, export = case.server(), place.export(case)
    result = place.push(case, export, place.start(mdm), exit_code=1, PROVISIONER_PUSH_TOKEN_FILE=_wrong(place))
    assert "refused the token (401)" in result.stderr
    assert "not-the-one" not in result.output + repr(result.exception)
    assert "bm90LXRoZS1vbmU" not in result.output  # nor as HTTP Basic has it
    assert [] == list(mdm.contents)
    assert 1 == len(mdm.asked)


def _wrong(place: Place) -> str:
    file = place.directory / "wrong-token"
    file.write_text("not-the-one")
    return str(file)


def test_whoever_pushes_is_told_once_of_each_wait_and_no_path_is_logged(place: Place) -> None:
    case = next(case for case in CASES if case.id == "fleet")
    mdm, export = case.server(), place.export(case)
    mdm.troubles = {"GET": [Said(500, None, cut_off=True), Said(503, None, {"Retry-After": "1"})]}
    said = place.push(case, export, place.start(mdm), "--only", "mac/*exchange*").stderr
    waits = [line for line in said.splitlines() if "again" in line or "event=" in line]
    assert ["The MDM is busy or cannot be reached; trying again in 1 second."] * 2 == waits
    assert "Patience" not in said
    assert "/api/" not in said


@every_mdm
def test_a_server_that_is_busy_is_waited_for_as_long_as_it_wishes(case: Case, place: Place) -> None:
    mdm = case.server()
    busy = Said(429, {"message": "slow down"}, {"Retry-After": "7"})
    mdm.troubles = {"GET": [busy, busy], "POST": [busy], "PUT": [busy]}
    outcomes = _deliver(place, case, mdm)
    assert {Outcome.SENT if case.for_people else Outcome.CREATED} == set(outcomes)
    assert [7.0] * (1 if case.for_people else 3) == place.slept
    assert len(expected(case, place.export(case))) == len(mdm.contents)


@every_mdm
@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("cut_off", [False, True], ids=["status-500", "cut-off"])
def test_a_server_that_fails_before_or_after_it_did_it_is_asked_again_and_has_it_once(
    case: Case, place: Place, *, done: bool, cut_off: bool
) -> None:
    mdm = case.server()
    trouble = Said(500, None, cut_off=cut_off, done=done)
    mdm.troubles = {method: [trouble] for method in ("GET", "POST", "PUT")}
    export = place.export(case)
    outcomes = _deliver(place, case, mdm)
    assert place.slept
    assert set(outcomes) <= {Outcome.CREATED, Outcome.UPDATED, Outcome.SENT}
    assert len(expected(case, export)) == len(mdm.contents)


@every_mdm
def test_a_server_that_goes_on_failing_is_given_up_and_nothing_is_there_twice(case: Case, place: Place) -> None:
    mdm = case.server()
    mdm.troubles = {method: [Said(500, {"message": "full"})] * 99 for method in ("POST", "PUT")}
    with pytest.raises(PushFailed, match=r"answered 500|NanoMDM did not say"):
        _deliver(place, case, mdm)
    assert [] == mdm.contents
    assert 0 < len(mdm.changes()) <= 6


@every_mdm
def test_no_redirect_is_followed_and_the_token_goes_nowhere_else(case: Case, place: Place) -> None:
    other, mdm = case.server(), case.server()
    elsewhere = place.start(other)
    for status in (301, 302, 307, 308):
        moved = Said(status, None, {"Location": f"{elsewhere}/api"})
        mdm.troubles = {method: [moved] for method in ("GET", "POST", "PUT")}
        with pytest.raises(PushRefused, match="redirects"):
            _deliver(place, case, mdm)
    assert [] == other.asked


def test_graphs_next_page_is_asked_of_the_same_server(place: Place) -> None:
    case = next(case for case in CASES if case.id == "intune")
    mdm = Graph()
    assert {Outcome.CREATED} == set(_deliver(place, case, mdm))
    assert any("$skiptoken" in asked.query for asked in mdm.asked)  # although the link names another


@pytest.mark.parametrize("case_id", ["fleet", "intune"])
def test_a_list_that_never_ends_is_given_up(case_id: str, place: Place) -> None:
    case = next(case for case in CASES if case.id == case_id)
    mdm = case.server()
    page = {
        "profiles": [{"identifier": "another", "profile_uuid": "a1"}],
        "meta": {"has_next_results": True},
        "value": [{"@odata.type": "another", "displayName": "another", "id": "1"}],
        "@odata.nextLink": "https://graph.invalid/v1.0/deviceManagement/deviceConfigurations?$skiptoken=1",
    }
    mdm.troubles = {"GET": [Said(200, page)] * 2000}
    with pytest.raises(PushFailed, match=r"does not end after 1000 pages\. Is this the URL of"):
        _deliver(place, case, mdm)
    assert [] == mdm.changes()


def test_two_policies_of_one_name_are_not_guessed_between(place: Place) -> None:
    case = next(case for case in CASES if case.id == "intune")
    mdm = Graph()
    _deliver(place, case, mdm)
    uuid, policy = next(iter(mdm.policies.items()))
    mdm.policies["another"] = {**policy, "id": "another"}
    with pytest.raises(PushFailed, match=r"There are 2 policies called Provisioner: contoso\.example-"):
        _deliver(place, case, mdm)
    assert uuid in mdm.policies


def test_nanomdm_tells_which_device_it_does_not_know(place: Place) -> None:
    case = next(case for case in CASES if case.id == "nanomdm")
    mdm = NanoMdm()
    mdm.enrolments = (NanoMdm.enrolments[0],)
    with pytest.raises(PushFailed, match=r"470E005B: 'no rows: unknown id'"):
        _deliver(place, case, mdm)
    mdm.enrolments = ()
    with pytest.raises(PushFailed, match=NanoMdm.enrolments[0]):
        _deliver(place, case, mdm)
    assert 2 == len(mdm.asked)  # a failure that is told is an answer, and not tried again


def test_fleets_profile_of_the_same_name_is_told_in_fleets_words(place: Place) -> None:
    case = next(case for case in CASES if case.id == "fleet")
    mdm = Fleet()
    _deliver(place, case, mdm)
    mdm.profiles = {
        uuid: (team, content.replace(b"<string>provisioner.", b"<string>other."))
        for uuid, (team, content) in mdm.profiles.items()
    }
    with pytest.raises(PushRefused, match=r"answered 409 to POST .*PayloadDisplayName"):
        _deliver(place, case, mdm)


def test_zentrals_next_version_has_the_next_number_and_the_old_one_stays(place: Place) -> None:
    case = next(case for case in CASES if case.id == "zentral")
    mdm = Zentral()
    _deliver(place, case, mdm)
    export = place.export(case, consent="Call 4712.")
    connection = place.connection(case, place.start(mdm))
    assert {Outcome.UPDATED} == {item.deliver(connection) for item in place.items(case, export)}
    assert [1, 2] == sorted({each["version"] for each in mdm.versions})
    assert 2 * len(mdm.artifacts) == len(mdm.versions)


@pytest.mark.parametrize(
    "more",
    [{}, {"id": "1"}, {"id": "1", "artifact": "1"}, {"id": "1", "artifact": "1", "version": "first", "source": ""}],
    ids=len,
)
def test_what_zentral_tells_by_halves_is_not_guessed_at(more: dict[str, str], place: Place) -> None:
    case = next(case for case in CASES if case.id == "zentral")
    mdm = Zentral()
    _deliver(place, case, mdm)
    said = [{"name": each["name"], "type": "Profile", **more} for each in mdm.artifacts]
    mdm.troubles = {"GET": [Said(200, said)] * 2}
    before = len(mdm.changes())
    with pytest.raises(PushFailed, match=r"not as Zentral documents it\. Is this the URL of Zentral"):
        _deliver(place, case, mdm)
    assert before == len(mdm.changes())


@pytest.mark.parametrize("body", [b"", b"<h1>Internal Server Error</h1>", b"{}"])
def test_a_failure_of_nanomdm_that_says_nothing_is_tried_again(body: bytes, place: Place) -> None:
    case = next(case for case in CASES if case.id == "nanomdm")
    mdm = NanoMdm()
    mdm.troubles = {"PUT": [Said(500, body)]}
    assert {Outcome.SENT} == set(_deliver(place, case, mdm))
    assert 2 == len(mdm.asked)


@pytest.mark.parametrize("body", [["x"], {"x": 1}, {"status": "x"}, {"profiles": [7]}, {"value": 7}, "x", 7, None])
@pytest.mark.parametrize("case", [case for case in CASES if case.id != "micromdm"], ids=lambda case: case.id)
def test_an_answer_that_is_none_of_this_api_is_not_guessed_at(case: Case, place: Place, body: object) -> None:
    mdm = case.server()
    mdm.troubles = {"GET": [Said(200, body)] * 9, "PUT": [Said(200, body)] * 9}
    with pytest.raises(PushFailed, match=r"Is (this the|the server's) URL|did not say"):
        _deliver(place, case, mdm)
    assert [] == [asked for asked in mdm.asked if asked.method in ("POST", "PATCH")]
