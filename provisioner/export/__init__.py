"""Sets of files for an MDM's import: one ZIP for everybody of a domain, or with each person's own files.

What an MDM takes is data (``provisioner/mdm``), the shapes of files are ``forms``, and the documents come from
``provisioning`` as everybody's do.
"""

from provisioner.export.exporting import Outcome, export_domain, export_people
from provisioner.export.form import listed_as
from provisioner.export.forms import FORMS
from provisioner.export.work import Desk

__all__ = ["FORMS", "Desk", "Outcome", "export_domain", "export_people", "listed_as"]
