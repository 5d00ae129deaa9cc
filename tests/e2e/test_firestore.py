"""A Firestore collection by a manifest alone: ``syncsource run`` with a service account's key."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from tests.e2e.cluster import secret
from tests.e2e.databases import sqlite_file
from tests.e2e.product import run
from tests.firestore.server import PROJECT, Account, firestore

SPEC = """
  source:
    firestore:
      project: %s
      collection: stores/7/orders
      endpoint: %s
      auth: {serviceAccount: {secretRef: {name: google}}}
      where: [{field: status, op: In, values: [open, paid]}]
  incremental: {cursor: meta.updatedAt}
  fields:
  - {name: id, path: __id__, type: text}
  - {name: store, path: "__ids__[0]", type: text}
  - {name: total, path: amount.total, type: "decimal(12,2)"}
  - {name: updated_at, path: meta.updatedAt, type: timestamp}
  keys: [{fields: [id]}]
  destination: {sql: {urlFrom: {secretKeyRef: {name: db, key: url}}, table: orders, createTable: true}}
"""


def test_a_manifest_and_a_key_file_are_all_it_takes(tmp_path: Path) -> None:
    moment, account = datetime(2026, 3, 1, tzinfo=UTC), Account()
    with firestore(account) as server, sqlite_file(tmp_path / "rows.db") as rows:
        for number in range(20):
            meta = {"updatedAt": moment + timedelta(seconds=number)}
            status = "open" if number % 2 else "draft"
            server.put(f"stores/7/orders/{number:02d}", {"amount": {"total": number + 0.5}, "meta": meta, "status": status, "note": "x"})
        head = {"apiVersion": "syncsource.dev/v1alpha1", "kind": "SyncSource", "metadata": {"name": "orders", "namespace": "shop"}}
        spec = yaml.safe_load(SPEC % (PROJECT, server.url))
        file = tmp_path / "orders.yaml"
        secrets = [secret("db", url=rows.url), secret("google", **{"serviceAccount.json": account.file()})]
        file.write_text(yaml.safe_dump_all([head | {"spec": spec}, *secrets]))
        done = [run("run", "-f", str(file), *more) for more in (("-o", "json"), ())]
        assert [one.returncode for one in done] == [0, 0], done[0].stderr
        first = json.loads(done[0].stdout)
        assert (first["counts"]["inserted"], first["document_reads"]) == (10, 10)
        assert "1 read, 0 inserted, 0 updated, 1 unchanged, 1 billed document reads" in done[1].stdout
        assert len(server.queries) == 2
        assert rows.sql("SELECT id, store, total FROM orders ORDER BY id LIMIT 2") == [("01", "7", "1.50"), ("03", "7", "3.50")]
        told = "".join(one.stdout + one.stderr for one in done)
        assert not any(text in told for text in (account.pem, account.pem.splitlines()[1], *server.tokens))
