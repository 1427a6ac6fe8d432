"""``provisioner mdms``: the MDMs that a set of files can be made for, how they spell a user, and what they take."""

from typing import TYPE_CHECKING

import click

from provisioner.cli.output import print_json, print_table

if TYPE_CHECKING:
    from provisioner.mdm import Mdm


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Write JSON, with the source of every fact.")
def mdms(*, as_json: bool) -> None:
    """List the MDMs that 'provisioner export' writes for."""
    from provisioner.mdm import load_mdms

    known = load_mdms()
    if as_json:
        print_json(list(known.values()))
        return
    print_table(
        ["MDM", "NAME", "ADDRESS", "USER NAME", "SIGNED", "PUSH", "CHECKED", "FORMS"],
        [_row(mdm) for mdm in known.values()],
    )


def _row(mdm: "Mdm") -> list[str]:
    unknown = "asks for it" if mdm.asks_for_variables else "none"
    return [
        mdm.id,
        mdm.name,
        mdm.variables.address if mdm.variables else unknown,
        mdm.variables.username if mdm.variables else unknown,
        mdm.profiles.signed.value if mdm.profiles else "",
        "yes" if mdm.push else "",
        mdm.checked.isoformat(),
        ", ".join(mdm.forms),
    ]
