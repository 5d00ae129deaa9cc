"""Which images can be run here, and by which command."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping

Images = Mapping[str, tuple[str, ...]]


def parse_images(given: Iterable[str]) -> Images:
    """`NAME=COMMAND`, the command in words as a shell reads them. Raises ValueError."""
    images = {}
    for text in given:
        name, separator, command = text.partition("=")
        if not separator or not name or not shlex.split(command):
            raise ValueError(f"{text!r} is not NAME=COMMAND")
        images[name] = tuple(shlex.split(command))
    return images


def name_of(image: str) -> str:
    """The last part of an image's repository: `tool` of `registry.example:5000/team/tool:v1@sha256:…`."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]
