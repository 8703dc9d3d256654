"""What a file is by its first bytes, and the sentences for what cannot be decoded."""

import re

from langid.audio.sources import Source
from langid.errors import AudioError, Message

SIGNATURES = {  # how files start, to choose the decoder and to word errors
    "WAV": rb"(RIFF|RIFX|RF64)....WAVE",
    "Wave64": rb"riff\x2e\x91\xcf\x11",
    "AIFF": rb"FORM....(AIF[FC]|8SVX)",
    "AU": rb"\.snd|dns\.",
    "CAF": rb"caff",
    "FLAC": rb"fLaC",
    "Ogg": rb"OggS",
    "NIST": rb"NIST_1A",
    "VOC": rb"Creative Voice File",
    "MP3": rb"ID3",
    "MP4": rb"....(ftyp|moov|mdat)",
    "WebM": rb"\x1a\x45\xdf\xa3",
    "WMA": rb"\x30\x26\xb2\x75",
    "AMR": rb"#!AMR",
    "AVI": rb"RIFF....AVI ",
    "FLV": rb"FLV\x01",
}
FRAGMENTS = {  # what tells a piece of a file whose beginning, with the header, is missing
    "WebM": rb"\A\xa3([\x80-\xff]|[\x40-\x7f].)\x81|\x1f\x43\xb6\x75",  # a block; a cluster
    "MP4": rb"\A....(moof|styp|sidx)|moof\x00\x00\x00\x10mfhd",
    "Ogg": rb"OggS\x00[\x00\x01\x04\x05]",  # a page that begins no stream
}
SEARCHED_BYTES = 2**17  # for these: a second or more of a stream
RAW_SUFFIXES = frozenset(
    {
        *(".gsm", ".ulaw", ".ul", ".mulaw", ".pcmu", ".alaw", ".al", ".pcma", ".sln", ".slin"),
        *(".sln8", ".sln16", ".sln48", ".raw", ".pcm", ".sw", ".s16", ".s16le", ".vox", ".g729"),
        *(".g722", ".g723", ".g726", ".lpcm", ".ub", ".sb", ".f32", ".f32le"),
    }
)
GSM_FRAME_BYTES = 33  # GSM 06.10, whose frames start with the half-byte 0xD
N_GSM_FRAMES = 10  # so many in a row are no chance: one in 16 ** 10


def container_kind(head: bytes) -> str | None:
    """What a file that starts with these bytes says it is, a key of `SIGNATURES`."""
    return next((k for k, p in SIGNATURES.items() if re.match(p, head, re.DOTALL)), None)


def undecodable(source: Source, kind: str | None) -> AudioError:
    """The error for a file of which nothing can be decoded; `kind` is what it starts like."""
    head = source.peek(0, SEARCHED_BYTES)
    fragment = next((k for k, p in FRAGMENTS.items() if re.search(p, head, re.DOTALL)), None)
    if fragment is not None and (kind is None or (kind == fragment == "Ogg" and head[5] & 2 == 0)):
        return AudioError(
            Message(
                "The beginning of {name} is missing, as in a slice of {format}: give the whole "
                "recording, or join the slices from the first one on.",
                name=source.name,
                format=fragment,
            )
        )
    if kind is not None:
        return AudioError(
            Message(
                "{name} starts like {format} but nothing in it can be decoded, so it is cut off or "
                "damaged: record, export or download it again.",
                name=source.name,
                format=kind,
            )
        )
    if source.suffix in RAW_SUFFIXES or _is_gsm(head):
        return AudioError(
            Message(
                "{name} is not audio with a header, but may be raw telephone audio (.gsm, .ulaw, "
                ".alaw, .sln): convert it to WAV with its coding and rate, as by ffmpeg -f gsm -i "
                "IN OUT.wav.",
                name=source.name,
            )
        )
    return AudioError(
        Message(
            "{name} is not audio: give a recording as WAV, FLAC, MP3, Ogg, Opus, M4A, WebM or "
            "another usual format.",
            name=source.name,
        )
    )


def _is_gsm(head: bytes) -> bool:
    starts = head[::GSM_FRAME_BYTES][:N_GSM_FRAMES]
    return len(starts) == N_GSM_FRAMES and all(start >> 4 == 0xD for start in starts)
