"""the request that a query came with, and its trace."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("interactions", sa.Column("request_id", sa.String(64), nullable=True))
    op.add_column("interactions", sa.Column("traceparent", sa.String(55), nullable=True))


def downgrade() -> None:
    """Take back."""
    op.drop_column("interactions", "traceparent")
    op.drop_column("interactions", "request_id")
