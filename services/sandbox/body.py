"""Reads the parameters of a call from query, form, multipart or JSON."""

from typing import Any
from urllib.parse import parse_qsl

import orjson
from aiohttp import BodyPartReader, web

from services.sandbox.errors import ApiError, bad_request
from services.sandbox.params import Params, Upload

LARGEST_BODY = 60 * 1024 * 1024


async def read_params(request: web.Request) -> Params:
    values: dict[str, Any] = dict(request.query)
    if not request.can_read_body:
        return Params(values)
    kind = request.content_type
    try:
        if kind == "application/json":
            values.update(_object(await request.read()))
        elif kind == "multipart/form-data":
            return await _multipart(request, values)
        elif kind == "application/x-www-form-urlencoded":
            values.update(parse_qsl((await request.read()).decode(), keep_blank_values=True, errors="strict"))
    except UnicodeDecodeError as error:
        raise bad_request("strings must be encoded in UTF-8") from error
    except web.HTTPRequestEntityTooLarge as error:
        raise ApiError(413, "Request Entity Too Large") from error
    return Params(values)


def _object(raw: bytes) -> dict[str, Any]:
    try:
        read = orjson.loads(raw) if raw.strip() else {}
    except orjson.JSONDecodeError as error:
        raise bad_request("can't parse request body JSON object") from error
    if not isinstance(read, dict):
        raise bad_request("request body must be a JSON object")
    return {name: value for name, value in read.items() if value is not None}


async def _multipart(request: web.Request, values: dict[str, Any]) -> Params:
    params, size = Params(values), 0
    reader = await request.multipart()
    while (part := await reader.next()) is not None:
        if not isinstance(part, BodyPartReader) or not part.name:
            continue
        data = bytes(await part.read(decode=True))
        size += len(data)
        if size > LARGEST_BODY:
            raise ApiError(413, "Request Entity Too Large")
        if part.filename is None:
            params.values[part.name] = data.decode()
        else:
            params.files[part.name] = Upload(
                data, part.filename.encode("utf-8", "replace").decode(), part.headers.get("Content-Type", "application/octet-stream")
            )
    return params
