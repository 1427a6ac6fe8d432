"""One person's profile as it is, for an MDM that passes a whole profile on but fills nothing in there."""

from dataclasses import replace

from provisioner.export.forms.profile import FORM as _PROFILE

FORM = replace(
    _PROFILE,
    id="signed-profile",
    title="a configuration profile of one person, to import as it is",
    for_domain=False,
)
