"""Ogg page by page: rates, marks, chains, gaps, lost pages and ends."""

import numpy as np
import pytest
from helpers.audio import clip, dominant_hz
from helpers.ogg import (
    granule,
    later,
    opus_with_input_rate,
    pages,
    with_checksum,
    without_end_mark,
)

from langid.audio import AudioStream, load_audio
from langid.audio.ogg import ogg_links
from langid.audio.sources import open_source
from langid.errors import AudioError

CODECS = ["ogg_opus", "ogg_vorbis", "ogg_flac"]
RATE_HZ = {"ogg_opus": 48_000, "ogg_vorbis": 44_100, "ogg_flac": 44_100}


def clip_pages(name: str, duration_s: float = 5.3) -> list[bytes]:
    return list(pages(clip(name, duration_s=duration_s)))


def duration_s(waveform: np.ndarray) -> float:
    return len(waveform) / 16_000


def assert_lasts(data: bytes, expected_s: float, tolerance_s: float = 0.02) -> None:
    """The tone from end to end, and nothing to say of it."""
    waveform, warnings = load_audio(data)
    assert duration_s(waveform) == pytest.approx(expected_s, abs=tolerance_s)
    assert dominant_hz(waveform, 16_000) == pytest.approx(1000, abs=2)
    assert warnings == []


@pytest.mark.parametrize("rate_hz", [0, 8_000, 16_000, 22_050, 48_000, 96_000])
def test_opus_lasts_as_long_as_it_is_whatever_its_header_says(rate_hz):
    *most, last = pages(opus_with_input_rate(clip("ogg_opus", duration_s=5.3), rate_hz))
    for end in (last, without_end_mark(last)):
        for tail in (b"", bytes(5_000), b"garbage" * 50):
            assert_lasts(b"".join([*most, end, tail]), 5.3)


def test_opus_tells_the_rate_it_was_recorded_at():
    stream = AudioStream(opus_with_input_rate(clip("ogg_opus"), 16_000))
    next(stream)
    assert (stream.source_rate_hz, stream.format) == (16_000, "Opus")
    stream = AudioStream(opus_with_input_rate(clip("ogg_opus"), 0))
    next(stream)
    assert stream.source_rate_hz == 48_000


@pytest.mark.parametrize("name", CODECS)
def test_a_complete_stream_without_an_end_mark_is_whole(name):
    *most, last = clip_pages(name)
    assert_lasts(b"".join([*most, without_end_mark(last)]), 5.3)


@pytest.mark.parametrize("first", CODECS)
@pytest.mark.parametrize("second", CODECS)
def test_a_chain_lasts_as_long_as_its_links(first, second):
    assert_lasts(clip(first, duration_s=2.0) + clip(second, duration_s=5.3), 7.3, 0.04)


@pytest.mark.parametrize("name", ["ogg_opus", "ogg_vorbis"])
def test_a_chain_that_goes_on_at_a_late_time_has_no_gap(name):
    """As a radio station's does that runs for days, and whose hour is recorded."""
    late = [
        later(page, 90_000 * RATE_HZ[name]) if granule(page) else page for page in clip_pages(name)
    ]
    assert_lasts(b"".join(late), 5.3)
    assert_lasts(clip(name, duration_s=2.0) + b"".join(late), 7.3, 0.04)


@pytest.mark.parametrize("name", ["ogg_opus", "ogg_flac"])
@pytest.mark.parametrize("gap_s", [3, 65])
def test_a_gap_of_the_time_stamps_is_silence_and_no_damage(name, gap_s):
    """As of a muted microphone: the page numbers go on."""
    whole = clip_pages(name)
    half = len(whole) // 2
    shifted = [later(page, gap_s * RATE_HZ[name]) for page in whole[half:]]
    waveform, warnings = load_audio(b"".join(whole[:half] + shifted))
    assert duration_s(waveform) == pytest.approx(5.3 + gap_s, abs=0.02)
    assert warnings == []
    silence = np.flatnonzero(np.abs(waveform) < 1e-6)
    assert len(silence) / 16_000 == pytest.approx(gap_s, abs=0.2)


@pytest.mark.parametrize("name", CODECS)
def test_a_lost_page_is_damage(name):
    whole = clip_pages(name)
    del whole[2 if name == "ogg_vorbis" else len(whole) // 2]
    _, (warning,) = load_audio(b"".join(whole))
    assert warning == "The input is damaged: what could not be decoded is left out."


def test_pages_that_are_only_counted_wrong_are_no_damage():
    whole = clip_pages("ogg_opus")
    wrong = [with_checksum(page[:18] + (3 * i).to_bytes(4, "little") + page[22:])
             for i, page in enumerate(whole)]  # fmt: skip
    assert_lasts(b"".join(wrong), 5.3)


@pytest.mark.parametrize("name", CODECS)
def test_a_broken_last_page_is_missing_and_said_to_be(name):
    *most, last = clip_pages(name)
    waveform, (warning,) = load_audio(b"".join([*most, last[:22] + b"abcd" + last[26:]]))
    assert duration_s(waveform) == pytest.approx(granule(most[-1]) / RATE_HZ[name], abs=0.02)
    assert warning == "The input is damaged: what could not be decoded is left out."


def test_a_broken_last_page_without_content_is_not_missed():
    """Some encoders end with an empty page only for its mark."""
    *most, last = clip_pages("ogg_opus")
    number = int.from_bytes(last[18:22], "little") + 1
    empty = last[:18] + number.to_bytes(4, "little") + b"abcd" + b"\0"
    assert_lasts(b"".join([*most, without_end_mark(last), empty]), 5.3)


@pytest.mark.parametrize("name", CODECS)
def test_only_a_page_or_packet_without_its_end_is_cut_off(name):
    whole = clip_pages(name, duration_s=12.0)
    kept = whole[:-1]
    waveform, warnings = load_audio(b"".join(kept))
    assert 2 < duration_s(waveform) < 12
    assert warnings == [] or kept[-1][26 + kept[-1][26]] == 255  # a packet that goes on
    _, (warning,) = load_audio(b"".join([*kept, whole[-1][:200]]))
    assert f"is cut off: only its first {duration_s(waveform):.1f} s are there" in warning


def test_a_stream_without_its_first_pages_is_a_slice():
    with pytest.raises(AudioError, match="The beginning of The input is missing"):
        load_audio(b"".join(clip_pages("ogg_opus")[3:]))


def test_links_begin_where_streams_begin():
    parts = [clip("ogg_opus"), clip("ogg_vorbis"), clip("ogg_opus") + bytes(1000)]
    with open_source(b"".join(parts)) as source:
        links = ogg_links(source)
    ends = np.cumsum([len(part) for part in parts])
    assert [link.start for link in links] == [0, *ends[:-1]]
    assert [link.end for link in links] == list(ends)
    assert not any(link.is_cut_off or link.n_broken or link.n_lost for link in links)


def test_many_small_pages_are_read_in_time():
    """Half an hour of a page for each packet, as some recorders write."""
    page = with_checksum(clip_pages("ogg_opus")[2][:26] + b"\x01\x50" + bytes(0x50))
    first = clip_pages("ogg_opus")[0]
    with open_source(first + page * 90_000) as source:
        (link,) = ogg_links(source)
    assert link.end == len(first) + 90_000 * len(page)
