"""The tables, as they are after the newest migration.

Who may have mail: organisations and their domains. Who was asked to set up: one invitation per mailbox, with its
setup links, the devices each link was opened on, and the mails that brought the links. What was done: the audit trail,
which is only ever added to. Times are UTC. No table holds a token; a link's token is known here by its SHA-256 alone.
"""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, aware and in UTC in Python; SQLite, which knows no time zones, keeps it as UTC text."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """The moment in UTC. A naive time is a mistake of ours: ValueError."""
        if value is not None and value.tzinfo is None:
            raise ValueError("an aware datetime was expected")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """The moment, aware and in UTC, whatever time zone the server's session has."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


_Number = BigInteger().with_variant(Integer, "sqlite")  # only an INTEGER key numbers itself in SQLite

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)

organisations = Table(
    "organisations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("support_contact", Text, nullable=False),
    Column("consent_text", Text, nullable=False),
    Column("consent_texts", JSON, nullable=False, server_default="{}"),
    Column("help_text", Text, nullable=False, server_default=""),
    Column("help_texts", JSON, nullable=False, server_default="{}"),
    Column("languages", JSON, nullable=False, server_default="[]"),
    Column("logo", LargeBinary),
    Column("accent_colour", Text, nullable=False, server_default=""),
    Column("outlook", JSON, nullable=False, server_default="{}"),
)

domains = Table(
    "domains",
    metadata,
    Column("name", Text, primary_key=True),
    Column("organisation_id", Text, ForeignKey("organisations.id"), nullable=False, index=True),
    Column("provider", Text, nullable=False),
    Column("autodiscover", Text, nullable=False),
    Column("account_kinds", JSON, nullable=False),
    Column("smtp_password", Boolean, nullable=False),
    Column("ews", Text, nullable=False),
    Column("sign_in_urls", Text, nullable=False),
    Column("prefer", Text, nullable=False, server_default="builtin"),
    Column("self_service", Text, nullable=False, server_default="invite"),
)

# The domain is a copy of the address's, for listing; it is no foreign key: history outlives a removed domain.
invitations = Table(
    "invitations",
    metadata,
    Column("id", _Number, Identity(), primary_key=True),
    Column("address_key", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("username", Text, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("domain", Text, nullable=False, index=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("language", Text, nullable=False, server_default=""),  # BCP 47; empty: not known
    UniqueConstraint("address_key"),
)

links = Table(
    "links",
    metadata,
    Column("id", Text, primary_key=True),
    Column("invitation_id", _Number, ForeignKey("invitations.id"), nullable=False, index=True),
    Column("issue", Integer, nullable=False),
    Column("token_hash", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("devices_allowed", Integer, nullable=False),
    Column("revoked_at", UtcDateTime),
    UniqueConstraint("token_hash"),
)

devices = Table(
    "devices",
    metadata,
    Column("id", _Number, Identity(), primary_key=True),
    Column("link_id", Text, ForeignKey("links.id"), nullable=False),
    Column("format_id", Text, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Index(None, "link_id", "format_id"),
)

# The outbox: one mail for each issue of a link.
mails = Table(
    "mails",
    metadata,
    Column("id", _Number, Identity(), primary_key=True),
    Column("link_id", Text, ForeignKey("links.id"), nullable=False),
    Column("issue", Integer, nullable=False),
    Column("state", Text, nullable=False),  # queued, sending, sent, refused or unsure
    Column("queued_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),  # not tried again before
    Column("tried_at", UtcDateTime, index=True),  # the newest attempt: what the limits of sending are counted by
    Column("attempts", Integer, nullable=False),
    Column("message_id", Text, nullable=False),  # without the angle brackets
    Column("problem", Text, nullable=False),  # what the server said when it did not take the mail; empty otherwise
    UniqueConstraint("link_id", "issue"),
    Index(None, "state", "id"),
)

# Links that somebody took at the start page: of one hour, of nobody invited, kept apart from invitations.
self_service_links = Table(
    "self_service_links",
    metadata,
    Column("id", Text, primary_key=True),
    Column("token_hash", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("address_key", Text, nullable=False),
    Column("domain", Text, nullable=False),
    Column("network_hash", Text, nullable=False),  # of whoever took it, keyed: no address can be had from it
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Column("revoked_at", UtcDateTime),
    Column("format_id", Text),  # of the one device it was opened on
    Column("opened_at", UtcDateTime),
    UniqueConstraint("token_hash"),
    Index(None, "domain", "created_at"),
    Index(None, "network_hash", "created_at"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", _Number, Identity(), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("details", JSON, nullable=False),
    Index(None, "subject"),
)
