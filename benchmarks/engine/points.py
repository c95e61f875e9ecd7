"""One figure in a process of its own, so that no measurement stands in the memory of another.

Run: python -m benchmarks.engine.points '{"figure": "decision", "matcher": "python", "extent": {...}, ...}'
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.engine import figures
from benchmarks.engine.figures import Extent


def point(figure: str, matcher: str, extent: Extent, most: float, **more: Any) -> Any:
    """What the function of that name in figures.py found, as JSON holds it; None, with a word on standard error, when
    it failed or took longer than `most` seconds."""
    wanted = json.dumps({"figure": figure, "matcher": matcher, "extent": asdict(extent), **more})
    command = [sys.executable, "-m", __name__, wanted]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2], timeout=most, check=True)
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as cause:
        print(f"no figure: {cause}", file=sys.stderr, flush=True)
        return None
    print(f"{wanted} → {done.stdout.decode().strip()}", file=sys.stderr, flush=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    wanted = json.loads(sys.argv[1])
    measure = getattr(figures, wanted.pop("figure"))
    found = measure(wanted.pop("matcher"), Extent(**wanted.pop("extent")), **wanted)
    print(json.dumps(found._asdict() if hasattr(found, "_asdict") else found))


if __name__ == "__main__":
    main()
