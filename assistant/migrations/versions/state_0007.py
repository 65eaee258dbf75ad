"""The sets of customers whose sizes each reader has been told, so that no process and no restart loses them."""

import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels = "state_0007", "state_0006", None


def upgrade() -> None:
    """One table more."""
    op.create_table(
        "sizes_told",
        sa.Column("reader", sa.String(200), primary_key=True),
        sa.Column("data", sa.String(32), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("customers", sa.LargeBinary, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
