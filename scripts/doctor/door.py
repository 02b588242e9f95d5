"""The door as a visitor meets it: does it answer, and which certificate does it show. Standard library only."""

import http.client
import socket
import ssl
import time
from dataclasses import dataclass
from typing import Any

from scripts.doctor.findings import Finding, fail, ok, span, warn

SECONDS = 4.0
PATH = "/api/v1/health"
SOON_DAYS, LATE_DAYS = 14, 3
EXPIRED, NOT_YET = 10, 9
"""OpenSSL's X509_V_ERR_CERT_HAS_EXPIRED and …_NOT_YET_VALID."""


@dataclass(frozen=True, slots=True)
class Door:
    """`mode` is TLS_MODE; `name` the first of SERVER_NAME, empty for any; `webhook` whether Telegram has to trust it."""

    host: str
    http_port: int
    https_port: int
    mode: str = "off"
    name: str = ""
    webhook: bool = False


def examined(door: Door) -> list[Finding]:
    if door.mode not in {"own", "acme"}:
        return [_answers(door, tls=False)]
    return [_answers(door, tls=True), *_certificate(door)]


def _answers(door: Door, *, tls: bool) -> Finding:
    port, setting = (door.https_port, "HTTPS_PORT") if tls else (door.http_port, "HTTP_PORT")
    where = f"{'https' if tls else 'http'}://{door.name or door.host}:{port}"
    try:
        status = _status(door, port, tls=tls)
    except TimeoutError:
        return fail(
            "door", f"{where} does not answer within {SECONDS:.0f} s", "look at `make logs s=nginx`, then `docker compose restart nginx`"
        )
    except (OSError, http.client.HTTPException) as error:
        found = f"{where} does not answer ({type(error).__name__})"
        return fail("door", found, f"look at `make logs s=nginx`, {setting} and PUBLIC_BIND in .env, then `make up`")
    if status == 200:
        return ok("door", f"{where} answers")
    if status == 421:
        return fail("door", f"{where} does not know its own name (421)", "put the domain into SERVER_NAME in .env, then `make up`")
    if status in {502, 503, 504}:
        return fail(
            "door",
            f"{where} answers, the api behind it does not ({status})",
            "look at `make logs s=api`, then `docker compose restart api`",
        )
    return fail("door", f"{where}{PATH} answers {status}", "look at `make logs s=nginx`; something else may have that port")


def _status(door: Door, port: int, *, tls: bool) -> int:
    name = door.name or door.host
    connection = http.client.HTTPConnection(door.host, port, timeout=SECONDS)
    try:
        connection.connect()
        if tls:
            connection.sock = _unverified().wrap_socket(connection.sock, server_hostname=name)
        connection.request("GET", PATH, headers={"Host": name})
        return connection.getresponse().status
    finally:
        connection.close()


def _unverified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _certificate(door: Door) -> list[Finding]:
    try:
        shown = _handshake(door, _unverified())[1]
    except OSError as error:
        waiting = (
            "there is no certificate yet; `make logs s=certbot` says why (port 80 must be open to the internet)"
            if door.mode == "acme"
            else "look at `make logs s=nginx`"
        )
        return [fail("certificate", f"no handshake on port {door.https_port} ({type(error).__name__})", waiting)]
    try:
        told = _handshake(door, _trusting(shown))[0]
    except ssl.SSLCertVerificationError as error:
        return [_unusable(door, error)]
    findings = [_about_days(door, told), *_about_name(door, told)]
    if door.webhook and not _is_public(door):
        findings.append(fail("certificate", "no public authority has signed it, or its chain is incomplete: Telegram will not call",
                             "use the whole chain (fullchain.pem), or TLS_MODE=acme"))  # fmt: skip
    return findings


def _handshake(door: Door, context: ssl.SSLContext) -> tuple[dict[str, Any], bytes]:
    with (
        socket.create_connection((door.host, door.https_port), timeout=SECONDS) as raw,
        context.wrap_socket(raw, server_hostname=door.name or door.host) as shaken,
    ):
        return dict(shaken.getpeercert() or {}), shaken.getpeercert(binary_form=True) or b""


def _trusting(certificate: bytes) -> ssl.SSLContext:
    """Python tells the fields of a certificate only when it is trusted, so for once it is."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=certificate)
    return context


def _is_public(door: Door) -> bool:
    try:
        _handshake(door, ssl.create_default_context())
    except OSError:
        return False
    return True


def _renew(door: Door) -> str:
    if door.mode == "acme":
        return "certbot did not renew it: see `make logs s=certbot`, open port 80 to the internet, then `docker compose restart certbot`"
    return "put a new fullchain.pem and privkey.pem into TLS_FOLDER; nginx takes them up within a minute"


def _unusable(door: Door, error: ssl.SSLCertVerificationError) -> Finding:
    if error.verify_code == EXPIRED:
        return fail("certificate", "has expired: browsers and Telegram refuse it", _renew(door))
    if error.verify_code == NOT_YET:
        return fail("certificate", "is not valid yet", "set the clock of this machine (`timedatectl set-ntp true`), or wait")
    return fail("certificate", f"cannot be used ({error.verify_message})", _renew(door))


def _about_days(door: Door, told: dict[str, Any]) -> Finding:
    left = ssl.cert_time_to_seconds(str(told["notAfter"])) - time.time()
    days = left / 86_400
    if days < LATE_DAYS:
        return fail("certificate", f"expires in {span(left)}", _renew(door))
    if days < SOON_DAYS:
        return warn("certificate", f"expires in {days:.0f} days", _renew(door))
    return ok("certificate", f"is valid for {days:.0f} days")


def _about_name(door: Door, told: dict[str, Any]) -> list[Finding]:
    names = [value for kind, value in told.get("subjectAltName", ()) if kind == "DNS"]
    if not door.name or any(_matches(name, door.name) for name in names):
        return []
    found = f"is for {', '.join(names[:3]) or 'no name at all'}, and SERVER_NAME is {door.name}"
    return [fail("certificate", found, "get one for that name, or correct SERVER_NAME in .env, then `make up`")]


def _matches(pattern: str, name: str) -> bool:
    pattern, name = pattern.lower(), name.lower()
    return pattern == name or (pattern.startswith("*.") and name.partition(".")[2] == pattern[2:])
