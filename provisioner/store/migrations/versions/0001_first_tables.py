"""The first tables: organisations, domains, invitations, links, devices and the audit trail."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_MOMENT = sa.DateTime(timezone=True)

_APPEND_ONLY = {
    "sqlite": (
        "CREATE TRIGGER audit_keeps_rows BEFORE UPDATE ON audit "
        "BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END",
        "CREATE TRIGGER audit_keeps_all_rows BEFORE DELETE ON audit "
        "BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$",
        "CREATE TRIGGER audit_keeps_rows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()",
    ),
}


def upgrade() -> None:
    """Make the tables."""
    _make_directory()
    _make_links()
    _make_audit()


def _make_directory() -> None:
    op.create_table(
        "organisations",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("support_contact", sa.Text, nullable=False),
        sa.Column("consent_text", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_organisations"),
    )
    op.create_table(
        "domains",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("organisation_id", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("autodiscover", sa.Text, nullable=False),
        sa.Column("account_kinds", sa.JSON, nullable=False),
        sa.Column("smtp_password", sa.Boolean, nullable=False),
        sa.Column("ews", sa.Text, nullable=False),
        sa.Column("sign_in_urls", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_domains"),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name="fk_domains_organisation_id"),
    )
    op.create_index("ix_domains_organisation_id", "domains", ["organisation_id"])


def _make_links() -> None:
    op.create_table(
        "invitations",
        sa.Column("id", _NUMBER, sa.Identity(), nullable=False),
        sa.Column("address_key", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("username", sa.Text, nullable=False),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("domain", sa.Text, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_invitations"),
        sa.UniqueConstraint("address_key", name="uq_invitations_address_key"),
    )
    op.create_index("ix_invitations_domain", "invitations", ["domain"])
    op.create_table(
        "links",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("invitation_id", _NUMBER, nullable=False),
        sa.Column("issue", sa.Integer, nullable=False),
        sa.Column("token_hash", sa.Text, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("devices_allowed", sa.Integer, nullable=False),
        sa.Column("revoked_at", _MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_links"),
        sa.ForeignKeyConstraint(["invitation_id"], ["invitations.id"], name="fk_links_invitation_id"),
        sa.UniqueConstraint("token_hash", name="uq_links_token_hash"),
    )
    op.create_index("ix_links_invitation_id", "links", ["invitation_id"])
    op.create_table(
        "devices",
        sa.Column("id", _NUMBER, sa.Identity(), nullable=False),
        sa.Column("link_id", sa.Text, nullable=False),
        sa.Column("format_id", sa.Text, nullable=False),
        sa.Column("opened_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_devices"),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name="fk_devices_link_id"),
    )
    op.create_index("ix_devices_link_id", "devices", ["link_id", "format_id"])


def _make_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", _NUMBER, sa.Identity(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_subject", "audit", ["subject"])
    for statement in _APPEND_ONLY[op.get_bind().dialect.name]:
        op.execute(statement)
