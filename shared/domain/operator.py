"""The humans who run the platform, and the switches they set at run time."""

from uuid import uuid4

from sqlalchemy import CheckConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from shared.domain.base import Base, CreatedAt, Id, Instant
from shared.domain.errors import InvalidInputError, NotAllowedError

MIN_PASSWORD_LENGTH = 12


class LoginRefusedError(NotAllowedError):
    """Wrong login or wrong password; which of the two is never said."""

    code = "login_refused"


class WeakPasswordError(InvalidInputError):
    code = "weak_password"


class Operator(Base, kw_only=True):
    __tablename__ = "operators"
    __table_args__ = (CheckConstraint("role in ('owner', 'viewer')", name="role_known"),)

    id: Mapped[Id] = mapped_column(default_factory=uuid4)
    login: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str] = mapped_column(repr=False)
    role: Mapped[str] = mapped_column(default="owner")
    created_at: Mapped[CreatedAt] = mapped_column(init=False)
    last_login_at: Mapped[Instant | None] = mapped_column(default=None)
    disabled_at: Mapped[Instant | None] = mapped_column(default=None)


class Setting(Base, kw_only=True):
    """One switch; rows exist only for what differs from the defaults in `Switches`."""

    __tablename__ = "settings"

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[bool | int | str] = mapped_column(JSONB)
    updated_at: Mapped[Instant]
    updated_by: Mapped[str]
