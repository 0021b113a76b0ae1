"""What the compose files of this directory serve: says who answers, streams, and talks over a WebSocket."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator

from fastapi import FastAPI, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse

app = FastAPI()
NAME = os.environ.get("NAME") or socket.gethostname()


@app.get("/")
async def index(request: Request) -> dict[str, str | None]:
    """Which instance answers whom."""
    return {"instance": NAME, "client": request.client.host if request.client else None, "scheme": request.url.scheme}


@app.get("/clock")
async def clock() -> StreamingResponse:
    """Server-sent events, one a second."""

    async def ticks() -> AsyncIterator[str]:
        for number in range(10):
            yield f"data: {number} from {NAME}\n\n"
            await asyncio.sleep(1)

    return StreamingResponse(ticks(), media_type="text/event-stream")


@app.websocket("/ws")
async def echo(websocket: WebSocket) -> None:
    """Gives every message back."""
    await websocket.accept()
    try:
        while True:
            await websocket.send_text(f"{NAME}: {await websocket.receive_text()}")
    except WebSocketDisconnect:
        pass
