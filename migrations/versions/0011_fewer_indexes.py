"""fewer indexes, and smaller ones: each is a page that every step of every query reads and writes."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

PENDING = sa.text("status = 'pending'")
FINISHED = sa.text("finished_at IS NOT NULL")
WAITING = sa.text("awaits IS NOT NULL")


def upgrade() -> None:
    """Apply."""
    op.drop_index("ix_cache_user_id", "cache")
    op.drop_index("ix_cache_created_at", "cache")
    op.drop_index("ix_outbox_awaits", "outbox")
    op.create_index("ix_outbox_awaits", "outbox", ["awaits"], sqlite_where=WAITING, postgresql_where=WAITING)
    op.drop_index("ix_interactions_finished_at", "interactions")
    op.create_index(
        "ix_interactions_finished_at", "interactions", ["finished_at"], sqlite_where=FINISHED, postgresql_where=FINISHED
    )
    op.drop_index("ix_responses_leased", "responses")
    op.create_index("ix_responses_pending", "responses", ["job_id"], sqlite_where=PENDING, postgresql_where=PENDING)


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_responses_pending", "responses")
    op.create_index("ix_responses_leased", "responses", ["lease_until"], sqlite_where=PENDING, postgresql_where=PENDING)
    op.drop_index("ix_interactions_finished_at", "interactions")
    op.create_index("ix_interactions_finished_at", "interactions", ["finished_at"])
    op.drop_index("ix_outbox_awaits", "outbox")
    op.create_index("ix_outbox_awaits", "outbox", ["awaits"])
    op.create_index("ix_cache_created_at", "cache", ["created_at"])
    op.create_index("ix_cache_user_id", "cache", ["user_id"])
