"""Whose people are provisioned: organisations and their mail domains, kept in the store and answered from memory."""

from provisioner.directory.directory import Directory
from provisioner.directory.plan import Change, Entry, Plan, differs, id_of, make_plan, settings_of, thing_of
from provisioner.directory.snapshot import Snapshot

__all__ = [
    "Change",
    "Directory",
    "Entry",
    "Plan",
    "Snapshot",
    "differs",
    "id_of",
    "make_plan",
    "settings_of",
    "thing_of",
]
