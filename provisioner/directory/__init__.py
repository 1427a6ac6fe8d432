"""Whose people are provisioned: organisations and their mail domains, kept in the store and answered from memory."""

from provisioner.directory.directory import Directory
from provisioner.directory.snapshot import Snapshot

__all__ = ["Directory", "Snapshot"]
