"""A small FastAPI application that says who answered: `daemun demo` runs three of it.

`/client-info` is the handler of tests/seed/client_info.py, word for word.
"""

import asyncio
import os
from collections.abc import AsyncIterator

from fastapi import FastAPI, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse

INSTANCE = os.environ.get("DEMO_INSTANCE", "1")

app = FastAPI(title=f"Daemun demo, instance {INSTANCE}")


@app.get("/")
def who() -> dict[str, str]:
    """Say which instance this is."""
    return {"instance": INSTANCE, "hello": "from a FastAPI application behind Daemun"}


# fmt: off
@app.get("/client-info")
def get_client_info(request: Request):
    client_ip = request.headers.get('X-Real-IP')
    protocol = request.headers.get('X-Forwarded-Proto')
    return {"ip": client_ip, "protocol": protocol}
# fmt: on


@app.websocket("/ws")
async def echo(socket: WebSocket) -> None:
    """Send back every message."""
    await socket.accept()
    try:
        while True:
            await socket.send_text(f"instance {INSTANCE}: {await socket.receive_text()}")
    except WebSocketDisconnect:
        return


@app.get("/events")
async def events() -> StreamingResponse:
    """Tell the time every second, as server-sent events."""

    async def ticks() -> AsyncIterator[str]:
        number = 0
        while True:
            number += 1
            yield f"data: instance {INSTANCE}, event {number}\n\n"
            await asyncio.sleep(1)

    return StreamingResponse(ticks(), media_type="text/event-stream")
