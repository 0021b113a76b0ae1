"""One of the two applications behind the gate: says which one it is and what it was asked.

APP=api uvicorn app:app --port 8001
APP=auth uvicorn app:app --port 8002
"""

import os

from fastapi import FastAPI, Request

app = FastAPI()


@app.get("/{path:path}")
def answer(path: str, request: Request) -> dict[str, str | None]:
    """Say who answers, for which path, and which client is seen."""
    return {
        "app": os.environ.get("APP", ""),
        "path": f"/{path}",
        "client": request.client.host if request.client else None,
    }
