"""The store by itself: the past it keeps, what it forgets, and the file it leaves."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from syncsource.localplane.storage.changes import Key
from syncsource.localplane.storage.encoding import decode, encode
from syncsource.localplane.storage.history import Limits
from syncsource.localplane.storage.schema import SCHEMA_VERSION, UnusableStore
from syncsource.localplane.storage.snapshot import Snapshot
from syncsource.localplane.storage.store import Store, WriteFailed

OLD_SCHEMA = """
CREATE TABLE objects (
  resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, uid TEXT NOT NULL, version INTEGER NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (resource, namespace, name)) WITHOUT ROWID;
CREATE INDEX objects_uid ON objects (uid);
CREATE TABLE owners (
  owner TEXT NOT NULL, resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
  PRIMARY KEY (owner, resource, namespace, name)) WITHOUT ROWID;
CREATE INDEX owners_object ON owners (resource, namespace, name);
CREATE TABLE counter (only INTEGER PRIMARY KEY CHECK (only = 1), version INTEGER NOT NULL);
INSERT INTO counter VALUES (1, 7);
INSERT INTO objects VALUES ('things', 'n', 'a', 'u-a', 5, CAST('{"metadata":{"resourceVersion":"5"}}' AS BLOB)), ('things', 'n', 'b', 'u-b', 7, CAST('{}' AS BLOB));
INSERT INTO owners VALUES ('u-a', 'things', 'n', 'b');
"""


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "objects.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with closing(Store(path)) as store:
        yield store


def thing(name: str) -> Key:
    return Key("things", "n", name)


def put(store: Store, name: str, filling: str = "") -> int:
    with store.transaction():
        version = store.next_version()
        body = encode({"filling": filling, "metadata": {"name": name, "resourceVersion": str(version)}})
        store.put(thing(name), version, body, f"uid-{name}", [])
    return version


def remove(store: Store, name: str) -> int:
    with store.transaction():
        version = store.next_version()
        store.remove(thing(name), version)
    return version


def at(store: Store, version: int) -> dict[str, bytes]:
    return {stored.key.name: stored.body for stored in Snapshot(store, "things", "", version).objects(("", ""))}


def test_every_version_of_the_past_can_be_listed(store: Store) -> None:
    rng, states = random.Random(4), {store.version: at(store, store.version)}
    for _ in range(200):
        name = rng.choice("abcdefgh")
        known = store.get(thing(name)) is not None
        version = remove(store, name) if known and rng.random() < 0.4 else put(store, name)
        states[version] = at(store, version)
    for version, state in states.items():
        assert at(store, version) == state
        snapshot = Snapshot(store, "things", "n", version)
        assert snapshot.count(("", "")) == len(state)
        assert [stored.key.name for stored in snapshot.objects(("n", "c"))] == sorted(name for name in state if name > "c")
        assert {name for name in "abcdefgh" if list(snapshot.one(("n", name)))} == set(state)


def test_changes_replay_to_the_state_from_any_version(store: Store) -> None:
    rng = random.Random(5)
    for _ in range(120):
        name = rng.choice("abc")
        remove(store, name) if store.get(thing(name)) is not None and rng.random() < 0.3 else put(store, name)
    for version in range(store.history.compacted, store.version):
        state = at(store, version)
        for change in store.history.since("things", version):
            assert change.previous == state.get(change.key.name, b"")
            assert decode(change.body)["metadata"]["resourceVersion"] == str(change.version)
            if change.type == "DELETED":
                del state[change.key.name]
            else:
                assert change.type == ("MODIFIED" if change.key.name in state else "ADDED")
                state[change.key.name] = change.body
        assert state == at(store, store.version)


def test_the_past_is_there_after_a_restart(path: Path) -> None:
    with closing(Store(path)) as store:
        first = put(store, "a")
        put(store, "a", "more")
        remove(store, "a")
        expected = store.history.since("things", first)
    with closing(Store(path)) as store:
        assert store.history.since("things", first) == expected
        assert [change.type for change in expected] == ["MODIFIED", "DELETED"]
        assert store.history.count == 3


@pytest.mark.parametrize("limits", [Limits(count=10), Limits(size=5_000)])
def test_too_much_is_forgotten_with_the_writes(path: Path, limits: Limits) -> None:
    with closing(Store(path, limits)) as store:
        for _ in range(100):
            put(store, "a", "x" * 450)
        history = store.history
        assert history.count <= 10
        assert len(history.since("things", history.compacted)) == history.count
        (bodies,) = store._database.execute("SELECT count(*) FROM bodies").fetchone()
        assert bodies == history.count + 1
        assert history.size == sum(len(change.previous) for change in history.since("things", history.compacted))


def test_what_is_too_old_is_forgotten_in_steps(path: Path) -> None:
    clock = Clock()
    with closing(Store(path, Limits(seconds=300), clock)) as store:
        for _ in range(50):
            put(store, "a")
        clock.now += 200
        kept = put(store, "b")
        assert store.history.count == 51
        clock.now += 200
        assert store.tidy(20) is True
        while store.tidy(20):
            pass
        assert [change.version for change in store.history.since("things", store.history.compacted)] == [kept]
        assert store.history.compacted == kept - 1
        assert set(at(store, kept)) == {"a", "b"}


def test_many_updates_of_one_object_leave_a_small_file(path: Path) -> None:
    """50,000 updates of 1 kB, of which the last 1,000 are kept."""
    with closing(Store(path, Limits(count=1_000))) as store:
        for _ in range(500):
            with store.transaction():
                for _ in range(100):
                    put(store, "a", "x" * 1_000)
        assert store.version == 50_001
    assert path.stat().st_size < 4 * 2**20


def test_free_pages_are_given_back(path: Path) -> None:
    clock = Clock()
    with closing(Store(path, Limits(seconds=10), clock)) as store:
        with store.transaction():
            for number in range(5_000):
                put(store, f"a{number % 10}", "x" * 2_000)
        clock.now += 60
        while store.tidy():
            pass
        (pages,) = store._database.execute("PRAGMA page_count").fetchone()
    assert pages < 2_000


def test_a_refused_write_leaves_no_trace(store: Store) -> None:
    def refused() -> None:
        with store.transaction():
            put(store, "a", "lost")
            remove(store, "a")
            raise ZeroDivisionError

    before = put(store, "a")
    with pytest.raises(ZeroDivisionError):
        refused()
    assert (store.version, store.history.count) == (before, 1)
    assert put(store, "b") == before + 1
    assert [change.key.name for change in store.history.since("things", before)] == ["b"]


def test_a_full_disk_refuses_and_recovers(store: Store) -> None:
    before = put(store, "a")
    (pages,) = store._database.execute("PRAGMA page_count").fetchone()
    store._database.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(WriteFailed, match=r"cannot write to objects\.db: database or disk is full"):
        put(store, "a", "x" * 100_000)
    assert (store.version, set(at(store, before))) == (before, {"a"})
    store._database.execute("PRAGMA max_page_count=100000")
    assert put(store, "a", "x" * 100_000) == before + 1


def test_an_older_file_is_brought_forward(path: Path) -> None:
    with closing(sqlite3.connect(path)) as old:
        old.executescript(OLD_SCHEMA)
    for _ in range(2):
        with closing(Store(path)) as store:
            assert (store.version, store.history.compacted, store.history.count) == (7, 7, 0)
            assert [(stored.key.name, stored.version) for stored in store.objects("things")] == [("a", 5), ("b", 7)]
            assert store.get(thing("a")) == b'{"metadata":{"resourceVersion":"5"}}'
            assert store.dependents("u-a") == [thing("b")]
            assert store._database.execute("PRAGMA auto_vacuum").fetchone() == (2,)


def test_a_newer_file_is_refused(path: Path) -> None:
    Store(path).close()
    with closing(sqlite3.connect(path)) as newer:
        newer.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    with pytest.raises(UnusableStore, match=rf"{path} has schema version {SCHEMA_VERSION + 1}.*newer one"):
        Store(path)


def _garbage(path: Path) -> None:
    path.write_bytes(b"this is not a database" * 1_000)


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _scribbled(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 3 :: 97] = b"\x07" * len(content[len(content) // 3 :: 97])
    path.write_bytes(content)


def _emptied(path: Path) -> None:
    path.with_name(f"{path.name}-wal").write_bytes(path.read_bytes())
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [_garbage, _truncated, _scribbled, _emptied])
def test_a_damaged_file_is_refused_with_the_way_out(path: Path, damage) -> None:
    with closing(Store(path)) as store:
        for number in range(300):
            put(store, f"a{number}", "x" * 500)
    damage(path)
    with pytest.raises(UnusableStore) as refused:
        Store(path)
    assert str(path) in str(refused.value)
    assert "move objects.db* away" in str(refused.value)


def test_a_folder_in_the_way_is_told(path: Path) -> None:
    path.mkdir()
    with pytest.raises(UnusableStore, match=rf"cannot open {path}: .*check that it and its folder are writable"):
        Store(path)
