"""Inviting the people of a list: a CSV file of our own form, or the user export of the Microsoft 365 admin centre.

A row that cannot be used is named and left out; the others are invited, in batches that each are done or not done at
all, so that the same command finishes what was interrupted.
"""

from provisioner.invitations.columns import Field
from provisioner.invitations.importing import BATCH, Outcome, invite_in_batches
from provisioner.invitations.people import LeftOut, Listed, Selection, Why, people
from provisioner.invitations.spreadsheet import neutralise, restore, spreadsheet
from provisioner.invitations.table import MAX_ROWS, Table, read_table
from provisioner.invitations.tally import Tally

__all__ = [
    "BATCH",
    "MAX_ROWS",
    "Field",
    "LeftOut",
    "Listed",
    "Outcome",
    "Selection",
    "Table",
    "Tally",
    "Why",
    "invite_in_batches",
    "neutralise",
    "people",
    "read_table",
    "restore",
    "spreadsheet",
]
