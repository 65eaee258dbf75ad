"""Which key a session was begun with; when what has had its time was last removed."""

import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels = "state_0008", "state_0007", None


def upgrade() -> None:
    """A column and a table more."""
    op.add_column("api_keys", sa.Column("signed_in_with", sa.String(12)))
    op.create_table(
        "schedule",
        sa.Column("task", sa.String(32), primary_key=True),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
    )
