"""``provisioner formats``: which documents this product can write, and what each is for."""

import click

from provisioner.cli.output import print_json, print_table


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def formats(*, as_json: bool) -> None:
    """List the documents that can be written."""
    from provisioner.formats import FORMATS

    if as_json:
        shown = ("id", "title", "kind", "platforms", "audience", "needs", "signed", "media_type", "suffix")
        print_json([{name: getattr(fmt, name) for name in shown} for fmt in FORMATS.values()])
        return
    print_table(
        ["FORMAT", "KIND", "FOR", "OPENED ON", "NEEDS", "TITLE"],
        [
            [
                fmt.id,
                fmt.kind.value if fmt.kind else "",
                fmt.audience.value,
                ", ".join(sorted(platform.value for platform in fmt.platforms)),
                ", ".join(sorted(service.value for service in fmt.needs)),
                fmt.title,
            ]
            for fmt in FORMATS.values()
        ],
    )
