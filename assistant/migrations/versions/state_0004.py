"""Noised counts that were shown, and what each user has spent on them."""

import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels = "state_0004", "state_0003", None


def upgrade() -> None:
    """Two tables more."""
    op.create_table(
        "noised_counts",
        sa.Column("question", sa.String(32), primary_key=True),
        sa.Column("part", sa.Text, primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "noise_spent",
        sa.Column("user", sa.String(64), primary_key=True),
        sa.Column("question", sa.String(32), primary_key=True),
        sa.Column("epsilon", sa.Float, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
