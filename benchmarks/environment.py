"""A virtual environment of its own for the peers of a benchmark, never the product's."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Environment:
    """`place`: its folder; `pins`: the requirements file that says what is in it."""

    place: Path
    pins: Path

    @property
    def python(self) -> Path:
        return self.place / "bin" / "python"

    @property
    def ready(self) -> bool:
        mark = self.place / ".ready"
        return mark.is_file() and mark.read_text() == self._pinned()

    def set_up(self, quiet: bool = False) -> list[str]:
        """Make it. What cannot be installed is left out and named.

        Returns:
            What could not be installed, each with pip's last words.
        """
        if not self.python.exists():
            subprocess.run([sys.executable, "-m", "venv", str(self.place)], check=True)
        pip = [str(self.python), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
        failed = []
        if subprocess.run([*pip, "-r", str(self.pins)], check=False, capture_output=quiet).returncode:
            for line in self.pins.read_text(encoding="utf-8").splitlines():
                if (pin := line.partition("#")[0].strip()) and (done := _install(pip, pin)):
                    failed.append(f"{pin}: {done}")
        (self.place / ".ready").write_text(self._pinned())
        return failed

    def _pinned(self) -> str:
        return hashlib.sha256(self.pins.read_bytes()).hexdigest()


def _install(pip: list[str], pin: str) -> str:
    done = subprocess.run([*pip, pin], check=False, capture_output=True, text=True)
    return (done.stderr.strip().splitlines() or ["failed"])[-1] if done.returncode else ""
