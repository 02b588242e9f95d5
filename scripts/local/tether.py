"""Becomes a command that ends when the process which asked for it ends.

`tether.py <parent pid> <signal> <uid:gid or -> <command> [arguments]`. Linux only promises this to a process that has
already taken its final account, so the account changes first; elsewhere `watchdog.py` does the work. Standard library
only: it is started with `python -I -S`, before the environment of the project is needed.
"""

import ctypes
import os
import platform
import sys

PR_SET_PDEATHSIG = 1


def take_account(account: str) -> None:
    if account == "-":
        return
    uid, gid = (int(part) for part in account.split(":"))
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def end_with(parent: int, death_signal: int) -> None:
    if platform.system() != "Linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:  # it died before we asked
        sys.exit(1)


def main(arguments: list[str]) -> None:
    parent, death_signal, account, *command = arguments
    take_account(account)
    end_with(int(parent), int(death_signal))
    try:
        os.execvp(command[0], command)  # noqa: S606 - becoming another program is the purpose
    except OSError as error:
        sys.exit(f"{command[0]} cannot be started: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
