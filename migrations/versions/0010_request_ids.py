"""request ids."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("interactions", sa.Column("request_id", sa.String(64), nullable=True))


def downgrade() -> None:
    """Take back."""
    op.drop_column("interactions", "request_id")
