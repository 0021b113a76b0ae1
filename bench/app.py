"""The application of `scaling`: real uvicorn, a bare ASGI callable, one request at a time, 50 ms each.

It blocks its event loop on purpose: that is what a FastAPI application with a blocking `async def` does,
and what makes an instance a unit of capacity.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Any

SECONDS = 0.05
BODY = b"x" * 128

Message = dict[str, Any]


async def app(
    scope: Message, _receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """Works for 50 ms, then answers 128 bytes."""
    if scope["type"] != "http":
        return
    time.sleep(SECONDS)  # noqa: ASYNC251 - the work of one request
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(BODY)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": BODY})
