"""What version 0.2.0 kept: saved segments, users and keys, first answers. Tables that are there stay as they are."""

import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels = "state_0001", None, ("state",)


def upgrade() -> None:
    """Make the tables that are not there."""
    there = set(sa.inspect(op.get_bind()).get_table_names())
    for name, columns in _tables().items():
        if name not in there:
            op.create_table(name, *columns)


def _moment(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _tables() -> dict[str, tuple[sa.Column, ...]]:
    return {
        "segment_versions": (
            sa.Column("name", sa.String(80), primary_key=True),
            sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("definition", sa.Text, nullable=False),
            sa.Column("hash", sa.String(16), nullable=False),
            _moment("saved_at"),
        ),
        "users": (
            sa.Column("name", sa.String(64), primary_key=True),
            sa.Column("role", sa.Integer, nullable=False),
            _moment("created_at"),
            _moment("revoked_at", nullable=True),
        ),
        "api_keys": (
            sa.Column("id", sa.String(12), primary_key=True),
            sa.Column("user", sa.String(64), nullable=False),
            sa.Column("hash", sa.String(64), nullable=False),
            _moment("created_at"),
            _moment("expires_at", nullable=True),
            _moment("revoked_at", nullable=True),
        ),
        "idempotent_answers": (
            sa.Column("user", sa.String(64), primary_key=True),
            sa.Column("key", sa.String(200), primary_key=True),
            sa.Column("request", sa.String(64), nullable=False),
            sa.Column("at", sa.String(40), nullable=False),
            sa.Column("status", sa.Integer),
            sa.Column("headers", sa.Text),
            sa.Column("body", sa.LargeBinary),
        ),
    }
