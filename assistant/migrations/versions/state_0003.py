"""Who saved a segment first."""

import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels = "state_0003", "state_0002", None


def upgrade() -> None:
    """One table more; one that is there stays as it is."""
    if not sa.inspect(op.get_bind()).has_table("segment_owners"):
        op.create_table(
            "segment_owners",
            sa.Column("name", sa.String(80), primary_key=True),
            sa.Column("owner", sa.String(64), nullable=False),
        )
