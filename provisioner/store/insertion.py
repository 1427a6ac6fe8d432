"""INSERT with ON CONFLICT, which SQLite and PostgreSQL spell alike and SQLAlchemy keeps per dialect."""

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

Insertion = postgresql.Insert | sqlite.Insert


def insertion(connection: Connection, table: Table) -> Insertion:
    """An INSERT into ``table`` that can say what happens where the row is there already."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
