"""The webhook that an export is delivered to."""

import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels = "state_0010", "state_0009", None


def upgrade() -> None:
    """A column more; the jobs there are were delivered to none."""
    op.add_column(
        "export_jobs", sa.Column("webhook", sa.String(80), nullable=False, server_default=sa.text("''"))
    )
