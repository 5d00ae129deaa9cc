"""A file is taken once, told by its content."""

from __future__ import annotations

import json

import pytest

from syncsource.sources import Slice
from syncsource.sources.base import PAUSE
from syncsource.sources.csvfiles import taken
from syncsource.sources.csvfiles.source import FileSource
from tests.unit.sources.csvfiles.conftest import Folder


def read(source: FileSource, state: str | None) -> tuple[list[str], str | None]:
    """The places of the pages, and what to remember."""
    return [page.place for page in source.pages(Slice(state=state)) if page is not PAUSE], source.state


def test_a_file_is_read_once_and_again_when_it_changed(folder: Folder) -> None:
    folder.put("a.csv", "No\n1\n")
    source = folder.source()
    assert read(source, None)[0] == ["a.csv"]
    first = source.state
    assert read(source, first) == ([], first)
    assert source.unchanged
    folder.put("a.csv", "No\n2\n")
    assert read(source, first)[0] == ["a.csv"]
    assert not source.unchanged


def test_content_that_comes_back_is_read_again(folder: Folder) -> None:
    source, state = folder.source(), None
    for content in ("No\n1\n", "No\n2\n", "No\n1\n"):
        folder.put("a.csv", content)
        places, state = read(source, state)
        assert places == ["a.csv"]


def test_of_several_files_only_the_new_are_read(folder: Folder) -> None:
    folder.put("a.csv", "No\n1\n")
    source = folder.source()
    _, state = read(source, None)
    folder.put("b.csv", "No\n2\n")
    places, state = read(source, state)
    assert places == ["b.csv"]
    assert read(source, state)[0] == []


def test_the_same_content_under_two_names_is_read_once(folder: Folder) -> None:
    folder.put("a.csv", "No\n1\n")
    folder.put("b.csv", "No\n1\n")
    source = folder.source()
    places, state = read(source, None)
    assert places == ["a.csv"]
    (folder.path / "a.csv").rename(folder.path / "c.csv")
    assert read(source, state)[0] == []


def test_a_whole_read_asks_for_no_memory(folder: Folder) -> None:
    folder.put("a.csv", "No\n1\n")
    source = folder.source()
    read(source, None)
    assert read(source, None)[0] == ["a.csv"]


def test_a_read_that_fails_is_not_remembered(folder: Folder) -> None:
    folder.put("a.csv", "No\n1\n")
    folder.put("b.csv", "")
    source = folder.source()
    with pytest.raises(Exception, match="is empty"):
        read(source, None)
    assert source.state is None


def test_files_handed_over_are_remembered_beside_those_of_the_path(folder: Folder) -> None:
    for number in range(3):
        folder.put(f"{number}.csv", f"No\n{number}\n")
    folder.hand("0.csv", "1.csv")
    places, state = read(folder.source(), None)
    assert places == ["0.csv", "1.csv"]
    folder.hand("2.csv", "0.csv")
    places, state = read(folder.source(), state)
    assert places == ["2.csv"]
    folder.hand("1.csv")
    assert read(folder.source(), state)[0] == []


def test_of_many_files_handed_over_the_oldest_are_forgotten(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taken, "MOST_HANDED", 2)
    state = None
    for number in range(3):
        folder.put("a.csv", f"No\n{number}\n")
        folder.hand("a.csv")
        _, state = read(folder.source(), state)
    assert len(json.loads(state or "")["handed"]) == 2
    assert read(folder.source(), state)[0] == []


@pytest.mark.parametrize("state", ["", "etag-of-another-kind", "[]", '{"present": 1}', '{"other": 1}'])
def test_a_state_of_another_kind_is_none(folder: Folder, state: str) -> None:
    folder.put("a.csv", "No\n1\n")
    assert read(folder.source(), state)[0] == ["a.csv"]
