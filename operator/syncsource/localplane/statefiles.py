"""The state folder: private files, the token, the lock that keeps a second server out, and the kubeconfig."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
from pathlib import Path
from typing import IO

CONTEXT = "syncsource"


class AlreadyRunning(RuntimeError):
    """Another process serves from this folder."""


def open_folder(folder: Path) -> None:
    """Make the folder, readable by its owner alone."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)


def write_private(path: Path, content: bytes) -> None:
    """Replace the file at once or not at all; it is never readable by others."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def take_lock(folder: Path) -> IO[bytes]:
    """Hold the folder until the file is closed; raises AlreadyRunning."""
    file = os.fdopen(os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600), "r+b")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as held:
        file.close()
        raise AlreadyRunning(f"another control plane is already running in {folder}") from held
    return file


def ensure_token(folder: Path) -> str:
    """The bearer token, made at the first start."""
    path = folder / "token"
    if not path.exists():
        write_private(path, secrets.token_urlsafe(32).encode())
    return path.read_text(encoding="ascii").strip()


def last_port(folder: Path) -> int:
    """The port of the last run, 0 for none."""
    path = folder / "port"
    text = path.read_text(encoding="ascii").strip() if path.exists() else ""
    return int(text) if text.isdigit() else 0


def remember_port(folder: Path, port: int) -> None:
    write_private(folder / "port", str(port).encode())


def write_kubeconfig(path: Path, url: str, authority: bytes, token: str) -> None:
    """A kubeconfig with everything embedded, its one context current. JSON is YAML."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": CONTEXT,
        "clusters": [{"name": CONTEXT, "cluster": {"server": url, "certificate-authority-data": base64.b64encode(authority).decode()}}],
        "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT, "namespace": "default"}}],
        "users": [{"name": CONTEXT, "user": {"token": token}}],
    }
    write_private(path, json.dumps(config, indent=2).encode() + b"\n")
