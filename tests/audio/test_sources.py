"""Paths, bytes, file objects and pipes as one source of bytes."""

import io
import os
import threading
from pathlib import Path

import numpy as np
import pytest
from helpers.audio import clip

from langid.audio import load_audio, sources
from langid.audio.sources import open_source
from langid.errors import AudioError

WAV = clip("wav_16", duration_s=1.0, sample_rate=16_000)
EXPECTED = load_audio(WAV)[0]


class Pipe(io.RawIOBase):
    """A binary stream that cannot seek, as standard input is in a pipe."""

    def __init__(self, data: bytes):
        self._data = io.BytesIO(data)

    def readable(self):
        return True

    def readinto(self, buffer):
        return self._data.readinto(memoryview(buffer)[:1000])


def sentence(audio, **kwargs) -> str:
    """The message of the error: one line, one sentence."""
    with pytest.raises(AudioError) as caught:
        load_audio(audio, **kwargs)
    message = str(caught.value)
    assert message.endswith(".") and ". " not in message and "\n" not in message
    return message


def test_every_way_to_give_a_file_gives_the_same(tmp_path):
    path = tmp_path / "ein Gruß.wav"
    path.write_bytes(WAV)
    with path.open("rb") as buffered, path.open("rb", buffering=0) as raw:
        ways = [path, str(path), WAV, bytearray(WAV), memoryview(WAV), io.BytesIO(WAV)]
        ways += [buffered, raw, Pipe(WAV), io.BufferedReader(Pipe(WAV))]
        for audio in ways:
            np.testing.assert_array_equal(load_audio(audio)[0], EXPECTED)
        assert not buffered.closed and not raw.closed


def test_a_file_object_is_read_from_its_beginning_twice():
    file = io.BytesIO(WAV)
    file.seek(0, os.SEEK_END)
    for _ in range(2):
        np.testing.assert_array_equal(load_audio(file)[0], EXPECTED)


def test_a_real_pipe_and_a_named_pipe(tmp_path):
    named = tmp_path / "pipe"
    os.mkfifo(named)
    read_end, write_end = os.pipe()
    with os.fdopen(read_end, "rb") as unnamed:
        for target, audio in ((write_end, unnamed), (named, named)):
            writer = threading.Thread(target=write, args=(target, WAV))
            writer.start()
            np.testing.assert_array_equal(load_audio(audio)[0], EXPECTED)
            writer.join()


def write(target: int | Path, data: bytes) -> None:
    with open(target, "wb") as file:
        file.write(data)


def test_a_long_pipe_goes_to_disk_and_an_endless_one_ends(monkeypatch):
    monkeypatch.setattr(sources, "SPOOL_MEMORY_BYTES", 1000)
    np.testing.assert_array_equal(load_audio(Pipe(WAV))[0], EXPECTED)
    monkeypatch.setattr(sources, "SPOOL_LIMIT_BYTES", 20_000)
    assert "save it to a file first" in sentence(Pipe(WAV))


def test_a_missing_file(tmp_path):
    assert sentence(tmp_path / "no.wav").startswith("There is no file")
    assert sentence(tmp_path / "no" / "no.wav").startswith("There is no file")
    assert "download it first" in sentence("https://example.org/a.wav")


def test_a_folder(tmp_path):
    assert sentence(tmp_path).endswith("is a folder: give the path of one audio file.")


def test_a_device():
    assert "is a device" in sentence("/dev/zero")


def test_impossible_paths():
    assert "check the path" in sentence("a\0b.wav")
    assert "check the path" in sentence("a" * 5000)


def test_an_unreadable_file(tmp_path):
    path = tmp_path / "secret.wav"
    path.write_bytes(WAV)
    path.chmod(0)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)  # root reads everything
    try:
        message = sentence(path)
    finally:
        if is_root:
            os.seteuid(0)
    assert message.startswith("There is no permission to read")


@pytest.mark.parametrize("empty", [b"", io.BytesIO(), Pipe(b"")])
def test_nothing_at_all(empty):
    assert "is empty (0 bytes)" in sentence(empty)


def test_an_empty_file_is_called_by_its_name(tmp_path):
    (tmp_path / "a.wav").touch()
    assert sentence(tmp_path / "a.wav").startswith("'a.wav' is empty")


@pytest.mark.parametrize("thing", [None, 3, [0.1, 0.2], (16_000, np.zeros(16_000))])
def test_what_cannot_hold_audio(thing):
    assert sentence(thing).startswith(f"Cannot read audio from {type(thing).__name__}")


def test_a_text_file_object():
    assert "open it with mode 'rb'" in sentence(io.StringIO("hello"))


def test_a_closed_file_object():
    file = io.BytesIO(WAV)
    file.close()
    assert "could not be read" in sentence(file)


@pytest.mark.parametrize("name", ["wav_16", "flac", "ogg_vorbis", "mp3", "m4a", "webm_opus"])
@pytest.mark.parametrize("share", [0.0, 0.4])
def test_a_disk_that_fails(name, share, capfd):
    """The error of a file object reaches the caller, in words, whichever decoder met it."""
    data = clip(name, duration_s=4.0)

    class FailingDisk(io.BytesIO):
        def read(self, size=-1):
            if size and self.tell() + size > share * len(data):
                raise OSError("the disk is on fire")
            return super().read(size)

    assert "could not be read to its end (the disk is on fire)" in sentence(FailingDisk(data))
    assert capfd.readouterr() == ("", "")


def test_a_source_closes_what_it_opened(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(WAV)
    with open_source(path) as source:
        assert source.read(4) == b"RIFF"
        assert source.seek(-4, os.SEEK_END) == len(WAV) - 4
        assert source.seek(-1) == -1
        assert source.tell() == len(WAV) - 4
    with pytest.raises(ValueError, match="closed"):
        source.tell()


def test_a_decoder_never_gets_more_bytes_than_it_asked_for():
    class Generous(io.BytesIO):
        def read(self, size=-1):
            return super().read(size and size + 100)

    assert open_source(Generous(WAV)).read(10) == WAV[:10]
