"""Which files are read, which may not be, and files that change or go while they are read."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from syncsource.errors import AbortedError, PermanentError, RetryableError
from syncsource.sources import Slice
from syncsource.sources.base import PAUSE
from syncsource.sources.csvfiles import finding
from syncsource.sources.csvfiles.holding import held
from syncsource.sources.csvfiles.packed import members
from syncsource.sources.files import Files
from tests.unit.sources.csvfiles.conftest import Folder

TEXT = "No\n1\n"


def places(folder: Folder, path: str) -> list[str]:
    return [page.place for page in folder.pages(path=path)]


def test_a_glob_means_files_in_the_order_of_their_names(folder: Folder) -> None:
    for name in ("b.csv", "a.csv", "in/c.csv", "in/deep/d.csv", "x.txt", ".hidden.csv"):
        folder.put(name, f"No\n{name}\n")
    (folder.path / "folder.csv").mkdir()
    assert places(folder, "*.csv") == ["a.csv", "b.csv"]
    assert places(folder, "**/*.csv") == ["a.csv", "b.csv", "in/c.csv", "in/deep/d.csv"]
    assert places(folder, "in/[a-c].csv") == ["in/c.csv"]
    assert places(folder, str(folder.path / "a.csv")) == ["a.csv"]


def test_brackets_in_a_name_and_in_the_folder_are_no_glob(folder: Folder) -> None:
    folder.put("[x]/export[1].csv", TEXT)
    folder.put("[x]/export1.csv", TEXT)
    folder.files = Files(folder=str(folder.path / "[x]"))
    assert places(folder, "export[1].csv") == ["export[1].csv"]
    assert places(folder, "*[1].csv") == ["export1.csv"]
    assert places(folder, "*.csv") == ["export1.csv"]


def test_a_glob_without_files_is_nothing_new(folder: Folder) -> None:
    source = folder.source(path="*.csv")
    assert list(source.pages(Slice())) == []
    assert source.unchanged


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("a.csv", "a.csv: there is no such file; put it there, or mend spec.source.csv.path"),
        ("in/a.csv", "in/a.csv: there is no such file; put it there, or mend spec.source.csv.path"),
        ("in/*.csv", "spec.source.csv.path: in/*.csv: there is no folder in; create it, or mend the path"),
    ],
)
def test_a_file_that_is_not_there_is_told(folder: Folder, path: str, words: str) -> None:
    assert folder.failure(path=path) == ("PermanentError", "FileNotFound", words)


def test_a_file_that_goes_between_the_glob_and_its_turn_is_told(folder: Folder) -> None:
    folder.put("a.csv", TEXT)
    folder.put("b.csv", "No\n2\n")
    pages = folder.source().pages(Slice())
    next(pages)
    (folder.path / "b.csv").unlink()
    with pytest.raises(PermanentError, match=r"b\.csv: there is no such file"):
        list(pages)


@pytest.mark.parametrize("path", ["../secret.csv", "in/../../secret.csv", "../*.csv", "/etc/passwd", "**/../../secret.csv"])
def test_a_path_that_leads_out_of_the_folder_is_refused(folder: Folder, path: str) -> None:
    (folder.path.parent / "secret.csv").write_text(TEXT)
    kind, reason, message = folder.failure(path=path)
    assert (kind, reason) == ("StalledError", "FileRefused")
    assert "leads out of the folder that the operator may read" in message


@pytest.mark.parametrize("path", ["link.csv", "*.csv", "in/secret.csv"])
def test_a_link_that_leads_out_of_the_folder_is_refused(folder: Folder, path: str) -> None:
    outside = folder.path.parent / "outside"
    outside.mkdir()
    (outside / "secret.csv").write_text(TEXT)
    (folder.path / "link.csv").symlink_to(outside / "secret.csv")
    (folder.path / "in").symlink_to(outside)
    kind, reason, message = folder.failure(path=path)
    assert (kind, reason) == ("PermanentError", "FileRefused")
    assert message.endswith("is a link that leads out of the folder that the operator may read; put the file itself there")


def test_a_link_within_the_folder_is_followed(folder: Folder) -> None:
    folder.put("in/a.csv", TEXT)
    (folder.path / "link.csv").symlink_to("in/a.csv")
    assert places(folder, "*.csv") == ["link.csv"]


@pytest.mark.parametrize("swapped", ["in", "in/a.csv"])
def test_a_link_that_is_put_there_after_the_check_is_not_followed(
    folder: Folder, tmp_path_factory: pytest.TempPathFactory, swapped: str
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "a.csv").write_text("secret\n1\n")
    folder.put("in/a.csv", TEXT)
    (file,) = finding.found("in/a.csv", folder.files)
    with held(file, threading.Event()) as opened:
        assert opened.file.read().decode() == TEXT
    (folder.path / swapped).rename(folder.path / "before")
    (folder.path / swapped).symlink_to(outside / swapped.removeprefix("in").lstrip("/"))
    with pytest.raises(PermanentError), held(file, threading.Event()):
        pass


def test_who_runs_a_manifest_may_read_anything(folder: Folder) -> None:
    (folder.path.parent / "other.csv").write_text(TEXT)
    folder.files = Files(folder=str(folder.path), anywhere=True)
    assert folder.records(path="../other.csv") == folder.records(path=str(folder.path.parent / "other.csv")) == [{"No": "1"}]


def test_an_operator_without_a_folder_reads_no_files(folder: Folder) -> None:
    folder.files = Files()
    kind, reason, message = folder.failure(path="a.csv")
    assert (kind, reason) == ("StalledError", "FileRefused")
    assert "this operator may read no files of its machine; start it with --files FOLDER" in message


def test_a_source_without_a_path_waits_for_an_import(folder: Folder) -> None:
    assert folder.failure(path=None) == (
        "PermanentError",
        "NoFile",
        "spec.source.csv has neither path nor download: its files come by `syncsource import`; hand one over, or set one of them",
    )


def test_a_pipe_is_refused_and_not_waited_for(folder: Folder) -> None:
    os.mkfifo(folder.path / "a.csv")
    assert folder.failure() == ("PermanentError", "FileRefused", "a.csv is a pipe; name a file")


def test_a_folder_is_refused(folder: Folder) -> None:
    (folder.path / "a.csv").mkdir()
    assert folder.failure(path="a.csv") == ("PermanentError", "FileRefused", "a.csv is a folder; name a file")


def test_links_that_lead_in_a_circle_are_told(folder: Folder) -> None:
    (folder.path / "a.csv").symlink_to("b.csv")
    (folder.path / "b.csv").symlink_to("a.csv")
    assert folder.failure(path="a.csv")[1] == "FileUnreadable"


def test_a_file_without_the_right_to_read_it_is_told(folder: Folder) -> None:
    folder.put("a.csv", TEXT).chmod(0)
    if os.access(folder.path / "a.csv", os.R_OK):
        pytest.skip("root may read everything")
    assert folder.failure() == ("PermanentError", "FileUnreadable", "a.csv can't be read: Permission denied; mend that")


def test_links_in_circles_and_stars_in_a_row_end_a_glob(folder: Folder) -> None:
    """Two links in a circle are 2^40 ways to one folder, sixty stars in a row as many to a few."""
    folder.put("a/b/c/d/e/f/one.csv", "id\n1\n")
    for name in ("x", "y", "a/z"):
        (folder.path / name).symlink_to(folder.path)
    assert places(folder, "**/*.csv") == ["a/b/c/d/e/f/one.csv"]
    assert places(folder, "**/" * 60 + "*.csv") == ["a/b/c/d/e/f/one.csv"]
    assert places(folder, "**/*.nothing") == []


def test_a_folder_behind_a_link_belongs_to_a_glob(folder: Folder) -> None:
    folder.put("real/one.csv", "id\n1\n")
    folder.put(".hidden/two.csv", "id\n2\n")
    (folder.path / "link").symlink_to(folder.path / "real")
    assert places(folder, "l*/*.csv") == ["link/one.csv"]
    assert places(folder, "**") == ["real/one.csv"]
    assert places(folder, ".h*/*.csv") == [".hidden/two.csv"]


def test_too_many_files_are_refused(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "MOST_FILES", 2)
    for number in range(3):
        folder.put(f"{number}.csv", TEXT)
    assert folder.failure()[1:] == ("TooManyFiles", "spec.source.csv.path: *.csv means more than 2 files; choose a narrower glob")


def test_escape_sequences_in_a_name_do_not_reach_the_terminal(folder: Folder) -> None:
    folder.put("\x1b[2J.csv", TEXT)
    assert [page.place for page in folder.pages()] == ["[2J.csv"]
    folder.put("\x1b[2J.csv", "")
    assert "\x1b" not in folder.failure()[2]


@pytest.mark.parametrize("change", ["append", "truncate", "touch"])
def test_a_file_that_is_written_to_while_it_is_read_is_read_again(folder: Folder, change: str) -> None:
    file = folder.put("a.csv", "No\n" + "".join(f"{number}\n" for number in range(12_000)))
    pages = folder.source().pages(Slice())
    next(pages)
    touched(file, change)
    with pytest.raises(RetryableError, match=r"a\.csv changed while it was read, so that nothing of it was taken") as caught:
        list(pages)
    assert caught.value.reason == "FileChanged"


def touched(file: Path, change: str) -> None:
    if change == "append":
        file.write_text(file.read_text() + "5\n")
    elif change == "truncate":
        os.truncate(file, 5)
    else:
        os.utime(file, ns=(0, 0))


def test_a_file_that_is_replaced_while_it_is_read_is_read_as_it_was(folder: Folder) -> None:
    folder.put("a.csv", "No\n" + "1\n" * 12_000)
    source = folder.source()
    pages = source.pages(Slice())
    next(pages)
    folder.put("new.txt", TEXT).rename(folder.path / "a.csv")
    assert sum(len(page.records) for page in pages) == 7000
    assert folder.records(state=source.state) == [{"No": "1"}]


def test_a_cancelled_run_ends_at_the_next_page(folder: Folder) -> None:
    folder.put("a.csv", "No\n" + "1\n" * 12_000)
    cancelled = threading.Event()
    pages = folder.source(cancelled=cancelled).pages(Slice())
    next(pages)
    cancelled.set()
    with pytest.raises(AbortedError, match="cancelled"):
        next(pages)


def test_a_cancelled_run_does_not_read_a_file_to_its_end_before_the_first_page(folder: Folder) -> None:
    folder.put("a.csv", "No\n1\n")
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(AbortedError, match="cancelled"):
        folder.source(cancelled=cancelled).pages(Slice()).__next__()
    (file,) = finding.found("a.csv", folder.files)
    with held(file, cancelled) as opened, pytest.raises(AbortedError, match="cancelled"):
        opened.digest()
    with held(file, cancelled) as opened, pytest.raises(AbortedError, match="cancelled"):
        members(opened, None)[0].open().read(10)


def test_between_files_nothing_is_to_stay_open(folder: Folder) -> None:
    """The next one may be large, and is looked through before its first page."""
    folder.put("a.csv", "id\n1\n")
    folder.put("b.csv", "id\n2\n")
    pages = list(folder.source("id", path="*.csv").pages(Slice()))
    assert [page is PAUSE for page in pages] == [False, True, False]
