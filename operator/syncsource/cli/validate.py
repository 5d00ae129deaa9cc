"""``syncsource validate``."""

from __future__ import annotations

import click

from syncsource.cli.manifests import Document, checkable, load
from syncsource.cli.output import emit, output_option
from syncsource.resource.problem import Problem
from syncsource.resource.validation import problems


@click.command()
@click.option(
    "-f",
    "--filename",
    "files",
    multiple=True,
    required=True,
    type=click.Path(),
    help="Manifest file or folder; - is standard input. Repeatable.",
)
@output_option
def validate(files: tuple[str, ...], output: str) -> None:
    """Check manifests against the schema and every rule, offline.

    Exits with 0 where all are valid, 1 where one is not, 2 where a file can't be read.
    """
    documents = load(files)
    found = [(document, problems(document.manifest)) for document in checkable(documents)]
    result = [_told(document, wrong) for document, wrong in found]
    emit(result, output, lambda: _table(found, len(documents)))
    raise SystemExit(1 if any(wrong for _, wrong in found) or not documents else 0)


def _told(document: Document, wrong: list[Problem]) -> dict[str, object]:
    return {
        "file": document.place,
        "name": document.name,
        "valid": not wrong,
        "problems": [{"field": problem.field, "message": problem.message} for problem in wrong],
    }


def _called(document: Document) -> str:
    """Its name, or what its name will begin with."""
    metadata = document.manifest.get("metadata") if isinstance(document.manifest, dict) else None
    return document.name or f"{metadata.get('generateName', '') if isinstance(metadata, dict) else ''}…"


def _table(found: list[tuple[Document, list[Problem]]], documents: int) -> str:
    lines = []
    for document, wrong in found:
        lines.append(
            f"{document.place}: {document.kind} {_called(document)}: "
            + (f"{len(wrong)} problem{'s' * (len(wrong) > 1)}" if wrong else "valid")
        )
        lines += [f"  {problem}" for problem in wrong]
    others = documents - len(found)
    if others or not found:
        lines.append(f"{others} document{'s' * (others != 1)} of other kinds not checked" if documents else "no documents")
    return "\n".join(lines)
