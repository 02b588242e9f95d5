"""What protects the dashboard in a browser: headers, cookies, and proof that a request comes from our own page."""

import hashlib
import hmac
import secrets
from urllib.parse import urlsplit

from fastapi import Request, Response

from shared.domain.errors import NotAllowedError

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not `no-referrer`: browsers would then call the origin of our own forms "null".
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cache-Control": "no-store",
    "Strict-Transport-Security": "max-age=31536000",
}
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class ForgedRequestError(NotAllowedError):
    code = "forged_request"


class PlainHttpError(NotAllowedError):
    code = "plain_http"


def is_secure(request: Request) -> bool:
    return request.url.scheme == "https"


def cookie_name(request: Request, name: str) -> str:
    """Browsers take a `__Host-` cookie only over https, for this host alone, and from no subdomain."""
    return f"__Host-{name}" if is_secure(request) else name


def set_cookie(response: Response, request: Request, name: str, value: str, *, seconds: int) -> None:
    response.set_cookie(
        cookie_name(request, name), value, max_age=seconds, path="/", secure=is_secure(request), httponly=True, samesite="lax"
    )


def delete_cookie(response: Response, request: Request, name: str) -> None:
    response.delete_cookie(cookie_name(request, name), path="/", secure=is_secure(request), httponly=True, samesite="lax")


def refuse_plain_http(request: Request) -> None:
    """Passwords travel over https, or not further than this machine. Raises `PlainHttpError`."""
    if not is_secure(request) and request.url.hostname not in _LOOPBACK:
        raise PlainHttpError("signing in needs https, or an address of this machine")


def refuse_other_origin(request: Request) -> None:
    """Raises `ForgedRequestError` unless the browser says that our own page sent this; silence is no proof."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None and site != "same-origin":
        raise ForgedRequestError("the request comes from another site")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host", ""):
        raise ForgedRequestError("the request comes from another origin")
    if site is None and origin is None:
        raise ForgedRequestError("the request does not say where it comes from")


async def refuse_wrong_token(request: Request, expected: str) -> None:
    """The token is a field of the form. Raises `ForgedRequestError`."""
    form = await request.form()
    given = form.get("csrf")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), expected.encode()):
        raise ForgedRequestError("the form's token is missing or wrong")


def fresh_visit() -> str:
    return secrets.token_urlsafe(32)


def token_of_visit(visit: str, secret: str) -> str:
    """The token of the login form, for the random visit in its cookie: there is no session yet that could hold one."""
    return hmac.new(secret.encode(), b"vitte.admin.login:" + visit.encode(), hashlib.sha256).hexdigest()
