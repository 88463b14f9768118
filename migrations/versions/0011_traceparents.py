"""traceparents."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("interactions", sa.Column("traceparent", sa.String(55), nullable=True))


def downgrade() -> None:
    """Take back."""
    op.drop_column("interactions", "traceparent")
