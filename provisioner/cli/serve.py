"""``provisioner serve``: the service as it runs in production.

It starts only with a good configuration, catalogue, store and link key. The signing identity may be missing or out of
date, since time brings that about by itself and everything else goes on; then nothing is signed, and that is said
loudly. One that is wrong is a mistake, and is refused.
"""

from typing import TYPE_CHECKING

import click

from provisioner.cli.context import open_services, settings_from
from provisioner.errors import IdentityNotInDate, NoIdentity

if TYPE_CHECKING:
    from provisioner.config import Settings


@click.command()
@click.option("--public-url", metavar="URL", help="Where people reach the service, such as https://mail.contoso.com.")
@click.option("--host", metavar="ADDRESS", help="Address to listen on. [default: as configured]")
@click.option("--port", metavar="N", help="TCP port to listen on. [default: as configured]")
@click.pass_context
def serve(ctx: click.Context, *, public_url: str | None, host: str | None, port: str | None) -> None:
    """Run the service until it is told to stop.

    It speaks plain http, for a reverse proxy that speaks https. 'provisioner config show' lists its settings.
    """
    from provisioner.app import require_public_url
    from provisioner.cli.server import listen, run

    settings = settings_from(ctx, public_url=public_url, host=host, port=port)
    require_public_url(settings)
    listener = listen(settings.host, settings.port)
    _check(settings)
    ctx.exit(run(settings, listener))


def _check(settings: "Settings") -> None:
    """Fail now rather than at the first request; what is opened here is closed before the workers are forked."""
    import structlog

    log = structlog.get_logger(__name__)
    with open_services(settings) as services:
        services.directory.check()
        try:
            services.identity.current()
        except (NoIdentity, IdentityNotInDate) as reason:
            log.error("nothing_will_be_signed", reason=str(reason))  # noqa: TRY400  # no traceback: the reason is all
    log.info(
        "serving",
        public_url=settings.public_url,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        threads=settings.threads,
    )
