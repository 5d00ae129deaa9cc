"""``syncsource crds``."""

import click

from syncsource.resource.generating import crd_json, crd_yaml


@click.command()
@click.option("-o", "--output", type=click.Choice(["yaml", "json"]), default="yaml", show_default=True, help="Output format.")
def crds(output: str) -> None:
    """Print the CustomResourceDefinitions: syncsource crds | kubectl apply -f -"""
    click.echo(crd_json() if output == "json" else crd_yaml(), nl=False)
