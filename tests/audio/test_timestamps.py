"""Time is a player's: late starts, gaps, other clocks, edit lists."""

import io
import shutil
import subprocess

import av
import numpy as np
import pytest
from helpers.audio import FORMATS, clip, mux_tracks, tone

from langid.audio import AudioStream, load_audio, timestamps
from langid.audio.timestamps import Timeline
from langid.errors import AudioError

RATE = 48_000


def active_spans_s(waveform: np.ndarray) -> list[tuple[float, float]]:
    """Where there is sound, to 0.1 s: pairs of start and end."""
    frames = waveform[: len(waveform) // 1600 * 1600].reshape(-1, 1600)
    loud = np.concatenate([[False], np.sqrt(np.square(frames).mean(axis=1)) > 0.02, [False]])
    borders = np.flatnonzero(np.diff(loud.astype(int))) / 10
    return [tuple(pair) for pair in borders.reshape(-1, 2).tolist()]


def remux(data: bytes, shift, container_format: str = "matroska") -> bytes:
    """The packets of a file with `shift(time in seconds)` added to their time stamps; None leaves
    a packet out."""
    buffer = io.BytesIO()
    with (
        av.open(io.BytesIO(data)) as before,
        av.open(buffer, "w", format=container_format) as after,
    ):
        stream = after.add_stream_from_template(before.streams.audio[0])
        for packet in before.demux(before.streams.audio[0]):
            if packet.pts is None:
                continue
            later_s = shift(float(packet.pts * packet.time_base))
            if later_s is not None:
                packet.pts += round(later_s / packet.time_base)
                packet.dts = packet.pts
                packet.stream = stream
                after.mux(packet)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("container_format", "codec", "sample_rate"),
    [("webm", "libopus", 48_000), ("matroska", "flac", 44_100), ("mp4", "aac", 16_000),
     ("flv", "aac", 44_100), ("mov", "alac", 44_100)],
)  # fmt: skip
def test_a_gap_is_silence_and_not_cut_off(container_format, codec, sample_rate):
    source = mux_tracks([(0.0, tone(duration_s=4.0, sample_rate=sample_rate))], container_format,
                        codec, sample_rate)  # fmt: skip
    muted = remux(source, lambda t: 20.0 if t >= 2 else 0.0, container_format)
    waveform, warnings = load_audio(muted)
    assert warnings == []
    assert len(waveform) / 16_000 == pytest.approx(24, abs=0.15)
    (_, end_s), (start_s, _) = active_spans_s(waveform)
    assert (end_s, start_s) == pytest.approx((2.0, 22.0), abs=0.2)


def test_discontinuous_transmission_leaves_many_gaps():
    source = mux_tracks([(0.0, tone(duration_s=6.0, sample_rate=RATE))], "webm")
    sparse = remux(source, lambda t: 0.0 if t % 1 < 0.5 else None, "webm")
    waveform, warnings = load_audio(sparse)
    assert warnings == []
    assert len(waveform) / 16_000 == pytest.approx(5.5, abs=0.1)
    assert len(active_spans_s(waveform)) == 6


@pytest.mark.parametrize(
    ("container_format", "codec", "sample_rate"),
    [("mp4", "aac", 16_000), ("matroska", "libopus", 48_000), ("mov", "aac", 44_100),
     ("mpegts", "aac", 44_100)],
)  # fmt: skip
def test_a_track_that_starts_after_the_picture_starts_late(container_format, codec, sample_rate):
    film = mux_tracks([(6.0, tone(duration_s=3.0, sample_rate=sample_rate))], container_format,
                      codec, sample_rate, video_s=10.0)  # fmt: skip
    waveform, warnings = load_audio(film)
    assert warnings == []
    assert len(waveform) / 16_000 == pytest.approx(9, abs=0.15)
    ((start_s, end_s),) = active_spans_s(waveform)
    assert (start_s, end_s) == pytest.approx((6, 9), abs=0.2)


def test_sound_alone_starts_at_its_first_stamp():
    """A recorder's clock need not start at 0, and players do not show what was before."""
    late = remux(clip("webm_opus", duration_s=3.0), lambda t: 5000.0, "webm")
    waveform, warnings = load_audio(late)
    assert len(waveform) / 16_000 == pytest.approx(3, abs=0.05)
    assert warnings == []


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_the_length_is_what_ffmpeg_decodes(name, tmp_path):
    """The program on this system, which fills gaps as a player does."""
    if shutil.which("ffmpeg") is None:
        pytest.skip("no program ffmpeg")
    path = tmp_path / "clip"
    path.write_bytes(clip(name, duration_s=5.3))
    command = ["ffmpeg", "-v", "quiet", "-i", path, "-af", "aresample=async=1:first_pts=0"]
    decoded = subprocess.run([*command, "-ac", "1", "-ar", "16000", "-f", "s16le", "-"],
                             capture_output=True, check=False).stdout  # fmt: skip
    # Old versions keep the encoder's padding (MP3, AAC), of two frames at most.
    assert len(load_audio(path)[0]) == pytest.approx(len(decoded) / 2, abs=0.1 * 16_000)


def test_a_gap_of_a_day_is_a_sentence():
    source = mux_tracks([(0.0, tone(duration_s=2.0, sample_rate=RATE))], "matroska")
    day = remux(source, lambda t: 86_400.0 if t >= 1 else 0.0)
    stream = AudioStream(day)
    with pytest.raises(AudioError, match=r"has a gap of 24:00:00 in its time stamps at 0:00:01"):
        list(stream)
    assert stream.duration_s < 2


def test_a_long_gap_takes_no_more_memory_than_a_short_one():
    source = mux_tracks([(0.0, tone(duration_s=2.0, sample_rate=RATE))], "matroska")
    hour = remux(source, lambda t: 3600.0 if t >= 1 else 0.0)
    assert all(len(block) < 1.1 * 16_000 for block in AudioStream(hour))


def test_gaps_are_limited_in_all(monkeypatch):
    monkeypatch.setattr(timestamps, "MAX_SILENCE_S", 10.0)
    line = Timeline("a", 0.0, changes_clock=False)
    assert line.place(6.0, 0.02) == 6.0
    with pytest.raises(AudioError, match="a has a gap of 0:00:06"):
        line.place(12.02, 0.02)


def placed(stamps_s, duration_s=0.02, **settings):
    line = Timeline("a", settings.pop("origin_s", 0.0), settings.pop("changes_clock", False))
    return [line.place(stamp_s, duration_s) for stamp_s in stamps_s], line


def test_rounded_stamps_leave_no_gap():
    stamps_s = [round(0.02 * i, 3) + 0.001 * (i % 3) for i in range(500)]
    assert placed(stamps_s)[0] == [0.0] * 500


def test_frames_without_stamps_follow_each_other():
    gaps_s, line = placed([0.0, None, None, 0.06, 1.06])
    assert gaps_s == pytest.approx([0, 0, 0, 0, 0.98])
    assert line.position_s == line.end_stamp_s == pytest.approx(1.08)


def test_stamps_that_go_back_are_another_clock():
    gaps_s, line = placed([0.0, 0.02, 0.0, 0.02, 0.04, -7.0, -6.98, -5.96])
    assert gaps_s == pytest.approx([0, 0, 0, 0, 0, 0, 0, 1.0])
    assert line.position_s == pytest.approx(1.16)


def test_a_leap_is_another_clock_only_where_it_may_change():
    assert placed([0.0, 15.0])[0] == pytest.approx([0, 14.98])
    assert placed([0.0, 15.0, 15.02], changes_clock=True)[0] == pytest.approx([0, 0, 0])
    assert placed([0.0, 5.0], changes_clock=True)[0] == pytest.approx([0, 4.98])


def test_the_origin_may_be_the_first_stamp():
    gaps_s, line = placed([100.0, 100.02], origin_s=None)
    assert gaps_s == [0, 0]
    assert (line.start_s, line.end_stamp_s) == pytest.approx((0, 100.04))
