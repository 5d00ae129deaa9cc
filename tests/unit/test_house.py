"""The house rules: layers, and what may not lie where."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_layers_import_downward_only() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_control_plane_imports_nothing_of_ours() -> None:
    own = (ROOT / "operator" / "syncsource" / "localplane").rglob("*.py")
    foreign = [
        f"{path.name}: {line}"
        for path in own
        for line in path.read_text().splitlines()
        if line.lstrip().startswith(("from syncsource", "import syncsource")) and "syncsource.localplane" not in line
    ]
    assert foreign == []


def test_shelves_are_no_packages() -> None:
    assert not [path for path in ("operator/__init__.py", "tui/__init__.py", "tests/operator/__init__.py") if (ROOT / path).exists()]
