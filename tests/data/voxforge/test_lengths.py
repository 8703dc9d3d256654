"""How long recordings are: what their headers announce, and how much of them is decoded."""

import pytest
from helpers.voxforge import STEM, audio_bytes, make_archive, noise, silence

from langid.data.clips import ClipLimits
from langid.data.voxforge import archive
from langid.data.voxforge.archive import read_archive, survey_archive


def flac_that_says(n_samples: int, waveform) -> bytes:
    """A FLAC file whose header announces another length."""
    data = bytearray(audio_bytes(waveform, suffix="flac"))
    assert data[:4] == b"fLaC" and data[4] & 0x7F == 0  # STREAMINFO; 36 bits from its 13th byte
    data[21] = (data[21] & 0xF0) | n_samples >> 32
    data[22:26] = (n_samples & 0xFFFFFFFF).to_bytes(4, "big")
    return bytes(data)


def test_a_survey_of_flac_and_of_unfinished_headers(path):
    unfinished = bytearray(audio_bytes(noise(2, 2.0)))
    unfinished[4:8] = unfinished[40:44] = bytes(4)  # the sizes that are written at the end
    make_archive(path, recordings={"a1": noise(1), "a2": bytes(unfinished)}, audio_folder="flac")
    assert survey_archive(path).duration_s == pytest.approx(3.0, abs=0.01)


@pytest.mark.parametrize("n_samples", [0, 2**36 - 1, 10**7])
def test_a_header_that_announces_too_much_is_not_believed(path, n_samples):
    lying = flac_that_says(n_samples, noise(1, 1.5))
    make_archive(path, recordings={"a1": lying}, audio_folder="flac")
    assert 0.5 < survey_archive(path).duration_s < 3
    assert sum(
        u.duration_s for u in read_archive(path, "en", limits=ClipLimits()).utterances
    ) == pytest.approx(1.5, abs=0.1)


def test_a_long_recording_is_not_decoded_to_its_end(path, monkeypatch):
    monkeypatch.setattr(archive, "_MAX_RECORDING_S", 6.0)
    recordings = {"a1": noise(1, 9.0), "a2": silence(9.0), "a3": noise(3, 6.0)}
    prompts = {"a1": "ONE", "a2": "TWO", "a3": "THREE"}
    make_archive(path, recordings=recordings, prompts=prompts, audio_folder="flac")
    reading = read_archive(path, "en", limits=ClipLimits(max_duration_s=4.0))
    assert [(u.utterance_id, u.duration_s) for u in reading.utterances] == [
        ("a1-0000", 4.0),
        ("a1-0001", 2.0),
        ("a3-0000", 4.0),
        ("a3-0001", 2.0),
    ]
    assert reading.changes.names["the rest left out after 0.1 min"] == [f"{STEM}/a1.flac"]
    assert reading.excluded.names == {"silent (all zero)": [f"{STEM}/a2.flac"]}
    whole = read_archive(
        path, "en", limits=ClipLimits()
    )  # which would be stored as it is otherwise
    assert [u.duration_s for u in whole.utterances] == [6.0, 6.0]
    assert [u.transcript for u in whole.utterances] == [None, "THREE"]
