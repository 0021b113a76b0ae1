"""Source texts of FastAPI applications for `uvicorn.Uvicorn`."""

ECHO = """
import os
from fastapi import FastAPI, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse
import asyncio

app = FastAPI()
seen = []

@app.api_route("/who", methods=["GET", "POST"])
async def who(request: Request):
    return {"name": os.environ.get("NAME", ""), "client": list(request.client or ()), "scheme": request.url.scheme,
            "url": str(request.url), "headers": [[k, v] for k, v in request.headers.items()],
            "body": (await request.body()).decode()}

@app.api_route("/count/{key}", methods=["GET", "POST"])
async def count(key: str):
    seen.append(key)
    return {"times": seen.count(key)}

@app.get("/counts")
async def counts():
    return {"requests": len(seen), "distinct": len(set(seen))}

@app.get("/events")
async def events():
    async def stream():
        for number in range(5):
            yield f"data: {number}\\n\\n"
            await asyncio.sleep(0)
    return StreamingResponse(stream(), media_type="text/event-stream")

@app.websocket("/ws")
async def ws(socket: WebSocket):
    await socket.accept(subprotocol=(socket.scope["subprotocols"] or [None])[0])
    await socket.send_json({"client": list(socket.client or ()), "scheme": socket.url.scheme})
    try:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            if message.get("bytes") is not None:
                await socket.send_bytes(message["bytes"])
            else:
                await socket.send_text(message["text"][::-1])
    except WebSocketDisconnect:
        pass
"""

# Says its name, and appends each order that it executes to a file.
ORDERS = """
import asyncio
import os

import fastapi

app = fastapi.FastAPI()
name = os.environ["NAME"]
record = os.open(os.environ["RECORD"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)


@app.get("/")
async def get() -> str:
    return name


@app.get("/slow")
async def slow() -> str:
    await asyncio.sleep(0.05)
    return name


@app.post("/orders/{number}")
async def order(number: int, request: fastapi.Request) -> str:
    await request.body()
    os.write(record, f"{number}\\n".encode())
    return name
"""
