"""From manifest files to the plan of a run that happens here: what ``run``, ``preview`` and ``test`` have in common."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import click

from syncsource.cli.main import Unusable
from syncsource.cli.manifests import Document, find_secrets, load, sync_sources, variable
from syncsource.engine.plan import RunPlan
from syncsource.resource.syncsource import parse
from syncsource.resource.validation import admitted, problems
from syncsource.sources.files import Files

FILE_OPTIONS = ("name", "env_file", "allow_link_local", "identity")
"""Those of :func:`from_files` that mean nothing without -f."""

_LINK_LOCAL, _IDENTITY = f"{__name__}.link_local", f"{__name__}.identity"


def from_files(command: Callable[..., Any], *, required: bool = True) -> Callable[..., Any]:
    """Options that say which SyncSource of which files a command means: ``files``, ``name``, ``env_file``.

    ``required`` False: without -f the command asks a control plane; see :data:`FILE_OPTIONS`.
    """
    options = (
        click.option(
            "-f",
            "--filename",
            "files",
            multiple=True,
            required=required,
            type=click.Path(),
            help="Files with the SyncSource and its Secrets; - is standard input.",
        ),
        click.option("--name", shell_complete=names_in_files, help="Which SyncSource, where the files have several."),
        click.option(
            "--env-file",
            type=click.Path(),
            help="File with lines NAME=value for Secrets that no file has: Secret db, key url is DB_URL.",
        ),
        click.option(
            "--allow-link-local",
            is_flag=True,
            expose_value=False,
            callback=lambda context, _, value: context.meta.__setitem__(_LINK_LOCAL, value),
            help="Ask hosts at link-local and cloud metadata addresses, too.",
        ),
        click.option(
            "--identity",
            metavar="ID",
            expose_value=False,
            callback=lambda context, _, value: context.meta.__setitem__(_IDENTITY, value),
            help="Whose cursors, runs, conflicts and rows are meant. Absent: local/NAME. An operator's: CLUSTER/NAMESPACE/NAME, where CLUSTER is the "
            "uid of the namespace kube-system.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def names_in_files(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """How a name may go on, for shells: SyncSources of the files on the command line, none where they can't be read."""
    try:
        found = sync_sources(load(file for file in context.params.get("files") or () if file != "-"))
    except click.ClickException:
        return []
    return [document.name for document in found if document.name.startswith(incomplete)]


def plan_of(files: tuple[str, ...], name: str | None, env_file: str | None, *, full: bool = False, incomplete: bool = False) -> RunPlan:
    """The plan of one run. Exits with 2 where a file, the manifest or, unless ``incomplete`` is allowed, a Secret can't be used."""
    documents = load(files)
    document = _chosen(documents, name)
    wrong = problems(document.manifest)
    if wrong:
        raise Unusable(f"{document.place} is not valid:\n" + "\n".join(f"  {problem}" for problem in wrong))
    manifest = admitted(document.manifest)
    source = parse(manifest)
    values = find_secrets(documents, source.spec.secret_keys, env_file)
    missing = [(secret, key) for secret, key in source.spec.secret_keys if key not in values.get(secret, {})]
    if missing and not incomplete:
        lines = "\n".join(f"  {missing_secret(secret, key)}" for secret, key in missing)
        raise Unusable(f"{source.name} needs Secrets that were not given:\n{lines}")
    meta = click.get_current_context().meta
    return RunPlan(
        run=secrets.token_hex(6),
        identity=meta.get(_IDENTITY) or f"local/{source.name}",
        trigger="Request",
        full=full,
        spec=manifest["spec"],
        secrets=values,
        files=Files(folder=str(document.folder.resolve()), anywhere=True),
        link_local=meta.get(_LINK_LOCAL, False),
    )


def missing_secret(secret: str, key: str) -> str:
    """What to do about a Secret that no file and no variable gives."""
    return f"Secret {secret}, key {key}: add it to the files, or set {variable(secret, key)}"


def _chosen(documents: list[Document], name: str | None) -> Document:
    found = [document for document in sync_sources(documents) if name in (None, document.name)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(document.name for document in sync_sources(documents))
    if not found:
        raise Unusable(f"no SyncSource {f'named {name} ' if name else ''}in the files" + (f"; there are: {names}" if names else ""))
    raise Unusable(f"the files have several SyncSources ({names}): choose one with --name")
