"""Executes a plan and tells what became of it: every error ends in an outcome with a reason, and no secret in it."""

from __future__ import annotations
