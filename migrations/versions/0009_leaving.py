"""leaving and retention."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

USER_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_index("ix_interactions_finished_at", "interactions", ["finished_at"], unique=False)
    # Made anew by SQLite, which nothing minds: no table refers to this one.
    with op.batch_alter_table("usage") as usage:
        usage.alter_column("user_id", existing_type=USER_ID, nullable=True)


def downgrade() -> None:
    """Take back."""
    op.execute("DELETE FROM usage WHERE user_id IS NULL")
    with op.batch_alter_table("usage") as usage:
        usage.alter_column("user_id", existing_type=USER_ID, nullable=False)
    op.drop_index("ix_interactions_finished_at", table_name="interactions")
