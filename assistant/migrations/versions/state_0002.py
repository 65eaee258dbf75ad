"""Exports as jobs; who a sign-in provider says that a user is; which process answers a request."""

import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels = "state_0002", "state_0001", None


def upgrade() -> None:
    """One table and two columns more."""
    op.add_column("idempotent_answers", sa.Column("owner", sa.String(120)))
    op.add_column("users", sa.Column("subject", sa.String(255)))
    op.create_index("users_by_subject", "users", ["subject"], unique=True)
    op.create_table(
        "export_jobs",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("user", sa.String(64), nullable=False),
        sa.Column("role", sa.Integer, nullable=False),
        sa.Column("via", sa.String(16), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("format", sa.String(16), nullable=False),
        sa.Column("definition", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("progress", sa.Float, nullable=False),
        sa.Column("step", sa.String(80), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("cancel", sa.Boolean, nullable=False),
        sa.Column("count", sa.Integer),
        sa.Column("folder", sa.Text),
        sa.Column("code", sa.String(40)),
        sa.Column("detail", sa.Text),
        sa.Column("owner", sa.String(32)),
        sa.Column("beat", sa.Integer, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
    )
