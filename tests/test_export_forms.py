"""The shapes around documents for MDMs whose API nobody here can be asked: Jamf's, Google's, Apple's."""

import json
import plistlib
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID
from xml.etree.ElementTree import fromstring
from zipfile import ZipFile

import pytest

from provisioner.export import export_people
from provisioner.mdm import Answer, load_mdms
from tests.test_export_domain import DOMAIN, desk, exported

MDMS = load_mdms()


def _files_of_anna(mdm_id: str, directory: Path) -> dict[str, bytes]:
    """The files of a set for one person by name, without README and manifest; nothing in it is signed."""
    people, target, mdm = directory / "people.csv", directory / "set.zip", MDMS[mdm_id]
    people.write_text("address\nanna@contoso.example\n")
    if mdm.profiles:
        mdm = replace(mdm, profiles=replace(mdm.profiles, signed=Answer.NO))
    export_people(desk(mdm), people, target, record=print, progress=lambda _done, _of: None)
    with ZipFile(target) as archive:
        return {name: archive.read(name) for name in archive.namelist() if "/" in name}


def _of_anna(mdm_id: str, directory: Path) -> dict[str, Any]:
    """What the JSON files among them hold."""
    files = _files_of_anna(mdm_id, directory)
    return {name: json.loads(content) for name, content in files.items() if name.endswith(".json")}


@pytest.mark.parametrize(
    ("file", "root", "level", "way"),
    [
        ("iphone-ipad/{}-ios-exchange", "configuration_profile", "Device Level", "deployment_method"),
        ("mac/{}-macos-exchange", "os_x_configuration_profile", "User", "distribution_method"),
    ],
)
def test_jamfs_classic_api_gets_its_own_elements(file: str, root: str, level: str, way: str, tmp_path: Path) -> None:
    tree = fromstring(exported(MDMS["jamf-pro"], tmp_path)[f"jamf/{file.format(DOMAIN)}.xml"])
    general = {part.tag: part.text for part in tree.iterfind("general/*")}
    assert (root, ["general", "scope"]) == (tree.tag, [part.tag for part in tree])
    assert {"name", "description", "level", way, "redeploy_on_update", "payloads"} == set(general)
    assert (level, "Install Automatically", "Newly Assigned") == (
        general["level"],
        general[way],
        general["redeploy_on_update"],
    )
    assert [] == list(tree.iterfind("scope/*")), "who gets it is chosen in Jamf"


def test_googles_policies_name_the_app_and_hold_its_flat_configuration(tmp_path: Path) -> None:
    policies = _of_anna("android-management-api", tmp_path)
    packages = {"outlook-android": "com.microsoft.office.outlook", "gmail-android": "com.google.android.gm"}
    assert {f"policies/anna@{DOMAIN}-{fmt}.json" for fmt in packages} == set(policies)
    for fmt, package in packages.items():
        (application,) = policies[f"policies/anna@{DOMAIN}-{fmt}.json"]["applications"]
        assert {"packageName", "managedConfiguration"} == set(application)
        assert package == application["packageName"]
        assert f"anna@{DOMAIN}" in application["managedConfiguration"].values()
        assert all(isinstance(value, str | bool | int) for value in application["managedConfiguration"].values())


def test_fleet_gets_an_apps_configuration_in_the_one_member_that_it_takes(tmp_path: Path) -> None:
    """Fleet: "Only managedConfiguration and workProfileWidgets are supported as top-level keys"."""
    files = exported(MDMS["fleet"], tmp_path)
    address = "$FLEET_VAR_HOST_END_USER_IDP_USERNAME"
    for app, key in (
        ("outlook-android", "com.microsoft.outlook.EmailProfile.EmailAddress"),
        ("gmail-android", "email_address"),
    ):
        body = json.loads(files[f"apps/android/{DOMAIN}-{app}.json"])
        assert {"managedConfiguration"} == set(body)
        assert address == body["managedConfiguration"][key]


def test_apple_business_gets_a_custom_setting_for_each_kind_of_device(tmp_path: Path) -> None:
    bodies = _of_anna("apple-business", tmp_path)
    for folder, fmt, platform in (("iphone-ipad", "ios-exchange", "IOS"), ("mac", "macos-exchange", "MACOS")):
        data = bodies[f"apple-business/{folder}/anna@{DOMAIN}-{fmt}.json"]["data"]
        assert ({"type", "attributes"}, "configurations") == (set(data), data["type"])
        attributes = data["attributes"]
        assert "CUSTOM_SETTING" == attributes["type"]
        assert [f"PLATFORM_{platform}"] == attributes["configuredForPlatforms"]
        settings = attributes["customSettingsValues"]
        assert {"configurationProfile", "filename"} == set(settings)
        assert settings["configurationProfile"].startswith("<?xml")
        assert settings["filename"].endswith(".mobileconfig")
    names = [body["data"]["attributes"]["name"] for body in bodies.values()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(("folder", "platforms"), [("iphone-ipad", ("ios", "ipados")), ("mac", ("macos",))])
def test_zentral_is_told_the_platforms_of_a_version(folder: str, platforms: tuple[str, ...], tmp_path: Path) -> None:
    files = exported(MDMS["zentral"], tmp_path)
    bodies = {name: json.loads(c) for name, c in files.items() if name.startswith(f"zentral/{folder}/")}
    assert bodies
    for name, body in bodies.items():
        profile = files[name.removeprefix("zentral/").replace(".json", ".mobileconfig")]
        assert {
            "artifact": "PUT-THE-ARTIFACT-ID-HERE",
            "source": b64encode(profile).decode(),
            "version": 1,
            **dict.fromkeys(platforms, True),
        } == body


def test_micromdm_is_told_one_command_for_one_device(tmp_path: Path) -> None:
    bodies = _of_anna("micromdm", tmp_path)
    assert bodies
    for body in bodies.values():
        assert {"udid", "request_type", "payload"} == set(body)
        assert ("PUT-THE-DEVICE-UDID-HERE", "InstallProfile") == (body["udid"], body["request_type"])


def test_nanomdm_is_told_a_command_of_its_own_for_each_profile(tmp_path: Path) -> None:
    commands = [plistlib.loads(content) for content in _files_of_anna("nanomdm", tmp_path).values()]
    assert commands
    for command in commands:
        assert {"Command", "CommandUUID"} == set(command)
        assert {"RequestType", "Payload"} == set(command["Command"])
    uuids = {command["CommandUUID"] for command in commands}
    assert len(commands) == len(uuids)
    assert {str(UUID(uuid)).upper() for uuid in uuids} == uuids
