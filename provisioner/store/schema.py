"""Bringing the tables to the version this program knows, by the migrations that lie inside the package.

All pending migrations run in one transaction: after a crash the schema is the old one or the new one. A database that
a newer version has migrated is refused by name.
"""

from functools import cache

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from provisioner.errors import ConfigurationError

_MIGRATIONS = "provisioner.store:migrations"  # Alembic finds it in the package, wherever that is installed


def is_present(connection: Connection) -> bool:
    """Whether the tables are at the version this program knows.

    Raises ConfigurationError where they are at one that it does not know.
    """
    scripts = _scripts()
    found = MigrationContext.configure(connection).get_current_revision()
    if found is not None and found not in {script.revision for script in scripts.walk_revisions()}:
        raise ConfigurationError(
            f"The database has schema version {found}, which this version of Provisioner does not know: a newer one "
            "has used it. Start that newer version, or restore a backup made before the upgrade."
        )
    return found == scripts.get_current_head()


def upgrade(connection: Connection) -> None:
    """Run the pending migrations inside the transaction of ``connection``."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", _MIGRATIONS)
    return config


@cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())
