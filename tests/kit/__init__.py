"""The kit of the feature tests: an engine by path, a raw client, scriptable origins, real uvicorns, Plans.

Flow of a test: `plans` makes a Plan, `engine` runs it, `wire` speaks to it as a client, `origin` or `uvicorn`
answers behind it, `control` asks the engine about itself. Nothing here sleeps: `waiting.until` waits for facts.
"""
