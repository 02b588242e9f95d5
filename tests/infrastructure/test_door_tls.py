"""TLS: off, with an own certificate, by ACME. And settings that the door refuses."""

import asyncio
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.infrastructure.door import NGINX, Door, RefusedSettingsError, render
from tests.infrastructure.stand_ins import House

NAMES = {"SERVER_NAME": "vitte.example"}


def make_certificate(folder: Path, name: str) -> dict[str, str]:
    files = {"TLS_CERTIFICATE": str(folder / f"{name}.pem"), "TLS_KEY": str(folder / f"{name}.key")}
    kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={name}"]
    subprocess.run(
        ["openssl", "req", *kind, "-keyout", files["TLS_KEY"], "-out", files["TLS_CERTIFICATE"]], check=True, capture_output=True
    )
    return files


@pytest.fixture(scope="session")
def certificate(server_folder: Path) -> dict[str, str]:
    return make_certificate(server_folder, "first")


@pytest.fixture
async def tls_door(make_door: type[Door], certificate: dict[str, str]) -> Door:
    door = make_door(TLS_MODE="own", **NAMES, **certificate)
    await door.open()
    return door


def shaken(door: Door, version: ssl.TLSVersion) -> str | None:
    """Shakes hands with exactly this version; None when the door will not."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    try:
        with socket.create_connection(("127.0.0.1", door.tls_port)) as raw, context.wrap_socket(raw) as shaken:
            return shaken.version()
    except ssl.SSLError:
        return None


def content(file: str) -> bytes:
    return Path(file).read_bytes()


async def shown(door: Door) -> bytes:
    """The certificate that visitors are shown."""
    return (await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", door.tls_port))).encode()


@pytest.mark.parametrize("mode", ["off", "own", "acme"])
def test_nginx_accepts_its_configuration_without_a_warning(
    nginx: str, server_folder: Path, tmp_path: Path, certificate: dict[str, str], mode: str
) -> None:
    folder = server_folder / tmp_path.name
    settings = {"TLS_MODE": mode, **NAMES, **certificate, "TRUSTED_PROXIES": "10.0.0.0/8 fd00::/8 192.0.2.7", "TELEGRAM_ALLOW_LIST": "on"}
    render(nginx, folder, settings)

    ran = subprocess.run([nginx, "-t", "-q", "-p", folder, "-c", folder / "nginx.conf"], capture_output=True, text=True, check=False)

    assert (ran.returncode, ran.stderr) == (0, "")


async def test_with_tls_every_plain_request_is_sent_to_https(tls_door: Door, house: House) -> None:
    page = await tls_door.ask("/admin/?page=2", headers={"Host": "vitte.example"})
    foreign = await tls_door.ask("/admin/", headers={"Host": "evil.example"})

    assert (page.status, page.headers["location"]) == (308, "https://vitte.example/admin/?page=2")
    assert (foreign.status, house.only("admin").heard) == (421, [])


async def test_behind_tls_the_services_hear_https_and_browsers_are_told_to_keep_to_it(tls_door: Door, house: House) -> None:
    answer = await tls_door.ask("/admin/", secure=True, headers={"Host": "vitte.example"})

    assert (answer.status, house.only("admin").heard[0].headers["x-forwarded-proto"]) == (200, "https")
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


async def test_only_the_two_newest_versions_of_tls_are_spoken(tls_door: Door) -> None:
    spoken = [await asyncio.to_thread(shaken, tls_door, version) for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)]

    assert spoken == ["TLSv1.2", "TLSv1.3"]


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
async def test_old_versions_of_tls_are_refused(tls_door: Door, version: ssl.TLSVersion) -> None:
    assert await asyncio.to_thread(shaken, tls_door, version) is None


async def test_before_its_first_certificate_acme_answers_the_challenge_and_nothing_else(
    make_door: type[Door], house: House, server_folder: Path
) -> None:
    webroot = server_folder / "acme-first"
    (webroot / ".well-known/acme-challenge").mkdir(parents=True)
    (webroot / ".well-known/acme-challenge/abc").write_text("abc.proof")
    door = make_door(TLS_MODE="acme", ACME_WEBROOT=str(webroot), TLS_CERTIFICATE="/nowhere.pem", TLS_KEY="/nowhere.key", **NAMES)
    await door.open()

    challenge = await door.ask("/.well-known/acme-challenge/abc")
    page = await door.ask("/admin/login", "POST", data=b"password=x")

    assert (challenge.status, challenge.body) == (200, b"abc.proof")
    assert (page.status, page.json()["code"], house.only("admin").heard) == (503, "unavailable", [])


async def test_a_renewal_is_answered_while_the_door_is_open(
    make_door: type[Door], certificate: dict[str, str], server_folder: Path
) -> None:
    webroot = server_folder / "acme-again"
    (webroot / ".well-known/acme-challenge").mkdir(parents=True)
    (webroot / ".well-known/acme-challenge/abc").write_text("abc.proof")
    door = make_door(TLS_MODE="acme", ACME_WEBROOT=str(webroot), **NAMES, **certificate)
    await door.open()

    assert (await door.ask("/.well-known/acme-challenge/abc")).body == b"abc.proof"
    assert (await door.ask("/.well-known/acme-challenge/../../../etc/passwd")).status in (308, 400)


@contextmanager
def watching(door: Door, nginx: str, folder: Path, files: dict[str, str]) -> Iterator[None]:
    """The entrypoint's watch over the certificate runs inside the block, with `door` as the nginx of its container."""
    entrypoint = shutil.copytree(NGINX / "entrypoint", folder / "entrypoint")
    scripts = {
        entrypoint / "20-envsubst-on-templates.sh": "true",
        folder / "nginx": f'exec {nginx} -p {door.folder} -c {door.folder}/nginx.conf "$@"',
    }
    for script, line in scripts.items():
        script.write_text(f"#!/bin/sh\n{line}\n")
        script.chmod(0o755)
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", "TLS_MODE": "own", "CERTIFICATE_CHECK_SECONDS": "0.1", **files}
    started = subprocess.Popen(
        ["sh", entrypoint / "40-certificates.sh"], env=environment, start_new_session=True, stderr=subprocess.DEVNULL
    )
    try:
        assert started.wait(10) == 0  # the watch goes on behind it
        yield
    finally:
        os.killpg(started.pid, signal.SIGTERM)


async def test_a_new_certificate_is_taken_up_without_a_restart(
    make_door: type[Door], server_folder: Path, tmp_path: Path, nginx: str
) -> None:
    files = make_certificate(server_folder, "renewed")
    door = make_door(TLS_MODE="own", **NAMES, **files)
    await door.open()
    before = await shown(door)

    with watching(door, nginx, tmp_path, files):
        await asyncio.sleep(0.3)
        make_certificate(server_folder, "renewed")
        deadline = time.monotonic() + 10
        while (after := await shown(door)) == before:
            assert time.monotonic() < deadline, door.said()
            await asyncio.sleep(0.1)

    assert after == content(files["TLS_CERTIFICATE"])


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"TLS_MODE": "on"}, "nginx: TLS_MODE is off, own or acme, not 'on'"),
        ({"TLS_MODE": "acme"}, "nginx: TLS_MODE=acme needs SERVER_NAME, the domain of the certificate"),
        ({"TELEGRAM_ALLOW_LIST": "yes"}, "nginx: TELEGRAM_ALLOW_LIST is on or off, not 'yes'"),
        ({"TRUSTED_PROXIES": "10.0.0.1; deny all"}, "nginx: TRUSTED_PROXIES holds addresses and networks, not '10.0.0.1;'"),
        ({"TRUSTED_PROXIES": "0.0.0.0/0"}, "nginx: TRUSTED_PROXIES=0.0.0.0/0 would believe everybody"),
    ],
)
def test_a_wrong_setting_ends_the_start_with_one_line(nginx: str, tmp_path: Path, settings: dict[str, str], line: str) -> None:
    with pytest.raises(RefusedSettingsError) as refused:
        render(nginx, tmp_path, settings)

    assert str(refused.value) == line


def test_a_certificate_that_is_missing_is_named(nginx: str, tmp_path: Path) -> None:
    with pytest.raises(RefusedSettingsError, match=r"^nginx: TLS_MODE=own needs /etc/nginx/tls/fullchain.pem, readable for user \d+$"):
        render(nginx, tmp_path, {"TLS_MODE": "own", **NAMES})
