"""Resource versions."""

from __future__ import annotations


def older(version: str, *, than: str) -> bool:
    """Whether the version is known to be older. Versions are numbers that grow (Kubernetes 1.35 promises it); others can't be told apart."""
    return version.isdecimal() and than.isdecimal() and int(version) < int(than)
