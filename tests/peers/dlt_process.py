"""dlt, told by lines of JSON what to load, which it answers by lines of JSON. The first one says what is missing to begin at all."""

from __future__ import annotations

import json
import os
import sys
from typing import Any, TextIO


def main() -> None:
    """Until there are no more lines. Whatever dlt prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    try:
        import dlt  # noqa: F401
    except ImportError as error:
        _say(answers, missing=str(error))
        return
    _say(answers, missing="")
    for line in sys.stdin:
        _say(answers, error=_tried(json.loads(line)))


def _say(answers: TextIO, **answer: str) -> None:
    answers.write(json.dumps(answer) + "\n")


def _tried(request: dict[str, Any]) -> str:
    try:
        _load(**request)
    except Exception as error:  # whatever it is, the test tells it
        return f"{type(error).__name__}: {error}"
    return ""


def _load(url: str, dataset: str, folder: str, orders: list[dict[str, Any]], write: dict[str, Any]) -> None:
    import dlt

    pipeline = dlt.pipeline("orders", destination=_destination(url), dataset_name=dataset, pipelines_dir=folder)
    disposition: Any = {"disposition": "merge", **write}
    pipeline.run(dlt.resource(orders, name="orders", primary_key="id", write_disposition=disposition))


def _destination(url: str) -> Any:
    """dlt wants a user, a password and a host of PostgreSQL; a socket's folder in the query counts all the same."""
    import dlt

    if url.startswith("postgresql"):
        return dlt.destinations.postgres(url.replace("postgres:@/", "postgres:none@localhost:5432/"))
    return dlt.destinations.sqlalchemy(url.replace("mysql:", "mysql+pymysql:"))


if __name__ == "__main__":
    main()
