"""deletions."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "deletions",
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"],
            ["interactions.job_id"],
            name=op.f("fk_deletions_job_id_interactions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_deletions")),
    )
    op.create_index("ix_deletions_due_at", "deletions", ["due_at"])


def downgrade() -> None:
    """Take back."""
    op.drop_table("deletions")
