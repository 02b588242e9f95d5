"""`POST /llm/v1/embeddings`: words and their parts hashed into a vector, so that texts that share words lie close together."""

import base64
import math
import re
import struct
import zlib
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from services.sandbox.model.wire import WireError, check_key, count_tokens, error_response, json_response, read_model, read_object

DEFAULT_DIMENSIONS = 256
_MOST_DIMENSIONS = 4_096
_MOST_INPUTS = 2_048
_WORD = re.compile(r"\w+")


async def embed(request: web.Request) -> web.Response:
    try:
        check_key(request)
        body = await read_object(request)
        model, texts, dimensions = read_model(body), _inputs(body), _dimensions(body)
    except WireError as error:
        return error_response(error)
    packed = body.get("encoding_format") == "base64"
    vectors = [vector(text, dimensions) for text in texts]
    data = [{"object": "embedding", "index": index, "embedding": _packed(one) if packed else one} for index, one in enumerate(vectors)]
    spent = sum(map(count_tokens, texts))
    return json_response({"object": "list", "data": data, "model": model, "usage": {"prompt_tokens": spent, "total_tokens": spent}})


def vector(text: str, dimensions: int = DEFAULT_DIMENSIONS) -> list[float]:
    """Of length one. Whole words weigh most; their beginnings let inflected forms meet."""
    found = [0.0] * dimensions
    for word in _WORD.findall(text.lower()) or [text]:
        _add(found, word, 1.0)
        if len(word) > 4:
            _add(found, word[:4], 0.5)
    length = math.sqrt(sum(value * value for value in found))
    return [value / length for value in found] if length else [1.0, *found[1:]]


def _add(found: list[float], feature: str, weight: float) -> None:
    digest = zlib.crc32(feature.encode("utf-8", "replace"))
    found[digest % len(found)] += weight if digest & 0x80000000 else -weight


def _packed(values: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()


def _inputs(body: Mapping[str, Any]) -> list[str]:
    given = body.get("input")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not 1 <= len(texts) <= _MOST_INPUTS or not all(isinstance(text, str) and text for text in texts):
        raise WireError(f"'input' must be a non-empty string or an array of up to {_MOST_INPUTS} non-empty strings.", param="input")
    return texts


def _dimensions(body: Mapping[str, Any]) -> int:
    wanted = body.get("dimensions", DEFAULT_DIMENSIONS)
    if isinstance(wanted, bool) or not isinstance(wanted, int) or not 1 <= wanted <= _MOST_DIMENSIONS:
        raise WireError(f"Invalid 'dimensions': expected an integer from 1 to {_MOST_DIMENSIONS}.", param="dimensions")
    return wanted
