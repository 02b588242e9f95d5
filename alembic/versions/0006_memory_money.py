"""what memory costs has a sum of its own"""

from collections.abc import Sequence

from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

NAME = "ck_spendings_scope_known"


def upgrade() -> None:
    """The table has a row for each day of at most ninety and each limit: it is looked through, and locked, for a fraction of a second."""
    op.drop_constraint(op.f(NAME), "spendings", type_="check", if_exists=True)
    op.create_check_constraint(op.f(NAME), "spendings", "scope in ('user', 'bot', 'memory')")


def downgrade() -> None:
    op.execute("delete from spendings where scope = 'memory'")
    op.drop_constraint(op.f(NAME), "spendings", type_="check")
    op.create_check_constraint(op.f(NAME), "spendings", "scope in ('user', 'bot')")
