"""A finished run, a dataset or the Space → a repository on the Hugging Face Hub.

``HfApi.upload_folder`` splits a large folder into several commits, of which the first holds the
deletions: readers would meet half a dataset meanwhile. So files are uploaded first, a few at a
time, and then everything changes in one commit.

What ``huggingface_hub`` tries again by itself: each request that uploads a file or asks what to
upload, five times within some 20 s, where the server answers 408, 429 or 5xx or the connection
breaks (its storage library hf_xet does the like). It does not try again to create a repository, to
check a card or to commit. ``push_folder`` tries all of it again, and for longer; large files that
have arrived are known to the Hub by their hash and not sent twice.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import sleep
from typing import TypeVar

from huggingface_hub import CommitInfo, CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import HfHubHTTPError, HFValidationError
from huggingface_hub.utils import (
    build_hf_headers,
    filter_repo_objects,
    get_session,
    hf_raise_for_status,
)

from langid.errors import PublishError
from langid.hub import HUB_ERRORS, hub_reason, is_passing, retry_after_s

CARD_FILE = "README.md"  # what the Hub shows of a repository
N_RETRIES = 5  # of each step
FIRST_WAIT_S = 2.0  # then 4, 8, 16, 32
N_FILES_AT_A_TIME = 8  # what is lost, at most, when this process ends

logger = logging.getLogger(__name__)
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Publication:
    """What to publish of a folder. In the patterns of paths, ``*`` is any text, ``/`` too."""

    repo_type: str
    noun: str
    files: tuple[str, ...]  # patterns of what goes up
    replaced: tuple[str, ...]  # … of earlier files that go where the folder has none of the name
    message: str  # of the commit
    remedy: str  # after a failure, with {repo_id} and {folder}
    space_sdk: str | None = None  # of a Space


def push_folder(
    folder: Path,
    repo_id: str,
    what: Publication,
    private: bool = False,
    *,
    n_retries: int = N_RETRIES,
) -> str:
    """Publish ``folder`` in one commit, creating the repository if need be: the commit's address.

    A bare name becomes one of the user's own. A failure that may pass is tried again.

    Raises
    ------
    PublishError
        If the Hub refuses, cannot be reached or goes on failing, or the repository is public
        while ``private`` was asked for; the folder is untouched.
    """
    failed = f"The {what.noun} could not be uploaded to {repo_id}"
    remedy = (
        f"; it is complete in {folder}: check the connection, log in with 'hf auth login', and "
        f"{what.remedy.format(repo_id=repo_id, folder=folder)}."
    )
    with in_a_sentence(repo_id, failed, remedy):
        api, names = HfApi(), _published(folder, what)
        repo_id = _open_repo(api, repo_id, private, what, n_retries)
        if CARD_FILE in names:  # the Hub would refuse a faulty one after everything is there
            _again(partial(_check_card, api, folder / CARD_FILE, what), n_retries)
        additions = [CommitOperationAdd(name, folder / name) for name in names]
        for start in range(0, len(additions), N_FILES_AT_A_TIME):
            batch = additions[start : start + N_FILES_AT_A_TIME]
            upload = partial(api.preupload_lfs_files, repo_id, batch, free_memory=False)
            _again(partial(upload, repo_type=what.repo_type), n_retries)
        commit = partial(_commit, api, repo_id, additions, what)
        return _again(commit, n_retries).commit_url


def open_repo(repo_id: str, what: Publication, private: bool = False) -> str:
    """Make sure before long work that ``push_folder`` will be let in: the repository's full id.

    Raises
    ------
    PublishError
        As ``push_folder``.
    """
    remedy = ": check the connection, and log in with 'hf auth login'."
    with in_a_sentence(repo_id, f"Nothing can be published to {repo_id}", remedy):
        return _open_repo(HfApi(), repo_id, private, what, N_RETRIES)


def _open_repo(api: HfApi, repo_id: str, private: bool, what: Publication, n_retries: int) -> str:
    def create() -> str:
        repo = api.create_repo(
            repo_id,
            repo_type=what.repo_type,
            private=private,
            exist_ok=True,
            space_sdk=what.space_sdk,
        ).repo_id
        if private and not api.repo_info(repo, repo_type=what.repo_type).private:
            raise PublishError(
                f"{repo} exists already and is public: make it private on the Hub, choose another "
                "name, or leave out --private."
            )
        return repo

    # Without a connection from the start, say so at once.
    return _again(create, n_retries, lambda error: isinstance(error, HfHubHTTPError))


def _published(folder: Path, what: Publication) -> list[str]:
    """Paths of the files that go up, relative to the folder."""
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    names = sorted(filter_repo_objects(names, allow_patterns=list(what.files)))
    # Without files of its own, the folder would only delete what stands on the Hub.
    if not list(filter_repo_objects(names, allow_patterns=list(what.replaced or what.files))):
        raise PublishError(f"{folder} holds no {what.noun}: there is nothing to publish.")
    return names


def _check_card(api: HfApi, card: Path, what: Publication) -> None:
    """Let the Hub check the card's metadata, as ``create_commit`` does too late for us."""
    response = get_session().post(
        f"{api.endpoint}/api/validate-yaml",
        json={"content": card.read_text(encoding="utf-8"), "repoType": what.repo_type},
        headers=build_hf_headers(),
    )
    hf_raise_for_status(response)


def _commit(
    api: HfApi, repo_id: str, additions: list[CommitOperationAdd], what: Publication
) -> CommitInfo:
    """Add what has changed and delete what is replaced."""
    deletions = []
    if what.replaced:
        there = api.list_repo_files(repo_id, repo_type=what.repo_type)
        kept = {addition.path_in_repo for addition in additions}
        deletions = [
            CommitOperationDelete(name)
            for name in filter_repo_objects(there, allow_patterns=list(what.replaced))
            if name not in kept
        ]
    return api.create_commit(
        repo_id,
        [*deletions, *additions],
        commit_message=what.message,
        repo_type=what.repo_type,
    )


def _again(
    call: Callable[[], Answer],
    n_retries: int,
    only: Callable[[Exception], bool] = lambda _: True,
) -> Answer:
    """Call until it succeeds, fails in a way that will not pass, or has failed too often."""
    for n_failures in range(n_retries):
        try:
            return call()
        except HUB_ERRORS as error:
            if not (only(error) and is_passing(error)):
                raise
            wait_s = max(FIRST_WAIT_S * 2**n_failures, retry_after_s(error))
            logger.warning(
                "The Hub failed (%s); trying again in %.0f s (%d of %d).",
                *(hub_reason(error), wait_s, n_failures + 1, n_retries),
            )
        sleep(wait_s)
    return call()


@contextmanager
def in_a_sentence(repo_id: str, failed: str, remedy: str) -> Iterator[None]:
    """What the Hub's client raises → ``PublishError`` with what failed, why, and what to do."""
    try:
        yield
    except PublishError:
        raise
    except HFValidationError as error:
        raise PublishError(f"{repo_id!r} is no repository id: write USER/NAME.") from error
    except HUB_ERRORS as error:
        raise PublishError(f"{failed} ({hub_reason(error)}){remedy}") from error
