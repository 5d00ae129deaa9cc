"""Manifest files: read, split into documents, and told apart."""

from __future__ import annotations

import base64
import binascii
import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from syncsource.cli.main import Unusable
from syncsource.resource import api


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document, and where it stands."""

    place: str
    """``file.yaml`` or ``file.yaml#2``, for messages."""
    manifest: Any
    folder: Path = Path()
    """Where its file lies; the current folder for standard input."""

    @property
    def kind(self) -> str:
        """The document's kind; empty where it has none."""
        return str(self.manifest.get("kind", "")) if isinstance(self.manifest, dict) else ""

    @property
    def name(self) -> str:
        """metadata.name; empty where there is none."""
        metadata = self.manifest.get("metadata") if isinstance(self.manifest, dict) else None
        return str(metadata.get("name", "")) if isinstance(metadata, dict) else ""


def load(files: Iterable[str]) -> list[Document]:
    """Every document of the files; ``-`` is standard input, a folder stands for its YAML files. Exits with 2 on what can't be read."""
    return [document for file in files for path in _expand(file) for document in _documents(path)]


def sync_sources(documents: Iterable[Document]) -> list[Document]:
    """The documents that are SyncSources."""
    return [document for document in documents if document.kind == api.KIND]


def checkable(documents: Iterable[Document]) -> list[Document]:
    """The documents that are SyncSources or SyncRuns."""
    return [document for document in documents if document.kind in (api.KIND, api.RUN_KIND)]


def find_secrets(documents: Iterable[Document], needed: Iterable[tuple[str, str]], env_file: str | None) -> dict[str, dict[str, str]]:
    """The Secrets' values: from Secret documents, then ``env_file``, then the environment (Secret db, key url: DB_URL)."""
    found = {document.name: _decoded(document) for document in documents if document.kind == "Secret"}
    environment = {**os.environ, **(_env_file(env_file) if env_file else {})}
    for name, key in needed:
        value = environment.get(variable(name, key))
        if key not in found.get(name, {}) and value is not None:
            found.setdefault(name, {})[key] = value
    return found


def variable(secret: str, key: str) -> str:
    """The environment variable that can stand for a Secret's key."""
    return re.sub(r"[^A-Z0-9]", "_", f"{secret}_{key}".upper())


def _expand(file: str) -> list[str]:
    if file != "-" and Path(file).is_dir():
        return sorted(str(path) for path in Path(file).iterdir() if path.suffix in (".yaml", ".yml", ".json"))
    return [file]


def _documents(file: str) -> list[Document]:
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        manifests = [manifest for manifest in yaml.safe_load_all(text) if manifest is not None]
    except OSError as error:
        raise Unusable(f"{file}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise Unusable(f"{file}: not YAML: {' '.join(str(error).split())[:300]}") from None
    folder = Path() if file == "-" else Path(file).parent
    return [Document(file if len(manifests) == 1 else f"{file}#{number}", manifest, folder) for number, manifest in enumerate(manifests, 1)]


def _decoded(document: Document) -> dict[str, str]:
    coded, plain = (document.manifest.get(member) or {} for member in ("data", "stringData"))
    if not (isinstance(coded, Mapping) and isinstance(plain, Mapping)):
        raise Unusable(f"{document.place}: data and stringData of Secret {document.name} must be mappings of keys to texts")
    try:
        data = {key: base64.b64decode(value, validate=True).decode() for key, value in coded.items()}
    except (binascii.Error, ValueError, TypeError):
        raise Unusable(f"{document.place}: data of Secret {document.name} must be base64; plain text belongs in stringData") from None
    return {**data, **{key: str(value) for key, value in plain.items()}}


def _env_file(file: str) -> dict[str, str]:
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise Unusable(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Unusable(f"{file}: not UTF-8: write lines NAME=value") from None
    pairs = (
        line.removeprefix("export ").split("=", 1) for line in map(str.strip, lines) if line and not line.startswith("#") and "=" in line
    )
    return {name.strip(): _unquoted(value.strip()) for name, value in pairs}


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" else value
