"""The private and the public store: whole files or none, under names that lead nowhere else."""

import hashlib
import os
import threading
import time

import pytest

from generation import storage


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "source"
    path.write_bytes(b"frames " * 1000)
    return path


def files_in(store):
    return sorted(str(path.relative_to(store.root)) for path in store.root.rglob("*") if path.is_file())


def test_a_file_is_read_by_its_group_and_by_nobody_else(source):
    """The web server is of the group; without that, X-Accel-Redirect would end in 403."""
    sha256, _size = storage.keep(source)
    assert storage.private().path(storage.private_name(sha256)).stat().st_mode & 0o777 == 0o640


def test_a_file_is_kept_under_the_hash_of_its_bytes(source):
    sha256, size = storage.keep(source)
    assert (sha256, size) == (hashlib.sha256(source.read_bytes()).hexdigest(), 7000)
    assert files_in(storage.private()) == [f"{sha256[:2]}/{sha256}"]
    assert storage.private().path(storage.private_name(sha256)).read_bytes() == source.read_bytes()


def test_keeping_the_same_bytes_twice_is_as_good_as_once(source):
    assert storage.keep(source) == storage.keep(source)
    assert len(files_in(storage.private())) == 1


def test_a_file_that_is_not_what_was_promised_never_appears(source):
    store = storage.public()
    with pytest.raises(storage.Damaged, match=r"abc/video\.mp4 is not the file that was promised"):
        store.write("abc/video.mp4", storage.blocks_of(source), sha256="0" * 64)
    assert files_in(store) == []


def test_a_source_that_is_missing_leaves_nothing_behind(tmp_path):
    store = storage.private()
    with pytest.raises(FileNotFoundError):
        store.write("ab/abc", storage.blocks_of(tmp_path / "nowhere"), sha256="0" * 64)
    assert files_in(store) == []


def test_readers_see_the_old_file_or_the_new_one_and_never_half_of_it(tmp_path):
    store, sizes, stop = storage.private(), set(), threading.Event()
    sources = []
    for number in (1, 2):
        path = tmp_path / f"source{number}"
        path.write_bytes(bytes([number]) * 3_000_000)
        sources.append((path, storage.digest_of(path)))
    store.write("ab/file", storage.blocks_of(sources[0][0]), sha256=sources[0][1])

    def read():
        while not stop.is_set():
            content = store.path("ab/file").read_bytes()
            sizes.add((len(content), len(set(content[:: 1 << 16]))))

    reader = threading.Thread(target=read)
    reader.start()
    for path, sha256 in sources * 5:
        store.write("ab/file", storage.blocks_of(path), sha256=sha256)
    stop.set()
    reader.join()
    assert sizes == {(3_000_000, 1)}


@pytest.mark.parametrize("name", ["../out", "/etc/passwd", "ab/../../out", "incoming/../../x"])
def test_no_name_leads_out_of_the_store(source, name):
    store = storage.private()
    with pytest.raises(ValueError, match="lies outside the store"):
        store.path(name)
    with pytest.raises(ValueError, match="lies outside the store"):
        store.write(name, storage.blocks_of(source), sha256=storage.digest_of(source))


def test_a_link_that_leads_out_of_the_store_is_not_followed(tmp_path):
    store = storage.private()
    store.root.mkdir()
    (tmp_path / "secret").write_text("secret")
    os.symlink(tmp_path / "secret", store.root / "link")
    with pytest.raises(ValueError, match="lies outside the store"):
        store.path("link")


def test_the_sweep_is_told_only_of_files_that_are_old_enough(source):
    sha256, _ = storage.keep(source)
    store, name = storage.private(), storage.private_name(sha256)
    assert list(store.names(older_than=60)) == []
    os.utime(store.path(name), (time.time() - 120, time.time() - 120))
    assert list(store.names(older_than=60)) == [name]


def test_deleting_what_is_not_there_is_no_error():
    store = storage.public()
    store.delete("abc/video.mp4")
    store.delete_folder("abc")
    assert list(store.names(older_than=0)) == []


def test_free_space_is_told_for_a_store_that_does_not_exist_yet():
    assert storage.private().free_bytes() > 0
    assert storage.private().root.is_dir()
