"""A server that speaks Bolt and Cypher, in a process of its own: `python -m tests.boltserver FOLDER` prints its port
and serves until its standard input ends. It is ArcadeDB, or with `ZHONGSHU_TESTS_NEO4J` (a folder of jars:
tests/neo4j/pom.xml) Neo4j."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DATABASE = "graph"
AUTH = ("root", "only-for-tests")


@contextmanager
def bolt_server(folder: Path) -> Iterator[str]:
    """Its address; it is gone at the end of the block."""
    root = str(Path(__file__).parent.parent)
    command = [sys.executable, "-m", "tests.boltserver", str(folder)]
    if jars := os.environ.get("ZHONGSHU_TESTS_NEO4J"):
        jvm = ["-Xmx768m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", f"{Path(jars).resolve()}/*"]
        command = ["java", *jvm, f"{root}/tests/neo4j/Serve.java", str(folder), DATABASE]
    server = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": root},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=(folder / "stderr.txt").open("wb"),
        text=True,
    )
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        port = next((line.split()[1] for line in server.stdout if line.startswith("port ")), None)
        assert port is not None, (folder / "stderr.txt").read_text()
        yield f"bolt://127.0.0.1:{port}"
    finally:
        server.stdin.close()
        server.stdout.close()
        server.wait(30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _serve(folder: str) -> None:
    import arcadedb_embedded

    port = _free_port()
    config = {
        "server_plugins": "Bolt:com.arcadedb.bolt.BoltProtocolPlugin",
        "bolt_port": port,
        "http_port": _free_port(),
        "host": "127.0.0.1",
    }
    jvm = {"heap_size": "512m", "jvm_args": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}
    server = arcadedb_embedded.ArcadeDBServer(folder, AUTH[1], config, jvm)
    server.start()
    server.create_database(DATABASE)
    sys.stdout.write(f"port {port}\n")
    sys.stdout.flush()
    sys.stdin.read()
    os._exit(0)  # the store is thrown away: nothing needs a tidy end


if __name__ == "__main__":
    _serve(sys.argv[1])
