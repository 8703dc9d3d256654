"""Where encoded audio comes from: a path, bytes or a binary file object, all as one `Source`.

The decoders are C libraries that call back into Python to read. An exception raised in such a
callback is printed to standard error and lost, so `Source` never raises there: it reports the
end of the data, keeps the error, and the decoder's caller asks for it afterwards.
"""

import copy
import io
import os
import stat
import tempfile
from typing import BinaryIO

from langid.errors import AudioError, Message

SPOOL_MEMORY_BYTES = 32 * 2**20  # a pipe is kept in memory up to here, then on disk
SPOOL_LIMIT_BYTES = 4 * 2**30  # an endless pipe must not fill the disk


class Source:
    """A seekable run of bytes with a name for messages.

    Parameters
    ----------
    file : seekable binary file object
    name : str
        How messages call it.
    owned : bool
        Whether `close` closes the file.

    Attributes
    ----------
    suffix : str
        How the name of a file given by its path ends, in lower case with the dot, else "".
    size : int
        In bytes, as it was on construction: what is written to the file later is not read.
    """

    def __init__(self, file: BinaryIO, name: str, owned: bool) -> None:
        self.name = name
        self.suffix = ""
        self._file = file
        self._owned = owned
        self._errors: list[Exception] = []
        self._start = 0
        self.size = file.seek(0, os.SEEK_END)
        if self.size == 0:
            self.close()
            raise AudioError(
                Message("{name} is empty (0 bytes): record or upload it again.", name=name)
            )
        file.seek(0)

    def __enter__(self) -> "Source":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        if self._owned:
            self._file.close()

    def part(self, start: int, end: int) -> "Source":
        """The bytes from `start` up to `end`, at their beginning, as a source.

        It reads the same file, so that only one of them is of use at a time, and what it meets is
        an error of the whole.
        """
        part = copy.copy(self)
        part._owned = False
        part._start = self._start + start
        part.size = end - start
        part.seek(0)
        return part

    def read(self, n_bytes: int) -> bytes:
        """At most `n_bytes` (the decoders' buffers hold no more); b"" at the end or on an error."""
        try:
            n_bytes = max(0, min(n_bytes, self._start + self.size - self._file.tell()))
            return bytes(self._file.read(n_bytes)[:n_bytes])
        except Exception as error:  # whatever a stranger's file object raises; see raise_error
            self._errors.append(error)
            return b""

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """The new position, or -1 where damaged headers point before the start.

        Where they point behind the end, that is the end: a disk may refuse what lies far behind.
        """
        try:
            if whence == os.SEEK_CUR:
                offset += self.tell()
            elif whence == os.SEEK_END:
                offset += self.size
            if offset < 0:
                return -1
            return self._file.seek(self._start + min(offset, self.size)) - self._start
        except Exception as error:
            self._errors.append(error)
            return -1

    def tell(self) -> int:
        return self._file.tell() - self._start

    def peek(self, offset: int, n_bytes: int) -> bytes:
        """Bytes at an offset; the position afterwards is the start."""
        self.seek(offset)
        data = self.read(n_bytes)
        self.seek(0)
        return data

    def raise_error(self) -> None:
        """Raise the first reading error as an `AudioError`, if there was one."""
        if self._errors:
            raise AudioError(
                Message(
                    "{name} could not be read to its end ({reason}): check the disk or the "
                    "connection it comes from and try again.",
                    name=self.name,
                    reason=str(self._errors[0]),
                )
            ) from self._errors[0]


def open_source(audio: str | os.PathLike | bytes | BinaryIO) -> Source:
    """Open encoded audio for the decoders.

    A seekable file object is read from its beginning, wherever it stands; another one (a pipe) is
    first copied to memory or, beyond 32 MB, to a temporary file.

    Raises
    ------
    AudioError
        If it is missing, a folder, unreadable, empty, or nothing that could hold audio.
    """
    if isinstance(audio, bytes | bytearray | memoryview):
        return Source(io.BytesIO(audio), "The input", owned=True)
    if isinstance(audio, str | os.PathLike):
        path = os.fsdecode(audio)
        source = _as_source(_open_path(path), repr(os.path.basename(path)), owned=True)
        source.suffix = os.path.splitext(path)[1].lower()
        return source
    if hasattr(audio, "read"):
        return _as_source(audio, "The file object", owned=False)
    raise AudioError(
        f"Cannot read audio from {type(audio).__name__}: give a path, bytes, a binary file object, "
        "or a NumPy array with its sample_rate."
    )


def _open_path(path: str) -> BinaryIO:
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISREG(mode) or stat.S_ISFIFO(mode):
            return open(path, "rb")
    except (FileNotFoundError, NotADirectoryError):
        remedy = "download it first" if "://" in path else "check the path"
        raise AudioError(f"There is no file {path!r}: {remedy}.") from None
    except PermissionError:
        raise AudioError(
            f"There is no permission to read {path!r}: change its mode or copy it."
        ) from None
    except (OSError, ValueError) as error:  # too long, a loop of links, a NUL character
        raise AudioError(f"Cannot open {path!r} ({error}): check the path.") from None
    kind = "folder" if stat.S_ISDIR(mode) else "device"
    raise AudioError(f"{path!r} is a {kind}: give the path of one audio file.")


def _as_source(file: BinaryIO, name: str, owned: bool) -> Source:
    try:
        if not isinstance(file.read(0), bytes | bytearray | memoryview):
            raise AudioError(f"{name} is open in text mode: open it with mode 'rb'.")
        if getattr(file, "seekable", lambda: False)():
            return Source(file, name, owned)
        spool = _spool(file, name)
    except AudioError:
        raise
    except Exception as error:  # a closed file, a lost connection, a stranger's own exception
        raise AudioError(f"{name} could not be read ({error}): open it again.") from error
    if owned:
        file.close()
    return Source(spool, name, owned=True)


def _spool(file: BinaryIO, name: str) -> BinaryIO:
    """Copy a file object that cannot seek to one that can, in bounded memory."""
    spool = tempfile.SpooledTemporaryFile(max_size=SPOOL_MEMORY_BYTES)  # noqa: SIM115
    n_bytes = 0
    while piece := file.read(2**20):
        n_bytes += len(piece)
        if n_bytes > SPOOL_LIMIT_BYTES:
            spool.close()
            raise AudioError(
                f"{name} sends more than {SPOOL_LIMIT_BYTES // 2**30} GiB: save it to a file first."
            )
        spool.write(piece)
    return spool
