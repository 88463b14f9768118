"""conversations."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("interactions", sa.Column("conversation", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Take back."""
    # Not in batch mode: SQLite would make the table anew, and lose what refers to its rows.
    op.drop_column("interactions", "conversation")
