"""What makes a password too weak for an operator."""

import re
from itertools import pairwise

from shared.domain.operator import MIN_PASSWORD_LENGTH, WeakPasswordError

LONGEST = 1024
_FEW_DIFFERENT = 5

# The stems of the passwords that leaked lists hold most often, by how often they are met with 12 and more characters.
_COMMON = r"""
    password|passw0rd|pa55word|qwerty|qwertz|azerty|asdfgh|zxcvbn|1q2w3e|1qaz2wsx|qazwsx|abc123|abcdef|abcd1234|iloveyou|letmein|
    welcome|admin|administrator|root|monkey|dragon|football|baseball|basketball|superman|batman|sunshine|princess|master|shadow|
    michael|jennifer|charlie|trustno1|starwars|whatever|freedom|computer|internet|changeme|secret|login|passport|hello|hunter2|jordan|
    harley|ranger|buster|soccer|hockey|killer|george|andrew|thomas|jessica|pepper|daniel|access|joshua|maggie|ginger|summer|winter|
    spring|autumn|matrix|cookie|mustang|corvette|ferrari|yankees|samsung|google|facebook|telegram|vitte|marina|natasha|lubov|parol|
    privet|zaq12wsx|123456|654321|012345|111111|000000|121212|123123|123321|112233|666666|696969|777777|888888|987654
"""
_STEM = re.compile(_COMMON, re.IGNORECASE | re.VERBOSE)
_FILLER = re.compile(r"[\d\W_]*")


def refuse_weak(password: str, *, login: str) -> None:
    """Raises `WeakPasswordError`, which says what to change and never repeats the password."""
    if len(password) < MIN_PASSWORD_LENGTH:
        raise WeakPasswordError(f"the password is shorter than {MIN_PASSWORD_LENGTH} characters")
    if len(password) > LONGEST:
        raise WeakPasswordError(f"the password is longer than {LONGEST} characters")
    if len(set(password.lower())) < _FEW_DIFFERENT:
        raise WeakPasswordError("the password repeats the same few characters")
    without_login = password.lower().replace(login.lower(), "") if login else password
    if _is_run(password) or _is_decorated_stem(without_login):
        raise WeakPasswordError("the password is one of those that are guessed first")
    if len(without_login) < MIN_PASSWORD_LENGTH // 2:
        raise WeakPasswordError("the password is little more than the login")


def _is_decorated_stem(password: str) -> bool:
    rest, stems = _STEM.subn("", password)
    return stems > 0 and _FILLER.fullmatch(rest) is not None


def _is_run(password: str) -> bool:
    """Counted up or down, such as 123456789012 or lkjihgfedcba."""
    steps = {ord(after) - ord(before) for before, after in pairwise(password)}
    return len(steps) == 1 or steps in ({1, -9}, {-1, 9})
