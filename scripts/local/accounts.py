"""Who runs PostgreSQL, and where it may live: it refuses to run as root."""

import hashlib
import os
import pwd
import shutil
import stat
from pathlib import Path

from scripts.local.processes import Account, StartError

SYSTEM_HOME = Path("/var/lib/vitte")


def database_account(data: Path) -> Account | None:
    """None: the current user is fine. As root: the owner of the data so far, whoever used sudo, else `nobody`."""
    if os.geteuid() != 0:
        return None
    if data.exists() and data.stat().st_uid != 0:
        return Account(data.stat().st_uid, data.stat().st_gid)
    if int(os.environ.get("SUDO_UID", "0")):
        return Account(int(os.environ["SUDO_UID"]), int(os.environ["SUDO_GID"]))
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise StartError("PostgreSQL does not run as root and there is no account `nobody`: run this as an ordinary user") from None
    return Account(nobody.pw_uid, nobody.pw_gid)


def can_reach(account: Account | None, path: Path) -> bool:
    """Whether the account may pass through every folder above the path."""
    return account is None or all(_may_enter(account, parent) for parent in path.resolve().parents if parent.exists())


def _may_enter(account: Account, folder: Path) -> bool:
    seen = folder.stat()
    if seen.st_uid == account.uid:
        return bool(seen.st_mode & stat.S_IXUSR)
    if seen.st_gid == account.gid:
        return bool(seen.st_mode & stat.S_IXGRP)
    return bool(seen.st_mode & stat.S_IXOTH)


def reachable_home(local: Path, account: Account | None) -> Path:
    """Where the server keeps its files: below `local`, or in a system folder when the account cannot get there.

    Opening root's home to the world, as the wheel would do by itself, is not ours to decide.
    """
    inside = local / "postgres"
    if can_reach(account, inside / "data"):
        return inside
    return SYSTEM_HOME / hashlib.sha256(str(local.resolve()).encode()).hexdigest()[:12]


def reachable_install(installed: Path, home: Path, account: Account | None) -> Path:
    """The PostgreSQL of the wheel, or a copy beside its data when the account cannot reach the wheel."""
    if can_reach(account, installed / "bin" / "postgres"):
        return installed
    package, libraries = installed.parent, installed.parents[1] / f"{installed.parent.name}.libs"
    copy = home / "wheel" / package.name / installed.name
    if not (copy / "complete").exists():
        shutil.rmtree(home / "wheel", ignore_errors=True)
        shutil.copytree(installed, copy, symlinks=True)
        if libraries.exists():  # macOS wheels keep theirs elsewhere
            shutil.copytree(libraries, home / "wheel" / libraries.name, symlinks=True)
        (copy / "complete").touch()
    return copy
