"""A recording is cut off when bytes are missing, not when time is."""

import numpy as np
import pytest
from helpers.audio import clip, mux_tracks, tone

from langid.audio import load_audio
from langid.audio.completeness import has_its_end
from langid.audio.sources import open_source

CLIPS = {
    "matroska": ["webm_opus", "webm_live", "mkv"],
    "mov": ["m4a", "m4a_faststart", "mp4_video", "mov_video", "3gp_aac"],
    "avi": ["avi_video"],
}


@pytest.mark.parametrize(
    ("container", "name"), [(c, name) for c, names in CLIPS.items() for name in names]
)
def test_the_structure_says_whether_the_end_is_there(container, name):
    data = clip(name)
    for n_missing in (0, 5, 1000, len(data) // 2):
        with open_source(data[: len(data) - n_missing]) as source:
            assert has_its_end(source, container) == (n_missing == 0)


@pytest.mark.parametrize("name", ["aiff", "mp3", "flac"])
def test_other_containers_do_not_tell(name):
    with open_source(clip(name)) as source:
        assert not has_its_end(source, "flac")
        for container in CLIPS:
            assert not has_its_end(source, container)


@pytest.mark.parametrize("container", list(CLIPS))
def test_any_bytes_give_an_answer_in_time(container):
    rng = np.random.default_rng(0)
    for size in (1, 7, 12, 3000):
        for data in (rng.bytes(size), bytes(size), b"\xff" * size, b"\x1a\x45\xdf\xa3" * size):
            with open_source(data) as source:
                has_its_end(source, container)


def test_a_mute_at_the_end_is_not_cut_off():
    """The header of a WebM file announces what the clock said, the last block came before."""
    webm = bytearray(clip("webm_opus", duration_s=3.0))
    at = webm.index(b"\x44\x89\x88") + 3  # Duration, a float of eight bytes, in ms
    webm[at : at + 8] = np.array(60_000.0, ">f8").tobytes()
    waveform, warnings = load_audio(bytes(webm))
    assert len(waveform) / 16_000 == pytest.approx(3.0, abs=0.05)
    assert warnings == []
    _, (warning,) = load_audio(bytes(webm[:-500]))
    assert "is cut off: of the 60.0 s it announces only" in warning


def test_an_avi_track_that_starts_late_is_not_cut_off():
    """Its length counts from the beginning of the film, and FFmpeg's time from the first sound."""
    film = mux_tracks([(6.0, tone(duration_s=3.0))], "avi", "mp2", 44_100, video_s=10.0)
    assert load_audio(film)[1] == []
