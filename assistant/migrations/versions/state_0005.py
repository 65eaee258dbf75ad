"""Plans and experiments, which were files of the workspace (`assistant/documents.py` takes them over)."""

import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels = "state_0005", "state_0004", None


def upgrade() -> None:
    """Two tables more."""
    op.create_table(
        "document_versions",
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("name", sa.String(80), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("hash", sa.String(16), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "document_owners",
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("name", sa.String(80), primary_key=True),
        sa.Column("owner", sa.String(64), nullable=False),
    )
