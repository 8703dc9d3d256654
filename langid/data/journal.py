"""What an unfinished build has done already, so that the same command goes on from there."""

from pathlib import Path

from langid.data.drops import Drops
from langid.files import read_json, write_json

JOURNAL_FILE = "journal.json"


class Journal:
    """A file in the folder of the build, written anew, whole, with every finished shard.

    ``n_done`` jobs of each split are wholly in its ``n_shards`` finished shards; ``drops`` and
    ``changes`` are what became of their recordings. A folder that holds another build's journal,
    or none that can be read, counts as empty.
    """

    def __init__(self, folder: Path, fingerprint: str):
        self._path = folder / JOURNAL_FILE
        self._fingerprint = fingerprint
        self.n_done: dict[str, int] = {}
        self.n_shards: dict[str, int] = {}
        self.drops, self.changes = Drops(), Drops()
        state = read_json(self._path)
        self.resumes = state.get("fingerprint") == fingerprint
        if self.resumes:
            self.n_done, self.n_shards = state["n_done"], state["n_shards"]
            self.drops = Drops.from_dict(state["drops"])
            self.changes = Drops.from_dict(state["changes"])

    def record(self, split: str, n_done: int, n_shards: int) -> None:
        """Call when a shard of ``split`` has its name; ``n_done`` jobs are in its shards."""
        self.n_done[split], self.n_shards[split] = n_done, n_shards
        self.save()

    def save(self) -> None:
        state = {
            "fingerprint": self._fingerprint,
            "n_done": self.n_done,
            "n_shards": self.n_shards,
            "drops": self.drops.to_dict(),
            "changes": self.changes.to_dict(),
        }
        write_json(self._path, state)
