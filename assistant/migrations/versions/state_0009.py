"""The channel whose consent an export asks for."""

import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels = "state_0009", "state_0008", None


def upgrade() -> None:
    """A column more; of the jobs there are, everyone was exported."""
    op.add_column(
        "export_jobs", sa.Column("channel", sa.String(80), nullable=False, server_default=sa.text("''"))
    )
