"""Archives laid out like those of VoxForge, made on the fly, with their faults on request."""

import gzip
import io
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import soundfile

from helpers.voxforge_server import RATE, archive_path

SAMPLE_RATE = 16_000
STEM = "anna-20080318-kdl"  # of an archive's name
README_FIELDS = {
    "User Name": "anna",
    "Gender": "Female",
    "Age Range": "Adult",
    "Language": "EN",
    "Native Speaker": "Yes",
    "Pronunciation dialect": "British English",
}
# What becomes of the bytes of a good archive, by the problem that a survey finds in them.
FAULTS: dict[str, Callable[[bytes], bytes]] = {
    "empty file": lambda data: b"",
    "an HTML page, not an archive": lambda data: b"<!DOCTYPE html><html><body>404</body></html>",
    "not a gzip archive": lambda data: b"?" + np.random.default_rng(0).bytes(10_000),
    "not a tar archive": lambda data: gzip.compress(b"hello" * 1000),
    "truncated": lambda data: data[: 6 * len(data) // 10],
    "damaged": lambda data: data[:-8] + bytes(4) + data[-4:],  # a wrong checksum
    "no recordings inside": lambda data: _without_audio(data),
}


def corrupt(path: Path, problem: str) -> Path:
    """Give a good archive one of the `FAULTS`; returns its path."""
    path.write_bytes(FAULTS[problem](path.read_bytes()))
    return path


def noise(seed: int, duration_s: float = 1.0, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    """White noise, int16 (n,): no two seeds alike."""
    n_samples = round(duration_s * sample_rate)
    return np.random.default_rng(seed).normal(0, 3000, n_samples).astype(np.int16)


def clipped(seed: int, duration_s: float = 1.0, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    """Noise that is all at full scale, int16 (n,)."""
    sign = noise(seed, duration_s, sample_rate) > 0
    return np.where(sign, 32767, -32768).astype(np.int16)


def silence(duration_s: float = 1.0, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    """Zeros, int16 (n,)."""
    return np.zeros(round(duration_s * sample_rate), np.int16)


def not_finite(seed: int, duration_s: float = 1.0, sample_rate: int = SAMPLE_RATE) -> bytes:
    """A WAV file of floats, a tenth of which are NaN: too many to be repaired."""
    waveform = noise(seed, duration_s, sample_rate) / np.float32(32768)
    waveform[::10] = np.nan
    buffer = io.BytesIO()
    soundfile.write(buffer, waveform, sample_rate, subtype="FLOAT", format="WAV")
    return buffer.getvalue()


def make_archive(
    path: Path,
    *,
    recordings: Mapping[str, np.ndarray | bytes],
    prompts: Mapping[str, str] | str | bytes | None = None,
    readme: Mapping[str, str] | str | bytes | None = None,
    audio_folder: str = "wav",
    sample_rate: int = SAMPLE_RATE,
    encoding: str = "utf-8",
    prompts_name: str = "PROMPTS",
    readme_name: str = "README",
    readme_last: bool = False,
    top_folder: str | None = None,
) -> Path:
    """Write a .tgz like VoxForge's and return its path.

    ``recordings`` are int16 waveforms (n,) or (n, channels) by id, or a file's own bytes;
    ``prompts`` are texts by id, and ``readme`` values by field: None leaves the file out, and
    text or bytes are stored as they are. ``readme_last`` puts ``etc/`` after the audio.
    ``top_folder`` is the name of the file without its suffix unless given; "" is none.
    """
    top = path.name.removesuffix(".tgz") if top_folder is None else top_folder
    texts = {}
    if prompts is not None:
        texts[f"etc/{prompts_name}"] = _prompts_text(prompts, top)
    if readme is not None:
        texts[f"etc/{readme_name}"] = _readme_text(readme)
    texts["LICENSE"] = "GNU GENERAL PUBLIC LICENSE\nVersion 3, 29 June 2007\n"
    files = {name: _encoded(text, encoding) for name, text in texts.items()}
    audio = {
        f"{audio_folder}/{name}.{_suffix(audio_folder)}": data
        if isinstance(data, bytes)
        else audio_bytes(data, sample_rate, _suffix(audio_folder))
        for name, data in recordings.items()
    }
    members = audio | files if readme_last else files | audio
    return write_tgz(path, {"/".join(filter(None, (top, k))): v for k, v in members.items()})


def write_tgz(path: Path, members: Mapping[str, bytes]) -> Path:
    """Write a gzipped tar of these files, each folder before what is in it; return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    folders = set()
    with tarfile.open(path, "w:gz") as archive:
        for name, data in members.items():
            for folder in reversed([str(parent) for parent in Path(name).parents[:-1]]):
                if folder not in folders:
                    folders.add(folder)
                    info = tarfile.TarInfo(folder)
                    info.type, info.mode = tarfile.DIRTYPE, 0o755
                    archive.addfile(info)
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


class Corpus:
    """A small VoxForge: archives by language, on disk and as the tree that a server shows."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.tree: dict[str, bytes] = {}
        self.n_made = 0

    def add(self, language: str, stem: str, *waveforms, **facts) -> bytes:
        """An archive of these waveforms, or of two that nobody else has."""
        self.n_made += 2
        waveforms = waveforms or (noise(self.n_made, 1.2), noise(self.n_made + 1, 1.5))
        path = make_archive(
            self.folder / language / RATE / f"{stem}.tgz",
            **{
                "recordings": {f"{language}{i:03d}": w for i, w in enumerate(waveforms)},
                "prompts": {f"{language}{i:03d}": f"SENTENCE {i}" for i in range(len(waveforms))},
                "readme": {**README_FIELDS, "User Name": stem.split("-")[0]},
                **facts,
            },
        )
        return self.put(language, f"{stem}.tgz", path.read_bytes())

    def put(self, language: str, name: str, data: bytes) -> bytes:
        path = self.folder / language / RATE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        self.tree[archive_path("SpeechCorpus" if language == "en" else language, name)] = data
        return data


def audio_bytes(waveform: np.ndarray, sample_rate: int = SAMPLE_RATE, suffix: str = "wav") -> bytes:
    """A waveform, int16 (n,) or (n, channels), as the bytes of a file."""
    buffer = io.BytesIO()
    soundfile.write(buffer, waveform, sample_rate, subtype="PCM_16", format=suffix.upper())
    return buffer.getvalue()


def _without_audio(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(data)) as archive,
        tarfile.open(fileobj=buffer, mode="w:gz") as rest,
    ):
        for member in archive:
            if not member.name.endswith((".wav", ".flac")):
                rest.addfile(member, archive.extractfile(member))
    return buffer.getvalue()


def _suffix(audio_folder: str) -> str:
    return "flac" if audio_folder.endswith("flac") else "wav"


def _prompts_text(prompts: Mapping[str, str] | str | bytes, top: str) -> str | bytes:
    if isinstance(prompts, str | bytes):
        return prompts
    return "".join(f"{top}/mfc/{name} {words}\n" for name, words in prompts.items())


def _readme_text(readme: Mapping[str, str] | str | bytes) -> str | bytes:
    if isinstance(readme, str | bytes):
        return readme
    return "".join(f"{field}: {value}\n" for field, value in readme.items())


def _encoded(text: str | bytes, encoding: str) -> bytes:
    return text if isinstance(text, bytes) else text.encode(encoding)
