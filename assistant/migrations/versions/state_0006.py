"""Why an export failed, in Chinese too."""

import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels = "state_0006", "state_0005", None


def upgrade() -> None:
    """One column more; what failed before is known in English only."""
    op.add_column("export_jobs", sa.Column("detail_zh", sa.Text))
