"""Where organisations, domains, setup links and the audit trail are kept: one SQLite file, or a PostgreSQL database.

``Store`` opens it and hands out transactions; the modules beside it hold the queries, which take a connection and
never commit. Both databases pass the same tests.
"""

from sqlalchemy import Connection

from provisioner.store.database import Store, sqlite_url

__all__ = ["Connection", "Store", "sqlite_url"]
