"""The sentences for what cannot be decoded: each says what it may be, and what to do."""

import contextlib
import io

import av
import numpy as np
import pytest
import soundfile
from helpers.audio import FORMATS, clip, encode, missing_encoder, tone

from langid.audio import load_audio
from langid.audio.duration import announced_duration_s
from langid.errors import AudioError


def sentence(audio) -> str:
    with pytest.raises(AudioError) as caught:
        load_audio(audio)
    message = str(caught.value)
    assert message.endswith(".") and ". " not in message and "\n" not in message
    return message


def raw(codec: str) -> bytes:
    """Telephone audio without a header."""
    samples = tone(400, 1.0, 8_000)
    if codec == "gsm":  # frames of 33 bytes: four bits of 0xD and 260 of parameters
        noise = np.random.default_rng(0)
        return b"".join(b"\xd3" + noise.bytes(32) for _ in range(50))
    subtypes = {"ulaw": "ULAW", "alaw": "ALAW", "sln": "PCM_16"}
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, 8_000, format="RAW", subtype=subtypes[codec])
    return buffer.getvalue()


@pytest.mark.parametrize("codec", ["gsm", "ulaw", "alaw", "sln"])
def test_raw_telephone_audio_gets_a_hint(codec, tmp_path):
    path = tmp_path / f"voicemail.{codec.upper()}"
    path.write_bytes(raw(codec))
    assert "may be raw telephone audio (.gsm, .ulaw, .alaw, .sln): convert it" in sentence(path)


def test_gsm_is_known_without_its_name():
    assert "may be raw telephone audio" in sentence(raw("gsm"))
    assert "is not audio: give" in sentence(np.random.default_rng(0).bytes(2000))


@pytest.mark.parametrize("name", ["webm_opus", "webm_live"])
@pytest.mark.parametrize("n_skipped", [0, 1, 5000])
def test_a_later_part_of_a_webm_stream_misses_its_beginning(name, n_skipped):
    """Browsers hand a recording out in parts, of which only the first has a header."""
    data = clip(name, duration_s=30.0)
    cluster = data.index(b"\x1f\x43\xb6\x75", len(data) // 3)
    for start in (cluster - n_skipped, data.index(b"\xa3", cluster)):
        assert "The beginning of The input is missing, as in a slice of WebM" in sentence(
            data[start:]
        )


def test_a_later_fragment_of_an_mp4_misses_its_beginning():
    buffer = io.BytesIO()
    options = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "1000000"}
    with (
        av.open(io.BytesIO(clip("m4a", duration_s=6.0))) as before,
        av.open(buffer, "w", format="mp4", options=options) as after,
    ):
        stream = after.add_stream_from_template(before.streams.audio[0])
        for packet in before.demux(before.streams.audio[0]):
            if packet.pts is not None:
                packet.stream = stream
                after.mux(packet)
    data = buffer.getvalue()
    assert len(load_audio(data)[0]) > 5.5 * 16_000
    second = data.index(b"moof", data.index(b"moof") + 4) - 4
    assert "The beginning of The input is missing, as in a slice of MP4" in sentence(data[second:])


def test_sizes_that_point_beyond_every_disk_are_no_error_of_the_disk(tmp_path):
    if reason := missing_encoder(FORMATS["wma"]):
        pytest.skip(reason)
    wma = bytearray(clip("wma"))
    at = wma.index(b"\xa1\xdc\xab\x8c\x47\xa9\xcf\x11") + 16  # the first object within the header
    for size in (2**45, 2**62, 2**63 + 5):
        wma[at : at + 8] = size.to_bytes(8, "little")
        path = tmp_path / "a.wma"
        path.write_bytes(wma)
        try:
            load_audio(path)
        except AudioError as error:
            assert "starts like WMA but nothing in it can be decoded" in str(error)


def test_a_wav_with_mp3_inside_is_decoded_without_a_word(capfd):
    """libsndfile's MP3 library would comment on what it meets."""
    if reason := missing_encoder(FORMATS["wav_mp3"]):
        pytest.skip(reason)
    wav = encode(FORMATS["wav_mp3"], tone(duration_s=3.0))
    start = wav.index(b"data") + 8
    for odd in (
        wav,
        wav[: len(wav) // 2],
        wav[: start + 100] + bytes(300) + wav[start + 400 :],
        wav[:start] + bytes(70_000) + wav[start:],
        wav[: start + 600],
    ):
        with contextlib.suppress(AudioError):
            load_audio(odd)
        announced_duration_s(odd)
    assert capfd.readouterr() == ("", "")
