"""the cache of answers."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    id_type = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "cache",
        sa.Column("id", id_type, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("user_id", id_type, nullable=False),
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("agent_id", sa.String(length=32), nullable=False),
        sa.Column("is_aggregator", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_cache_user_id_users"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["job_id"], ["interactions.job_id"], name=op.f("fk_cache_job_id_interactions"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cache")),
        sa.UniqueConstraint("key", name=op.f("uq_cache_key")),
    )
    op.create_index("ix_cache_job_id", "cache", ["job_id"], unique=False)
    op.create_index("ix_cache_user_id", "cache", ["user_id"], unique=False)
    op.create_index("ix_cache_created_at", "cache", ["created_at"], unique=False)
    op.add_column("responses", sa.Column("cached_from", sa.String(length=36), nullable=True))
    op.add_column("interactions", sa.Column("use_cache", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column("outbox", sa.Column("awaits", sa.String(length=64), nullable=True))
    op.create_index("ix_outbox_awaits", "outbox", ["awaits"], unique=False)


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_outbox_awaits", table_name="outbox")
    # Not in batch mode: SQLite would make the tables anew.
    op.drop_column("outbox", "awaits")
    op.drop_column("interactions", "use_cache")
    op.drop_column("responses", "cached_from")
    op.drop_table("cache")
