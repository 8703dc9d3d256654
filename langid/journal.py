"""What an unfinished build has done already, so that the same command goes on from there."""

import json
from pathlib import Path

from langid.drops import Drops

JOURNAL_FILE = "journal.jsonl"


class Journal:
    """Lines of JSON in the folder of the build: its fingerprint, then one line a finished shard.

    ``n_done`` jobs of each split are wholly in finished shards; ``n_shards`` says how many those
    are; ``drops`` and ``changes`` are what became of the jobs' recordings. A folder that holds
    another build's journal counts as empty.
    """

    def __init__(self, folder: Path, fingerprint: str):
        self._path = folder / JOURNAL_FILE
        self.n_done: dict[str, int] = {}
        self.n_shards: dict[str, int] = {}
        self.drops, self.changes = Drops(), Drops()
        lines = self._read()
        self.resumes = bool(lines) and lines[0] == {"fingerprint": fingerprint}
        if not self.resumes:
            self._fingerprint = fingerprint
            return
        for line in lines[1:]:
            self.n_done[line["split"]] = line["n_done"]
            self.n_shards[line["split"]] = line["n_shards"]
        if len(lines) > 1:  # each line has the sum of all before it
            self.drops = Drops.from_dict(lines[-1]["drops"])
            self.changes = Drops.from_dict(lines[-1]["changes"])

    def start(self) -> None:
        """Begin a new journal."""
        self._path.write_text(json.dumps({"fingerprint": self._fingerprint}) + "\n")

    def record(self, split: str, n_done: int, n_shards: int) -> None:
        """Call when a shard of ``split`` has its name; ``n_done`` jobs are in its shards."""
        line = {
            "split": split,
            "n_done": n_done,
            "n_shards": n_shards,
            "drops": self.drops.to_dict(),
            "changes": self.changes.to_dict(),
        }
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def _read(self) -> list[dict]:
        """The whole lines; one that an interruption cut off is not there."""
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in text.split("\n")[:-1]]
