"""A small VoxForge: archives on disk and as a server shows them."""

from pathlib import Path

from helpers_voxforge import README_FIELDS, make_archive, noise
from voxforge_server import RATE, archive_path


class Corpus:
    """Archives by language, made as they are added, and the tree that a server shows."""

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
