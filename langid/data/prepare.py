"""What the commands of prepare_data.py share: from jobs to a dataset on disk and on the Hub."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from langid.data.builder import Recipe, build_dataset, work_path
from langid.data.card import write_card
from langid.data.card_texts import CardText
from langid.data.counts import count_dataset
from langid.data.store import ALL_SHARDS, BUILD_FILE
from langid.data.utterance import Job, Reading, ReasonCounts
from langid.errors import DataError, PublishError
from langid.files import read_json, text_of_name
from langid.hub.publish import CARD_FILE, Publication, open_repo, push_folder

DATASET = Publication(
    repo_type="dataset",
    noun="dataset",
    files=(CARD_FILE, BUILD_FILE, ALL_SHARDS),
    replaced=(ALL_SHARDS,),  # train-00000-of-00003 beside -of-00002 would be read as well
    message="Upload the dataset and its card",
    remedy="run the same command again: what has arrived is not sent twice",
)


@dataclass(frozen=True)
class Target:
    """Where a dataset goes. ``settings`` are the options that decide what it holds."""

    output: Path
    settings: dict
    overwrite: bool = False
    repo_id: str | None = None  # on the Hub
    private: bool = False
    n_processes: int = 1

    def checked(self) -> "Target":
        """This target, with the full id of its repository; refuses what would fail hours later.

        Raises
        ------
        DataError
            If the output cannot be written, or the Hub would not take it.
        """
        check_output(self.output, self.overwrite, self.settings)
        if not self.repo_id:
            return self
        return replace(self, repo_id=self._publish(open_repo))

    def build(
        self,
        *,
        jobs: list[Job],
        languages: Iterable[str],
        read: Callable[[Job], Reading],
        excluded: ReasonCounts,
        text: CardText,
        unit: str,
    ) -> None:
        """Build, tell what was built, publish; see ``builder.build_dataset``."""
        # Without a repository, what the card tells to load is the folder.
        describe = partial(write_card, text=text, repo_id=self.repo_id or self.output.as_posix())
        built = build_dataset(
            Recipe(jobs, sorted(languages), self.settings),
            read,
            self.output,
            describe,
            excluded=excluded,
            overwrite=self.overwrite,
            n_processes=self.n_processes,
            unit=unit,
        )
        if not built.is_new:
            print(f"{self.output} is up to date: nothing to do.")
            if self.repo_id:  # it may not be the one that the card names
                self._describe_again(partial(describe, self.output, built.excluded, built.changes))
        print(f"Kept, in {self.output}:\n{count_dataset(self.output).as_text()}")
        for title, happened in (("Changed:", built.changes), ("Left out:", built.excluded)):
            print("\n".join([title, *(happened.lines() or [f"{'nothing':>8}"])]))
        if self.repo_id:
            print(f"Published: {self._publish(partial(push_folder, self.output))}")

    def _describe_again(self, describe: Callable[[], None]) -> None:
        try:
            describe()
        except OSError as error:
            raise DataError(
                f"The card in {self.output} cannot be written ({error.strerror or error}); the "
                "same command publishes the dataset when that is mended."
            ) from error

    def _publish(self, step: Callable[..., str]) -> str:
        try:
            return step(self.repo_id, DATASET, self.private)
        except PublishError as error:
            raise DataError(str(error)) from error


def check_output(output: Path, overwrite: bool, settings: dict) -> None:
    """Refuse an output folder that cannot be written or made again, before any work is done.

    Raises
    ------
    DataError
        Unless the folder is absent, empty, a dataset made with the same ``settings``, or a
        dataset that may be overwritten.
    """
    if output.name in ("", ".."):
        raise DataError(
            f"{output} cannot be replaced as a whole: give a folder of its own for --output, such "
            "as data/mine."
        )
    if text_of_name(str(output)) != str(output):
        raise DataError(f"{output!r} is not a name in UTF-8: give another one for --output.")
    _check_parent(output)
    if not os.path.lexists(output):
        return
    if not output.is_dir():
        raise DataError(f"{output} is a file: give a folder for --output.")
    if not any(output.iterdir()):
        return
    if not (output / BUILD_FILE).is_file():
        raise DataError(
            f"{output} holds something else than a finished dataset: choose another folder, or "
            "delete it."
        )
    if not overwrite and read_json(output / BUILD_FILE).get("settings") != settings:
        raise DataError(
            f"{output} exists already, made with other settings: choose another folder, or replace "
            "it with --overwrite."
        )


def _check_parent(output: Path) -> None:
    """Try to make what the build will make first, beside the output."""
    work = work_path(output)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        if not work.exists():
            work.mkdir()
            work.rmdir()
    except OSError as error:
        raise DataError(
            f"Cannot write {output} ({error.strerror or error}): choose another folder."
        ) from error
