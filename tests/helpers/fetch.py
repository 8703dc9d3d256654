"""Fetching without waits, the command as well, and archives whose survey is written in them."""

import math
from pathlib import Path

import prepare_data
from helpers.voxforge_server import VoxForgeServer, archive_path
from langid.data.utterance import ReasonCounts
from langid.data.voxforge import http
from langid.data.voxforge.archive import Survey
from langid.data.voxforge.archives import find_archives
from langid.data.voxforge.fetch import survey_voxforge
from langid.data.voxforge.manifest import Manifest
from langid.data.voxforge.selection import Caps

ALL = Caps(math.inf, math.inf)
ONE_MINUTE = Caps(1 / 60, math.inf)
RATES = ("16kHz_16bit",)
_PAD = b"." * 20_000


def impatient(monkeypatch, n_retries: int = 3) -> None:
    """Let sessions that are made from now on try again without a wait, and so many times only."""
    monkeypatch.setattr(http, "BACKOFF_S", 0)
    monkeypatch.setattr(http, "N_RETRIES", n_retries)


def prepare(output: Path, *arguments: object) -> int:
    """The exit status of ``prepare_data.py voxforge``."""
    command = ["voxforge", "--output", output, *arguments]
    return prepare_data.main([str(argument) for argument in command])


def stand_in_survey(path) -> Survey:
    """ "20 s…" lasts 20 s, anything else is corrupt."""
    number, unit, _ = path.read_bytes().partition(b" s")
    if unit and number.isdigit():
        return Survey(1, float(number), None, None, 1000, None, "a1")
    return Survey(0, 0.0, None, None, 0, "truncated", "b2")


def content(seconds=20) -> bytes:
    return f"{seconds} s".encode() + _PAD


def tree(n_speakers, n_each=1, language="de", seconds=20) -> dict[str, bytes]:
    """Archives of speakers s0, s1, …: ``s0-0-x.tgz``, ``s0-1-x.tgz``, …"""
    return {
        archive_path(language, f"s{speaker}-{number}-x.tgz"): content(seconds)
        for speaker in range(n_speakers)
        for number in range(n_each)
    }


def fetch(
    server: VoxForgeServer,
    folder,
    caps=ALL,
    languages=("de",),
    excluded=None,
    n_workers=2,
) -> list[str]:
    """List and fetch; the keys of the usable archives that are in the folder then."""
    survey_voxforge(
        folder,
        Manifest(folder),
        ReasonCounts() if excluded is None else excluded,
        caps,
        languages=languages,
        sample_rates=RATES,
        base_url=server.base_url,
        n_workers=n_workers,
        n_processes=1,
    )
    return archive_keys(folder, languages)


def archive_keys(folder, languages=("de",)) -> list[str]:
    archives = find_archives(folder, languages, Manifest(folder), ReasonCounts())
    return [archive.key for archive in archives if archive.survey.problem is None]


def downloads(server: VoxForgeServer) -> list[str]:
    """Names of the archives that were asked for."""
    return sorted(path.rpartition("/")[2] for path, _ in server.requests if path.endswith(".tgz"))
