"""Reading the files of an archive that somebody else made."""

import gzip
import io
import os
import random
import tarfile
import tracemalloc

import pytest
from helpers.voxforge import write_tgz
from hypothesis import given, settings
from hypothesis import strategies as st

from langid.data.voxforge.safe_tar import ArchiveError, ArchiveLimits, read_files


def every_file(name, n_bytes):
    return True


def no_file(name, n_bytes):
    return False


def contents(path, limits=None):
    """Bytes by name, and the refusals as (reason, name)."""
    refused = []
    with path.open("rb") as file:
        files = read_files(
            file, every_file, lambda reason, name: refused.append((reason, name)), limits
        )
        return dict(files), refused


def problem_of(path, limits=None):
    with pytest.raises(ArchiveError) as caught:
        contents(path, limits)
    return str(caught.value)


def tar_of(*infos):
    """A plain tar of (TarInfo, bytes), the headers as they are."""
    blocks = []
    for info, data in infos:
        blocks += [info.tobuf(tarfile.GNU_FORMAT), data, bytes(-len(data) % 512)]
    return b"".join(blocks) + bytes(1024)


def info_of(name, size=0, kind=tarfile.REGTYPE, linkname=""):
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = size, kind, linkname
    return info


def stored(path, tar, compress=True):
    path.write_bytes(gzip.compress(tar) if compress else tar)
    return path


def test_files_come_in_their_order_with_their_bytes(tmp_path):
    files = {"a/wav/2.wav": b"two", "a/wav/1.wav": b"", "a/etc/PROMPTS": b"x" * 100_000}
    found, refused = contents(write_tgz(tmp_path / "a.tgz", files))
    assert list(found.items()) == list(files.items())
    assert refused == []


def test_a_file_that_is_not_read_is_skipped(tmp_path):
    path = write_tgz(tmp_path / "a.tgz", {"a/1": b"x" * 300_000, "a/2": b"two"})
    with path.open("rb") as file:
        sizes = {}
        files = read_files(file, lambda name, n: sizes.update({name: n}) or n < 9, pytest.fail)
        assert dict(files) == {"a/2": b"two"}
    assert sizes == {"a/1": 300_000, "a/2": 3}


def test_nothing_is_written_to_disk(tmp_path, monkeypatch):
    path = write_tgz(tmp_path / "a.tgz", {"../escaped": b"x", "a/1": b"one"})
    monkeypatch.chdir(tmp_path)
    contents(path)
    assert os.listdir(tmp_path) == ["a.tgz"]


def test_a_plain_tar_under_the_name_of_a_tgz_is_read(tmp_path):
    tar = tar_of((info_of("a/1", 3), b"one"))
    assert contents(stored(tmp_path / "a.tgz", tar, compress=False))[0] == {"a/1": b"one"}


@pytest.mark.parametrize(
    "name", ["../outside", "a/../../outside", "a/b/../../../etc/passwd", "..", "a\0b"]
)
def test_names_that_leave_the_folder_are_refused(tmp_path, name):
    info = info_of(name, 3)
    info.pax_headers = {"path": name}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(info, io.BytesIO(b"bad"))
        archive.addfile(info_of("a/good", 4), io.BytesIO(b"good"))
    found, refused = contents(stored(tmp_path / "a.tgz", buffer.getvalue()))
    assert found == {"a/good": b"good"}
    assert [reason for reason, _ in refused] == ["unsafe name in the archive"]


def test_a_leading_slash_means_the_archive_itself(tmp_path):
    tar = tar_of((info_of("/etc/passwd", 3), b"one"))
    assert contents(stored(tmp_path / "a.tgz", tar))[0] == {"etc/passwd": b"one"}


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE],
)
def test_links_and_devices_are_refused(tmp_path, kind):
    tar = tar_of((info_of("a/odd", kind=kind, linkname="a/1"), b""), (info_of("a/1", 1), b"1"))
    found, refused = contents(stored(tmp_path / "a.tgz", tar))
    assert found == {"a/1": b"1"}
    assert refused == [("link or device in the archive", "a/odd")]


def test_names_are_limited_in_length_and_depth(tmp_path):
    long, deep = "a/" + "x" * 600, "d/" * 17 + "x"
    found, refused = contents(write_tgz(tmp_path / "a.tgz", {long: b"", deep: b"", "a/1": b"1"}))
    assert list(found) == ["a/1"]
    assert refused == [("name too long in the archive", name) for name in (long, deep)]


def test_names_need_not_be_utf_8(tmp_path):
    tar = tar_of((info_of("a/m\udce4nner\n1.wav", 1), b"1"))
    info = tarfile.TarInfo.frombuf(tar[:512], "utf-8", "surrogateescape")
    assert info.name == "a/m\udce4nner\n1.wav"
    assert contents(stored(tmp_path / "a.tgz", tar))[0] == {"a/männer�1.wav": b"1"}


def test_the_number_of_files_is_limited(tmp_path):
    path = write_tgz(tmp_path / "a.tgz", {str(n): b"" for n in range(4)})
    assert len(contents(path, ArchiveLimits(n_members=4))[0]) == 4
    assert problem_of(path, ArchiveLimits(n_members=3)) == "more than 3 files"


def test_a_large_file_is_refused_and_the_others_read(tmp_path):
    path = write_tgz(tmp_path / "a.tgz", {"a/1": bytes(2**20 + 1), "a/2": b"two"})
    found, refused = contents(path, ArchiveLimits(member_bytes=2**20))
    assert found == {"a/2": b"two"}
    assert refused == [("larger than 1 MB", "a/1")]


@pytest.mark.parametrize("claimed", [5 * 2**20, 3])
def test_a_bomb_stops_at_the_limit_whatever_its_header_claims(tmp_path, claimed):
    """Zeros after the end of the archive, or in a file that nobody asked for."""
    zeros = bytes(5 * 2**20)
    tar = tar_of((info_of("a/1", claimed), zeros[:claimed])) + zeros
    path = stored(tmp_path / "a.tgz", tar)
    with path.open("rb") as file, pytest.raises(ArchiveError, match="more than 1 MB unpacked"):
        list(read_files(file, no_file, pytest.fail, ArchiveLimits(total_bytes=2**20)))


def test_a_header_that_claims_exabytes_is_not_waited_for(tmp_path):
    tar = tar_of((info_of("a/1", 2**62), b"1"))
    assert problem_of(stored(tmp_path / "a.tgz", tar)) == "truncated"


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE])
def test_a_name_of_many_megabytes_is_never_held(tmp_path, kind):
    size = 64 * 2**20
    name = tar_of((info_of("x", size, kind), bytes(size)), (info_of("a/1", 0), b""))
    path = stored(tmp_path / "a.tgz", name)
    tracemalloc.start()
    assert problem_of(path) == "damaged"
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 2 * 2**20


def test_headers_within_headers_end(tmp_path):
    nested = b"".join([info_of("x", 0, tarfile.GNUTYPE_LONGNAME).tobuf() for _ in range(5000)])
    assert problem_of(stored(tmp_path / "a.tgz", nested)) == "damaged"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "empty file"),
        (b"<!DOCTYPE HTML PUBLIC>\n<html><head>404</head></html>", "an HTML page, not an archive"),
        (b"\n<HTML><body>Moved</body></HTML>", "an HTML page, not an archive"),
        (b"PK\x03\x04 something else", "not a gzip archive"),
        (bytes(2000), "not a gzip archive"),
        (gzip.compress(b"no tar at all" * 100), "not a tar archive"),
        (gzip.compress(b""), "not a tar archive"),
        (b"\x1f\x8b", "truncated"),
        (b"\x1f\x8b\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "damaged"),
    ],
)
def test_what_is_no_archive_is_told_apart(tmp_path, data, problem):
    path = tmp_path / "a.tgz"
    path.write_bytes(data)
    assert problem_of(path) == problem


def two_files(tmp_path):
    noise = random.Random(0).randbytes(50_000)
    return write_tgz(tmp_path / "a.tgz", {"a/1": noise, "a/2": noise[::-1]})


@pytest.mark.parametrize(
    ("n_bytes", "expected"), [(10_000, []), (60_000, ["a/1"]), (-4, ["a/1", "a/2"])]
)
def test_a_truncated_archive_gives_what_comes_before(tmp_path, n_bytes, expected):
    path = two_files(tmp_path)
    path.write_bytes(path.read_bytes()[:n_bytes])
    names = []
    with path.open("rb") as file, pytest.raises(ArchiveError, match=r"^truncated$"):
        for name, _ in read_files(file, every_file, pytest.fail):
            names.append(name)
    assert names == expected


def test_a_plain_tar_that_ends_early_is_truncated(tmp_path):
    path = two_files(tmp_path)
    tar = gzip.decompress(path.read_bytes())
    for n_bytes in (60_000, 102_000):
        assert problem_of(stored(path, tar[:n_bytes], compress=False)) == "truncated"


def test_a_wrong_checksum_is_damage(tmp_path):
    path = two_files(tmp_path)
    data = bytearray(path.read_bytes())
    data[-6] ^= 0xFF  # of the CRC
    path.write_bytes(data)
    assert problem_of(path) == "damaged"


def test_a_damaged_header_is_not_taken_for_the_end(tmp_path):
    tar = bytearray(tar_of((info_of("a/1", 1), b"1"), (info_of("a/2", 1), b"2")))
    tar[1024 + 10] ^= 0xFF
    assert problem_of(stored(tmp_path / "a.tgz", bytes(tar))) == "damaged"


def test_bytes_behind_a_complete_archive_do_no_harm(tmp_path):
    path = two_files(tmp_path)
    path.write_bytes(path.read_bytes() + b"garbage")
    assert list(contents(path)[0]) == ["a/1", "a/2"]


def test_a_missing_file_is_the_disks_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        contents(tmp_path / "absent.tgz")


HEADERS = (
    (info_of("././@LongLink", 200, tarfile.GNUTYPE_LONGNAME), b"a/" + b"n" * 197 + b"\0"),
    (info_of("a/1", 5), b"1 one"),
    (info_of("x", 20, tarfile.XHDTYPE), b"20 path=a/longer_2\n\n"),
    (info_of("a/2", 0), b""),
)


@settings(deadline=None, max_examples=300)
@given(
    changes=st.lists(
        st.tuples(
            st.sampled_from([0, 512, 1024, 1536, 2048, 2560, 3072]),  # headers and what follows
            st.sampled_from([0, 10, 124, 125, 130, 135, 156, 157, 257, 345, 386, 482, 483]),
            st.binary(min_size=1, max_size=12),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_no_header_breaks_the_reader(tmp_path_factory, changes):
    """Headers with any size, type, names and sparse maps, and with right checksums."""
    tar = bytearray(tar_of(*HEADERS))
    for block, field, value in changes:
        tar[block + field : block + field + len(value)] = value
    for block in range(0, len(tar) - 1024, 512):
        if tar[block + 257 : block + 262] == b"ustar":
            tar[block + 148 : block + 156] = b" " * 8
            tar[block + 148 : block + 156] = b"%06o\0 " % sum(tar[block : block + 512])
    path = stored(tmp_path_factory.mktemp("fuzz") / "a.tgz", bytes(tar))
    try:
        found, _ = contents(path)
        assert all(".." not in name.split("/") for name in found)
    except ArchiveError as error:
        assert str(error)


@settings(deadline=None, max_examples=300)
@given(
    records=st.dictionaries(
        st.sampled_from(
            ["path", "size", "mtime", "linkpath", "hdrcharset", "GNU.sparse.map"]
            + [f"GNU.sparse.{key}" for key in ("size", "realsize", "name", "major", "minor")]
        ),
        st.one_of(st.text(max_size=8), st.integers(-9, 9).map(str), st.just("1,2,3")),
    ),
    data=st.binary(max_size=600) | st.sampled_from([b"1\n0\n5\n", b"99999\n1\n"]),
)
def test_no_extended_header_breaks_the_reader(tmp_path_factory, records, data):
    info = info_of("a/1", len(data))
    info.pax_headers = records
    tar = info.tobuf(tarfile.PAX_FORMAT) + data + bytes(-len(data) % 512) + bytes(1024)
    path = stored(tmp_path_factory.mktemp("fuzz") / "a.tgz", tar)
    try:
        contents(path)
    except ArchiveError as error:
        assert str(error)


@settings(deadline=None, max_examples=200)
@given(data=st.binary(max_size=2000), gzipped=st.booleans())
def test_no_bytes_break_the_reader(tmp_path_factory, data, gzipped):
    path = tmp_path_factory.mktemp("fuzz") / "a.tgz"
    path.write_bytes(gzip.compress(data) if gzipped else b"\x1f\x8b\x08" + data)
    with pytest.raises(ArchiveError):
        contents(path)
