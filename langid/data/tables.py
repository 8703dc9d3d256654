"""Tables that list recordings: comma-separated, JSON lines, or Common Voice's."""

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from langid.errors import DataError

REQUIRED = ("file_name", "language")  # the columns that no recording can do without


@dataclass(frozen=True)
class Table:
    """A file of rows, and what is true of all of them that do not say otherwise."""

    path: Path  # .csv, .tsv or .jsonl
    folder: str = ""  # of the recordings, below the folder that is read
    columns: dict[str, str] = field(default_factory=dict)  # its own names → those used here
    defaults: dict[str, str] = field(default_factory=dict)

    def rows(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Place ("line 2") and texts of each row, without those that are empty.

        Raises
        ------
        DataError
            If the file is no such table, or lacks a column.
        """
        try:
            with self.path.open(encoding="utf-8-sig", newline="") as file:
                rows = _json_rows if self.path.suffix == ".jsonl" else self._separated_rows
                for number, row in rows(file):
                    texts = {self.columns.get(name, name): text for name, text in row.items()}
                    given = {name: text.strip() for name, text in texts.items() if text}
                    yield f"line {number}", self.defaults | {k: v for k, v in given.items() if v}
        except UnicodeDecodeError as error:
            raise DataError(f"{self.path} is not UTF-8 text: save it again as UTF-8.") from error
        except csv.Error as error:
            raise DataError(f"{self.path} is not a comma-separated table: {error}.") from error
        except json.JSONDecodeError as error:
            raise DataError(f"{self.path} is not one JSON object a line: {error}.") from error

    def _separated_rows(self, lines: Iterable[str]) -> Iterator[tuple[int, dict]]:
        # Common Voice quotes nothing: a quotation mark is part of a sentence.
        bare = {"delimiter": "\t", "quoting": csv.QUOTE_NONE}
        style = bare if self.path.suffix == ".tsv" else {}
        rows = csv.DictReader(lines, restkey="", strict=True, **style)
        columns = {self.columns.get(name, name) for name in rows.fieldnames or ()}
        missing = [name for name in REQUIRED if name not in columns | self.defaults.keys()]
        if missing:
            raise DataError(
                f"{self.path} has no column {' and no column '.join(missing)}: its first line must "
                "name the columns, file_name and language at least, separated by commas."
            )
        for row in rows:
            row.pop("", None)  # more texts than columns
            yield rows.line_num, row


def _json_rows(lines: Iterable[str]) -> Iterator[tuple[int, dict]]:
    for number, line in enumerate(lines, start=1):
        row = json.loads(line)
        if not isinstance(row, dict):
            raise json.JSONDecodeError("no object", line, 0)
        yield number, {name: "" if value is None else str(value) for name, value in row.items()}
