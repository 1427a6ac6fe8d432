"""Delivery: how an organisation's pages look, what its domains prefer, languages, the outbox and self-service links."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the columns, with what the rows that are there have meant so far, and the tables."""
    for column in (
        sa.Column("consent_texts", sa.JSON, nullable=False, server_default="{}"),
        sa.Column("help_text", sa.Text, nullable=False, server_default=""),
        sa.Column("help_texts", sa.JSON, nullable=False, server_default="{}"),
        sa.Column("languages", sa.JSON, nullable=False, server_default="[]"),
        sa.Column("logo", sa.LargeBinary),
        sa.Column("accent_colour", sa.Text, nullable=False, server_default=""),
        sa.Column("outlook", sa.JSON, nullable=False, server_default="{}"),
    ):
        op.add_column("organisations", column)
    op.add_column("domains", sa.Column("prefer", sa.Text, nullable=False, server_default="builtin"))
    op.add_column("domains", sa.Column("self_service", sa.Text, nullable=False, server_default="invite"))
    op.add_column("invitations", sa.Column("language", sa.Text, nullable=False, server_default=""))
    _make_mails()
    _make_self_service_links()


def _make_mails() -> None:
    op.create_table(
        "mails",
        sa.Column("id", _NUMBER, sa.Identity(), nullable=False),
        sa.Column("link_id", sa.Text, nullable=False),
        sa.Column("issue", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("queued_at", _MOMENT, nullable=False),
        sa.Column("changed_at", _MOMENT, nullable=False),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("tried_at", _MOMENT),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("message_id", sa.Text, nullable=False),
        sa.Column("problem", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_mails"),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name="fk_mails_link_id"),
        sa.UniqueConstraint("link_id", "issue", name="uq_mails_link_id"),
    )
    op.create_index("ix_mails_state", "mails", ["state", "id"])
    op.create_index("ix_mails_tried_at", "mails", ["tried_at"])


def _make_self_service_links() -> None:
    op.create_table(
        "self_service_links",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("token_hash", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("address_key", sa.Text, nullable=False),
        sa.Column("domain", sa.Text, nullable=False),
        sa.Column("network_hash", sa.Text, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("revoked_at", _MOMENT),
        sa.Column("format_id", sa.Text),
        sa.Column("opened_at", _MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_self_service_links"),
        sa.UniqueConstraint("token_hash", name="uq_self_service_links_token_hash"),
    )
    for whose in ("domain", "network_hash"):
        op.create_index(f"ix_self_service_links_{whose}", "self_service_links", [whose, "created_at"])
    op.create_index("ix_self_service_links_expires_at", "self_service_links", ["expires_at"])
