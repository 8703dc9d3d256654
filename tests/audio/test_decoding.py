"""Headers that lie, damage, cut files, odd MP3s, and what only looks like audio."""

import numpy as np
import pytest
from helpers.audio import (
    FORMATS,
    LAYOUTS,
    clip,
    dominant_hz,
    encode,
    id3_tag,
    level_db,
    missing_encoder,
    mux_tracks,
    picture,
    silent_film,
    tone,
)

from langid.audio import AudioStream, ffmpeg, load_audio
from langid.audio.formats import SIGNATURES, container_kind
from langid.errors import AudioError

CLIP_S = 4.0


def patched(data: bytes, *patches: tuple[int, bytes]) -> bytes:
    changed = bytearray(data)
    for offset, new in patches:
        changed[offset : offset + len(new)] = new
    return bytes(changed)


def sentence(audio) -> str:
    """The message of the error: one line, one sentence."""
    with pytest.raises(AudioError) as caught:
        load_audio(audio)
    message = str(caught.value)
    assert message.endswith(".") and ". " not in message and "\n" not in message
    return message


def assert_is_the_tone(waveform: np.ndarray, duration_s: float, tolerance_s: float = 0.1) -> None:
    assert len(waveform) / 16_000 == pytest.approx(duration_s, abs=tolerance_s)
    assert dominant_hz(waveform, 16_000) == pytest.approx(1000, abs=2)


@pytest.mark.parametrize("size", [0, 0x7FFFFFFF, 0x7FFFF000, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFE])
def test_sizes_that_a_pipe_could_not_know(size):
    """ffmpeg writes 0xFFFFFFFF, sox 0x7FFFF…, an interrupted recorder 0."""
    unknown = size.to_bytes(4, "little")
    wav = patched(clip("wav_16"), (4, unknown), (40, unknown))
    waveform, warnings = load_audio(wav)
    assert_is_the_tone(waveform, 1.5, 0.001)
    assert warnings == []


def test_an_au_header_without_a_size():
    waveform, warnings = load_audio(patched(clip("au"), (8, b"\xff\xff\xff\xff")))
    assert_is_the_tone(waveform, 1.5, 0.001)
    assert warnings == []


def test_a_flac_stream_of_unknown_length():
    """STREAMINFO holds the number of samples in 36 bits from the middle of byte 21 on."""
    flac = clip("flac")
    unknown = patched(flac, (21, bytes([flac[21] & 0xF0])), (22, bytes(4)))
    waveform, warnings = load_audio(unknown)
    np.testing.assert_array_equal(waveform, load_audio(flac)[0])
    assert warnings == []


def test_a_wav_with_other_chunks_around_its_samples():
    wav = clip("wav_16")
    listed = b"LIST" + (30).to_bytes(4, "little") + b"INFO" + bytes(26)
    waveform, warnings = load_audio(wav[:36] + listed + wav[36:] + listed)
    np.testing.assert_array_equal(waveform, load_audio(wav)[0])
    assert warnings == []


def test_wrong_byte_counts_in_a_wav_header_do_not_matter():
    wav = patched(clip("wav_16"), (28, (77).to_bytes(4, "little")))
    assert load_audio(wav)[1] == []


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_cut_file_is_decoded_as_far_as_it_goes(name, capfd):
    """An MP4 keeps its index at the end, so nothing of it is left; others lose only their end."""
    if reason := missing_encoder(FORMATS[name]):
        pytest.skip(reason)
    clip_s = 12.0 if name == "ogg_vorbis" else CLIP_S  # libsndfile writes pages of seconds
    data = clip(name, duration_s=clip_s)
    cut = data[: int(0.6 * len(data)) - 7]
    if FORMATS[name].suffix in {".m4a", ".mp4", ".mov", ".3gp"} and name != "m4a_faststart":
        assert "starts like MP4 but nothing in it can be decoded" in sentence(cut)
    else:
        waveform, warnings = load_audio(cut)
        assert 0.2 * clip_s < len(waveform) / 16_000 < 0.72 * clip_s
        assert dominant_hz(waveform, 16_000) == pytest.approx(1000, abs=2)
        assert all(w.endswith(".") and ". " not in w for w in warnings)
        # The rest neither states its length nor marks its end.
        if name not in {"aac", "ac3", "amr", "avi_video", "mkv", "webm_live", "wma", "nist", "voc"}:
            assert len(warnings) == 1
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["wav_16", "flac", "ogg_vorbis", "m4a", "webm_opus", "mp3_lame"])
def test_only_a_header(name):
    message = sentence(clip(name)[:44])
    assert (
        "not audio" in message
        or "nothing in it can be decoded" in message
        or "no samples" in (message)
    )


def test_a_hole_in_a_flac_or_mp3_costs_only_the_hole(capfd):
    for name in ("flac", "mp3", "aac"):
        data = clip(name, duration_s=CLIP_S)
        middle = len(data) // 2
        noise = np.random.default_rng(0).bytes(len(data) // 20)
        waveform, warnings = load_audio(patched(data, (middle, noise)))
        assert_is_the_tone(waveform, CLIP_S, 0.7)
        assert len(warnings) == 1
        assert "damaged" in warnings[0] or "cut off" in warnings[0]
    assert capfd.readouterr() == ("", "")


def test_a_long_run_of_damage_ends_the_decoding(monkeypatch):
    """Otherwise hours of damaged packets are tried one by one."""
    m4a = clip("m4a_faststart", duration_s=CLIP_S)
    start, end = len(m4a) // 3, len(m4a) // 2
    holed = patched(m4a, (start, b"\xff" * (end - start)))
    patient, _ = load_audio(holed)
    monkeypatch.setattr(ffmpeg, "MAX_DAMAGED_RUN", 3)
    impatient, (warning,) = load_audio(holed)
    assert 0.5 < len(impatient) / 16_000 < len(patient) / 16_000 - 1
    assert "cut off" in warning


@pytest.mark.parametrize("name", ["mp3", "mp3_lame"])
def test_odd_mp3s(name, capfd):
    """A large picture in the tag, an old tag, junk before or after, a start within a frame."""
    mp3 = clip(name, duration_s=CLIP_S)
    plain, _ = load_audio(mp3)
    for odd in (id3_tag(300_000) + mp3, mp3 + b"TAG" + b"a" * 125):
        waveform, warnings = load_audio(odd)
        np.testing.assert_array_equal(waveform, plain)
        assert warnings == []
    for odd, duration_s in (
        (bytes(5000) + mp3, CLIP_S),
        (mp3 + bytes(5000), CLIP_S),
        (mp3[len(mp3) // 2 + 13 :], CLIP_S / 2),
        (mp3 + mp3, 2 * CLIP_S),
    ):
        assert_is_the_tone(load_audio(odd)[0], duration_s, 0.15)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["mp3", "mp3_lame", "aac"])
def test_a_stream_may_be_recorded_from_any_moment_on(name):
    """The first packets refer to what was before."""
    data = clip(name, duration_s=CLIP_S)
    for offset in (13, 100, 333, 1000):
        waveform, warnings = load_audio(data[len(data) // 3 + offset :])
        assert_is_the_tone(waveform, CLIP_S * 2 / 3, 0.5)  # silence is coded with fewer bytes
        assert warnings == []


def test_a_last_packet_that_fails_is_no_damage():
    """Whatever follows the audio; a hole before the end is."""
    for name in ("mp3_lame", "aac", "webm_opus", "m4a_faststart"):
        data = clip(name, duration_s=CLIP_S)
        assert load_audio(data[:-20])[1] == []
    mp3 = clip("mp3_lame", duration_s=CLIP_S)
    _, (warning,) = load_audio(patched(mp3, (len(mp3) - 3000, b"\xff\x00" * 900)))
    assert "is damaged" in warning


def test_a_cut_mp3_that_states_its_length_behind_a_tag():
    mp3 = id3_tag(10_000) + clip("mp3_lame", duration_s=CLIP_S)
    _, (warning,) = load_audio(mp3[: 10_000 + (len(mp3) - 10_000) // 2])
    assert warning.startswith("The input is cut off: of the 4.0 s it announces only 2.0 s")


@pytest.mark.parametrize("name", ["ogg_vorbis", "ogg_opus", "ogg_flac", "flac"])
@pytest.mark.parametrize("duration_s", [2.0, 10.0])
def test_streams_one_after_the_other(name, duration_s):
    """Radio recordings are chains of Ogg streams; libsndfile stops after the first."""
    chain = clip(name, duration_s=duration_s) + clip(name, duration_s=duration_s + 1)
    assert_is_the_tone(load_audio(chain)[0], 2 * duration_s + 1)


@pytest.mark.parametrize("codec", ["png", "mjpeg", "gif", "bmp"])
def test_a_picture_is_not_audio(codec, tmp_path):
    for suffix in (".png", ".mp3", ".wav"):
        path = tmp_path / f"a{suffix}"
        path.write_bytes(picture(codec))
        assert "is not audio" in sentence(path)


@pytest.mark.parametrize(
    "text",
    [
        "Guten Tag, wie geht es Ihnen? " * 200,
        "\x1b[31mred\x1b[0m\n" * 500,
        "1\n00:00:01,000 --> 00:00:02,000\nHello.\n\n" * 50,
        "<svg xmlns='http://www.w3.org/2000/svg'><rect width='10' height='10'/></svg>",
        "%PDF-1.7\n" + "0 obj\n" * 500,
        "PK\x03\x04" + "\x00" * 500,
        "FORM 10-K, ANNUAL REPORT " * 100,
    ],
)
@pytest.mark.parametrize("suffix", [".txt", ".mp3", ".wav", ".ans", ".m4a", ".raw"])
def test_text_is_not_audio(text, suffix, tmp_path):
    path = tmp_path / f"a{suffix}"
    path.write_text(text)
    assert "is not audio" in sentence(path)


@pytest.mark.parametrize(
    "playlist",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{}'\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\n",
    ],
)
def test_a_playlist_opens_no_other_file(playlist, tmp_path):
    other = tmp_path / "other.wav"
    other.write_bytes(clip("wav_16"))
    path = tmp_path / "list.m3u8"
    path.write_text(playlist.format(other))
    assert "is not audio" in sentence(path)


def test_a_silent_film():
    assert "has no audio track" in sentence(silent_film())


def test_the_ending_of_the_name_does_not_matter(tmp_path):
    for name in ("wav_16", "mp3", "m4a", "webm_opus", "flac"):
        for suffix in ("", ".raw", ".txt", ".wav", ".mp3", ".mp4"):
            path = tmp_path / f"{name}{suffix}"
            path.write_bytes(clip(name))
            assert_is_the_tone(load_audio(path)[0], 1.5)


def test_formats_are_known_by_their_first_bytes():
    kinds = {
        name: container_kind(clip(name)[:64])
        for name, form in FORMATS.items()
        if missing_encoder(form) is None
    }
    known = {
        "wav": "WAV", "rf64": "WAV", "w64": "Wave64", "aiff": "AIFF", "au": "AU", "caf": "CAF",
        "nist": "NIST", "voc": "VOC", "flac": "FLAC", "ogg": "Ogg", "m4a": "MP4", "mp4": "MP4",
        "mov": "MP4", "3gp": "MP4", "webm": "WebM", "mkv": "WebM", "avi": "AVI", "wma": "WMA",
        "amr": "AMR",
    }  # fmt: skip
    assert kinds == {name: known.get(name.split("_")[0]) for name in kinds} | {
        name: "MP3" for name in kinds if name == "mp3_lame"
    }
    assert set(kinds.values()) - {None} == set(SIGNATURES) - {"FLV"}


def test_levels_survive_every_decoder():
    """Nothing normalises: half the amplitude stays 6 dB less."""
    for name in ("wav_u8", "wav_float", "flac", "mp3", "m4a", "webm_opus", "wma"):
        loud, quiet = (load_audio(clip(name, amplitude=a))[0] for a in (0.5, 0.25))
        assert level_db(loud) - level_db(quiet) == pytest.approx(6.02, abs=0.3)


def test_a_frame_with_channels_in_one_plane_keeps_its_channels_apart():
    """WAV by FFmpeg comes interleaved: left a tone, right silence, so the mean is half the tone."""
    stereo = tone(1000, 1.0, 44_100, 2)
    stereo[:, 1] = 0
    wav = patched(encode(FORMATS["wav_16"], stereo), (40, bytes(4)))  # size 0: read by FFmpeg
    waveform, _ = load_audio(wav)
    assert_is_the_tone(waveform, 1.0, 0.001)
    assert level_db(waveform) == pytest.approx(level_db(tone()) - 6.02, abs=0.1)


@pytest.mark.parametrize(
    ("codec", "layout", "n_channels"),
    [("aac", "7.1", 8), ("aac", "hexadecagonal", 16), ("libopus", "7.1", 8)],
)
def test_films_of_eight_channels_and_more_do_not_crash(codec, layout, n_channels, monkeypatch):
    """PyAV reads behind the list of a frame's planes if that is full."""
    monkeypatch.setitem(LAYOUTS, n_channels, layout)
    film = mux_tracks([(0.0, tone(1000, 2.0, 48_000, n_channels))], "matroska", codec)
    stream = AudioStream(film)
    assert_is_the_tone(np.concatenate(list(stream)), 2.0)
    assert stream.n_channels == n_channels
