"""The object store: whether a file can be put there, read again and deleted."""

import re
import secrets

from scripts.doctor.findings import Finding, Kind, fail, ok
from scripts.doctor.inside.patient import Patient, host_of
from shared.adapters.storage import MinioStore
from shared.application.ports import ObjectNotFoundError, StoreUnavailableError
from shared.domain.errors import InvalidInputError

KEYS = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "InvalidToken")
CONTENT = b"vitte doctor"


async def examined(patient: Patient) -> list[Finding]:
    settings = patient.settings
    if not settings.s3_endpoint:
        return []
    try:
        store = MinioStore(
            endpoint=settings.s3_endpoint,
            access_key=settings.s3_access_key.get_secret_value(),
            secret_key=settings.s3_secret_key.get_secret_value(),
            bucket=settings.s3_bucket,
            connect_timeout=1.5,
            read_timeout=2.5,
        )
    except (InvalidInputError, ValueError):
        return [fail("S3", "S3_ENDPOINT is no address of a store", f"write it as http://host:9000, without a path, then {patient.apply}")]
    try:
        return [await _probed(store, host_of(settings.s3_endpoint), settings.s3_bucket)]
    except StoreUnavailableError as error:
        return [_why(patient, str(error))]
    finally:
        await store.aclose()


async def _probed(store: MinioStore, where: str, bucket: str) -> Finding:
    key = f"doctor/{secrets.token_hex(8)}"
    await store.put(key, CONTENT, "text/plain")
    try:
        found = await store.get(key)
    except ObjectNotFoundError:
        found = b""
    finally:
        await store.delete(key)
    if found != CONTENT:
        return fail("S3", f"{where} does not give back what was put there", "look at the store's own log and disk")
    return ok("S3", f"{where} takes, gives back and deletes files in {bucket}")


def _why(patient: Patient, said: str) -> Finding:
    settings = patient.settings
    where = host_of(settings.s3_endpoint or "")
    if "NoSuchBucket" in said:
        make = "`docker compose run --rm bucket`" if patient.kind is Kind.COMPOSE else "`python scripts/make_bucket.py` with these settings"
        return fail("S3", f"the bucket {settings.s3_bucket} does not exist at {where}", f"correct S3_BUCKET, or make it: {make}")
    if code := next((code for code in KEYS if code in said), None):
        return fail("S3", f"{where} refuses the keys ({code})", f"correct S3_ACCESS_KEY and S3_SECRET_KEY, then {patient.apply}")
    if "MaxRetryError" in said or "Timeout" in said:
        return fail("S3", f"{where} does not answer (S3_ENDPOINT)", patient.start("s3"))
    code = re.sub(r"[^A-Za-z]", "", said.rpartition(":")[2])[:40]
    return fail("S3", f"{where} fails ({code})", f"its disk may be full: look at {patient.logs('s3')}")
