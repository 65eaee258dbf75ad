"""The audit log, append-only in the database itself. A table that is there stays as it is."""

import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels = "audit_0001", None, ("audit",)

SAID = "the audit log is append-only"
SQLITE = (
    "CREATE TRIGGER IF NOT EXISTS audit_no_{0} BEFORE {0} ON audit_log "
    f"BEGIN SELECT RAISE(ABORT, '{SAID}'); END"
)
REFUSE = (
    "CREATE OR REPLACE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN RAISE EXCEPTION '{SAID}'; END $$"
)
POSTGRES = "CREATE TRIGGER audit_no_{0} BEFORE {0} ON audit_log EXECUTE FUNCTION audit_append_only()"


def upgrade() -> None:
    """The table and what guards it."""
    bind = op.get_bind()
    if not sa.inspect(bind).has_table("audit_log"):
        texts = {"at": 40, "who": 64, "role": 16, "via": 16, "action": 32}
        op.create_table(
            "audit_log",
            sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
            *[sa.Column(name, sa.String(length), nullable=False) for name, length in texts.items()],
            sa.Column("detail", sa.Text, nullable=False),
            sa.Column("previous", sa.String(64), nullable=False),
            sa.Column("hash", sa.String(64), nullable=False),
        )
    if bind.dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(SQLITE.format(change))
        return
    op.execute(REFUSE)
    for change in ("UPDATE", "DELETE", "TRUNCATE"):
        op.execute(POSTGRES.format(change))
