"""Tags before and behind the audio are neither audio nor damage."""

import numpy as np
import pytest
from helpers.audio import clip, id3_tag

from langid.audio import load_audio
from langid.audio.sources import open_source
from langid.audio.tags import audio_bounds
from langid.errors import AudioError

ID3V1 = b"TAG" + b"a title".ljust(125, b"\0")
ENHANCED_ID3V1 = b"TAG+" + b"a longer title".ljust(223, b"\0")


def ape_tag(n_bytes: int = 200, header: bool = True) -> bytes:
    items = np.random.default_rng(1).bytes(n_bytes)
    size = (n_bytes + 32).to_bytes(4, "little")

    def block(is_header: bool) -> bytes:
        flags = (header << 31) | (is_header << 29)
        return b"APETAGEX\xd0\x07\0\0" + size + b"\1\0\0\0" + flags.to_bytes(4, "little") + bytes(8)

    return (block(True) if header else b"") + items + block(False)


def lyrics_3v2(n_bytes: int = 3000) -> bytes:
    body = b"LYRICSBEGIN" + b"IND0000200" + b"[00:01] la".ljust(n_bytes, b" ")
    return body + b"%06d" % len(body) + b"LYRICS200"


LYRICS_3V1 = b"LYRICSBEGIN" + b"[00:01] la" * 200 + b"LYRICSEND"
ID3V2_BEHIND = b"".join(
    (b"ID3\x04\0\x10\0\0\x07\x68", b"a" * 1000, b"3DI\x04\0\x10\0\0\x07\x68")
)  # 7 * 128 + 104
BEHIND = {
    "ID3v1": ID3V1,
    "enhanced ID3v1": ENHANCED_ID3V1 + ID3V1,
    "APEv2": ape_tag(),
    "APEv2 without a header": ape_tag(header=False),
    "APEv2 with a picture": ape_tag(100_000),
    "APEv2 and ID3v1": ape_tag() + ID3V1,
    "Lyrics3v2 and ID3v1": lyrics_3v2() + ID3V1,
    "Lyrics3v1 and ID3v1": LYRICS_3V1 + ID3V1,
    "Lyrics3v2, APEv2, ID3v1": lyrics_3v2() + ape_tag() + ID3V1,
    "ID3v2.4": ID3V2_BEHIND,
}


@pytest.mark.parametrize("tag", BEHIND)
@pytest.mark.parametrize("name", ["mp3_lame", "aac", "flac", "wav_16"])
def test_a_tag_behind_the_audio_changes_nothing(name, tag, capfd):
    audio = clip(name)
    waveform, warnings = load_audio(audio + BEHIND[tag])
    np.testing.assert_array_equal(waveform, load_audio(audio)[0])
    assert warnings == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["mp3_lame", "aac", "flac", "wav_16", "ogg_opus", "m4a"])
@pytest.mark.parametrize("tag", [id3_tag(3000), id3_tag(10) + id3_tag(500), ape_tag(50)])
def test_a_tag_before_the_audio_changes_nothing(name, tag, capfd):
    audio = clip(name)
    waveform, warnings = load_audio(tag + audio)
    np.testing.assert_array_equal(waveform, load_audio(audio)[0])
    assert warnings == []
    assert capfd.readouterr() == ("", "")


BETWEEN = {
    **BEHIND,
    "none": b"",
    "ID3v2.3": id3_tag(300),
    "ID3v2.3 in several packets": id3_tag(5_000),
    "of both files": ID3V1 + id3_tag(300),
}
# Nothing tells where the first two begin; the last is longer than clips as short as these.
for name in ("APEv2 without a header", "Lyrics3v2, APEv2, ID3v1", "APEv2 with a picture"):
    del BETWEEN[name]


@pytest.mark.parametrize("tag", BETWEEN)
@pytest.mark.parametrize("name", ["mp3_lame", "aac"])
def test_a_tag_between_joined_files_is_not_damage(name, tag):
    audio = 5 * clip(name)
    waveform, warnings = load_audio(audio + BETWEEN[tag] + audio)
    assert warnings == []
    # A decoder may lose what overlaps where they meet.
    assert len(waveform) == pytest.approx(len(load_audio(audio + audio)[0]), abs=1_000)


def test_damage_between_joined_files_is_still_noticed():
    audio = clip("mp3_lame")
    broken = audio + b"ID4\x04" + np.random.default_rng(0).bytes(3_000)
    assert "damaged" in str(load_audio(broken + audio)[1])


@pytest.mark.parametrize("tag", BEHIND)
def test_bounds_are_those_of_the_audio(tag):
    front, audio = id3_tag(77) + id3_tag(8), bytes(range(200)) * 9
    with open_source(front + audio + BEHIND[tag]) as source:
        assert audio_bounds(source) == (len(front), len(front) + len(audio))


@pytest.mark.parametrize(
    "tag", [*BEHIND.values(), id3_tag(500), ape_tag()[:32], b"LYRICSEND", b"3DI".ljust(10, b"\x7f")]
)
def test_nothing_but_a_tag_is_no_audio(tag):
    with open_source(tag) as source:
        start, end = audio_bounds(source)
    assert 0 <= start <= end <= len(tag)
    with pytest.raises(AudioError):
        load_audio(tag)


def test_sizes_beyond_the_file_are_not_believed():
    audio = bytes(500)
    lying = ape_tag()[-32:-20] + b"\xff\xff\xff\x7f" + ape_tag()[-16:]
    for tail in (lying, b"000999LYRICS200", b"3DI\x04\0\x10\x7f\x7f\x7f\x7f"):
        with open_source(audio + tail) as source:
            start, end = audio_bounds(source)
        assert start == 0 and end >= len(audio)


@pytest.mark.parametrize(
    ("start", "kind"),
    [(b"fLaC", "FLAC"), (b"RIFF\0\0\0\0WAVE", "WAV"), (b"OggS\0\2", "Ogg"), (b"????", "MP3")],
)
def test_a_file_starts_like_what_stands_behind_its_tag(start, kind):
    with pytest.raises(AudioError, match=f"starts like {kind} but nothing in it can be decoded"):
        load_audio(id3_tag(400) + start + bytes(300))
