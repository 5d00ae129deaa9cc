"""``syncsource crds``."""

import click

from syncsource.resource.crd import crd_yaml


@click.command()
def crds() -> None:
    """Print the CustomResourceDefinitions as YAML: syncsource crds | kubectl apply -f -"""
    click.echo(crd_yaml(), nl=False)
