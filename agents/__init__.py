"""The supervisor and its specialists: a message comes in, a checked decision with evidence goes out. Reading, drafting
and acting on the hub happen through tools/; nothing here touches the graph, the index or the engine directly."""

import os
import warnings

# A checkpoint may only bring back plain data and messages; without this, loading one may import and run what it names.
# LangGraph reads the variable once, at import, so it is set before anything here can import it.
os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")

# Specialists run inside a checkpointed graph without checkpoints of their own; LangGraph warns of that at every turn.
warnings.filterwarnings("ignore", message="`durability` has no effect when no checkpointer is present")
