"""Files of a .tgz that a stranger made, one after the other, without ever writing one to disk.

``tarfile`` in stream mode over ``gzip``, with limits that hold while reading: a name that leaves
the folder, a link, a device, a header that lies or a small file that unpacks to terabytes costs
no more than the limits allow.
"""

import gzip
import io
import os
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

_MIB = 2**20
_GZIP_MAGIC = b"\x1f\x8b"
_HEADER_BYTES = 64 * 1024  # between two files: headers, their extensions, and what is read ahead
_CHUNK_BYTES = 64 * 1024
_MAX_ENDS = 4  # times to say that there is no more, before a header that wants exabytes gives up
_NOWHERE = os.path.join(os.path.abspath(os.sep), "archive")  # the folder nobody unpacks to


class ArchiveError(ValueError):
    """The archive cannot be read, or not any further; the message says why in a few words."""


@dataclass(frozen=True)
class ArchiveLimits:
    """What an archive of speech never reaches; beyond is refused."""

    n_members: int = 50_000
    member_bytes: int = 256 * _MIB  # two hours at 16 kHz
    total_bytes: int = 4096 * _MIB  # unpacked, with all that is skipped
    name_chars: int = 512
    depth: int = 16


def read_files(
    file: io.BufferedReader,
    wants: Callable[[str, int], bool],
    refuse: Callable[[str, str], None],
    limits: ArchiveLimits | None = None,
) -> Iterator[tuple[str, bytes]]:
    """Files of a .tgz or plain tar in their order, up to and including its checksum.

    Yields the path, below the archive's own folder and with forward slashes, and the content of
    those files whose path and size are wanted. ``file`` is read from where it stands and never
    sought in. ``refuse`` is called with a reason and a name for each member that is no plain file
    below the archive's folder, or is too large.

    Raises
    ------
    ArchiveError
        If it is no archive, is truncated or damaged, or exceeds a limit.
    OSError
        If the disk does not give the file.
    """
    limits = limits or ArchiveLimits()
    with _archive_errors():
        compressed = _is_gzip(file)
        stream = _LimitedStream(gzip.GzipFile(fileobj=file) if compressed else file, limits)
        with _open_tar(stream) as archive:
            for n_before, info in enumerate(_infos(archive, stream)):
                if n_before == limits.n_members:
                    raise ArchiveError(f"more than {limits.n_members:,} files")
                if info.isdir():
                    continue
                name = _printable(info.name)
                reason = _refusal(info, limits)
                if reason is not None:
                    refuse(reason, name)
                elif wants(name.lstrip("/"), info.size):
                    yield name.lstrip("/"), archive.extractfile(info).read()
        stream.drain()


class _StrictTarInfo(tarfile.TarInfo):
    """Headers that are damaged: `tarfile` takes any but the first for the end of the archive."""

    __slots__ = ()

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> tarfile.TarInfo:
        try:
            return super().fromtarfile(archive)
        except tarfile.TruncatedHeaderError as error:
            raise ArchiveError("truncated") from error
        except tarfile.InvalidHeaderError as error:
            if archive.offset == 0:
                raise
            raise ArchiveError("damaged") from error


class _LimitedStream:
    """Unpacked bytes, as far as they were allowed for."""

    def __init__(self, file: BinaryIO, limits: ArchiveLimits):
        self._file = file
        self._limits = limits
        self._n_read = 0
        self._n_allowed = 0
        self._n_ends = 0
        self.allow(0)

    def allow(self, offset: int) -> None:
        """Expect that no header extends beyond this offset by more than headers may."""
        self._n_allowed = offset + _HEADER_BYTES

    def read(self, n_bytes: int) -> bytes:
        data = self._file.read(n_bytes)
        self._n_read += len(data)
        self._n_ends += not data
        if self._n_ends > _MAX_ENDS:
            raise EOFError
        if self._n_read > self._limits.total_bytes:
            raise ArchiveError(f"more than {self._limits.total_bytes // _MIB:,} MB unpacked")
        if self._n_read > self._n_allowed + n_bytes:
            raise ArchiveError("damaged")
        return data

    def drain(self) -> None:
        """Read to the end, where the checksum stands; what follows it does not count."""
        self._n_allowed = self._limits.total_bytes
        try:
            while self.read(_CHUNK_BYTES):
                pass
        except gzip.BadGzipFile as error:
            if not str(error).startswith("Not a gzipped file"):  # but a wrong checksum
                raise


def _open_tar(stream: _LimitedStream) -> tarfile.TarFile:
    try:  # reads the first header
        return tarfile.open(fileobj=stream, mode="r|", tarinfo=_StrictTarInfo, encoding="utf-8")
    except tarfile.ReadError as error:
        raise ArchiveError("not a tar archive") from error


def _infos(archive: tarfile.TarFile, stream: _LimitedStream) -> Iterator[tarfile.TarInfo]:
    while (info := archive.next()) is not None:
        stream.allow(archive.offset)
        yield info
        archive.members.clear()  # which holds all that ever were


def _is_gzip(file: io.BufferedReader) -> bool:
    """Whether it is compressed; else it is a plain tar."""
    head = file.peek(1024)[:1024]
    if not head:
        raise ArchiveError("empty file")
    if head.startswith(_GZIP_MAGIC):
        return True
    if b"<html" in head.lower() or b"<!doctype html" in head.lower():
        raise ArchiveError("an HTML page, not an archive")
    try:
        tarfile.TarInfo.frombuf(head[: tarfile.BLOCKSIZE], "utf-8", "surrogateescape")
    except tarfile.HeaderError as error:
        raise ArchiveError("not a gzip archive") from error
    return False


def _refusal(info: tarfile.TarInfo, limits: ArchiveLimits) -> str | None:
    """Why a member is left out, if it is."""
    if len(info.name) > limits.name_chars or info.name.count("/") > limits.depth:
        return "name too long in the archive"
    if not info.isreg() or info.issparse():
        return "link or device in the archive"
    try:
        tarfile.data_filter(info, _NOWHERE)
    except (tarfile.FilterError, ValueError):  # ValueError: a NUL in the name
        return "unsafe name in the archive"
    if info.size > limits.member_bytes:
        return f"larger than {limits.member_bytes // _MIB:,} MB"
    return None


def _printable(name: str) -> str:
    """A name without line breaks and the like; bytes that are not UTF-8 are taken for Latin ones.

    Windows programs of VoxForge's time wrote names in code page 1252.
    """
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        name = name.encode("utf-8", "surrogateescape").decode("cp1252", "replace")
    return "".join(letter if letter.isprintable() else "�" for letter in name)


@contextmanager
def _archive_errors() -> Iterator[None]:
    """The errors of gzip and tarfile as an `ArchiveError`."""
    try:
        yield
    except ArchiveError:
        raise
    except EOFError as error:
        raise ArchiveError("truncated") from error
    except (gzip.BadGzipFile, zlib.error, ValueError) as error:  # ValueError: "size=many"
        raise ArchiveError("damaged") from error
    except tarfile.TarError as error:
        cut_off = "unexpected end of data" in str(error)
        raise ArchiveError("truncated" if cut_off else "damaged") from error
