"""python -m langid space: what the Space on the Hub holds, tried out from there alone, and pushed.

The Space is the project without its tests: the page, the package with its weights, and, as README
explains how to train, also ``train.py`` and ``prepare_data.py``. Its ``requirements.txt`` names
exact versions, so that a rebuild in a year installs what was tried today. They come from the lock,
without its hashes: the Hub installs packages of its own choice in the same call of pip, which
would refuse those for having none.
"""

import argparse
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import URLError
from urllib.request import urlopen

from huggingface_hub import HfApi

from langid.errors import PublishError
from langid.hub.publish import CARD_FILE, Publication, in_a_sentence, push_folder

ROOT = Path(__file__).parents[2]
FILES = ("app.py", "train.py", "prepare_data.py", "README.md", "LICENSE")
FOLDERS = ("langid", "examples")
LEFT_OUT = (".*", "__pycache__", "*.pyc", "*.pt", "*.part", "*~")  # of the folders
REQUIREMENTS, LOCK = "requirements.txt", "langid/space/requirements.lock"
WEIGHTS = "langid/weights/model.safetensors"
PICTURE = "examples/page.png"
CLIP, ITS_LANGUAGE = "examples/french.flac", "fr"
START_TIMEOUT_S = 400.0  # on a busy machine the imports alone take two minutes
SPACE = Publication(
    repo_type="space",
    noun="Space",
    files=("*",),
    replaced=("*.py", "langid/*", "examples/*"),
    message="Upload the Space",
    remedy="run the same command again: what has arrived is not sent twice",
    space_sdk="gradio",
)


def main(arguments: list[str]) -> int:
    """Assemble, and do with the folder what is asked: its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m langid space",
        description="Assemble the Space that this project is, try it out, and push it to the "
        "Hugging Face Hub.",
    )
    parser.add_argument(
        "--dry-run",
        metavar="DIR",
        type=Path,
        help="assemble in this new folder what a push uploads, start it from there alone and "
        "identify a clip over its API; with --push, push only if that works",
    )
    parser.add_argument(
        "--install",
        action="store_true",
        help="with --dry-run: start it in a fresh virtual environment with its own requirements "
        "(a download of some GB)",
    )
    parser.add_argument("--push", metavar="USER/NAME", help="publish it, creating it if need be")
    parser.add_argument(
        "--model",
        metavar="USER/NAME",
        help="with --push: where the same weights are published, for the Space's link to them",
    )
    parser.add_argument("--private", action="store_true", help="with --push: visible to you only")
    options = parser.parse_args(arguments)
    if not (options.dry_run or options.push):
        parser.error("give --dry-run DIR, --push USER/NAME, or both")
    if options.install and not options.dry_run:
        parser.error("--install needs --dry-run DIR")
    if options.private and not options.push:
        parser.error("--private needs --push USER/NAME")
    if options.model and not options.push:
        parser.error("--model needs --push USER/NAME")
    with TemporaryDirectory() as temporary:
        folder = options.dry_run or Path(temporary) / "space"
        names = assemble(ROOT, folder)
        if options.dry_run:
            size = sum((folder / name).stat().st_size for name in names)
            print(f"{folder}: {len(names)} files, {size / 1e6:.1f} MB", flush=True)
            python = sys.executable
            if options.install:
                python = install(folder, Path(temporary) / "venv")
            print(f"It starts and answers: {CLIP} is {try_out(folder, python)}.", flush=True)
        if options.push:
            add_thumbnail(folder / CARD_FILE, options.push)
            if options.model:
                link_model(folder, options.model)
            print(push_folder(folder, options.push, SPACE, options.private))
    return 0


def assemble(root: Path, folder: Path) -> list[str]:
    """Copy what of the project in ``root`` the Space consists of to a new folder: the files' names.

    Raises
    ------
    PublishError
        If the folder is not empty, a file of the project is missing, or the disk refuses.
    """
    try:
        if folder.exists() and any(folder.iterdir()):
            raise PublishError(f"{folder} is not empty: choose a new folder.")
        folder.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            shutil.copy(root / name, folder / name)
        for name in FOLDERS:
            shutil.copytree(root / name, folder / name, ignore=shutil.ignore_patterns(*LEFT_OUT))
        lock = (root / LOCK).read_text(encoding="utf-8")
        header = f"# The versions of {LOCK}, which holds their hashes too.\n"
        (folder / REQUIREMENTS).write_text(
            header + "".join(f"{pin}\n" for pin in pins(lock)), encoding="utf-8"
        )
    except (OSError, shutil.Error) as error:
        raise PublishError(f"The Space cannot be assembled in {folder}: {error}.") from error
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def add_thumbnail(card: Path, repo_id: str) -> None:
    """The page's picture, for links to the Space that are shared: the Hub asks for its address.

    A bare name is left without: its user is known only when the Hub has been asked.
    """
    if "/" in repo_id:
        url = f"https://huggingface.co/spaces/{repo_id}/resolve/main/{PICTURE}"
        text = card.read_text(encoding="utf-8")
        card.write_text(text.replace("---\n", f"---\nthumbnail: {url}\n", 1), encoding="utf-8")


def link_model(folder: Path, repo_id: str) -> None:
    """Name the repository of its weights in the card of the Space in ``folder``.

    Raises
    ------
    PublishError
        If the repository cannot be read, or its weights are not those of the Space.
    """
    failed = f"The weights in {repo_id} could not be compared with those of the Space"
    with in_a_sentence(repo_id, failed, ": check its name, or leave out --model."):
        files = HfApi().get_paths_info(repo_id, Path(WEIGHTS).name)
    # Of a large file the Hub tells the hash.
    digest = hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
    if not any(file.lfs and file.lfs.sha256 == digest for file in files):
        raise PublishError(
            f"{repo_id} does not hold the weights of the Space: publish them there first, or leave "
            "out --model."
        )
    card = folder / CARD_FILE
    text = card.read_text(encoding="utf-8")
    card.write_text(text.replace("\nmodels: []\n", f"\nmodels: [{repo_id}]\n", 1), encoding="utf-8")


def pins(lock: str) -> list[str]:
    """Requirements of a lock without their hashes: ``"numpy==2.4.6 ; python_version < '3.12'"``."""
    lines = [line for line in lock.splitlines() if line[:1].isalnum()]
    return [line.removesuffix("\\").split(" --hash")[0].strip() for line in lines]


def install(folder: Path, environment: Path) -> str:
    """Its requirements in a new virtual environment: that one's Python.

    Raises
    ------
    PublishError
        If pip fails; its own words stand on standard error.
    """
    venv.create(environment, with_pip=True)
    python = str(environment / ("Scripts" if os.name == "nt" else "bin") / "python")
    command = [python, "-m", "pip", "install", "-q", "-r", str(folder / REQUIREMENTS)]
    if subprocess.run(command).returncode:
        raise PublishError(f"The requirements in {folder / REQUIREMENTS} cannot be installed.")
    return python


def try_out(folder: Path, python: str = sys.executable) -> str:
    """Start the Space in ``folder`` from there alone and identify a clip over its API.

    Nothing that Python or this project reads from the environment reaches it. Returns language and
    confidence.

    Raises
    ------
    PublishError
        If it does not start, or does not give the right answer.
    """
    from gradio_client import Client, handle_file

    with _served(folder, python) as url:
        try:
            client = Client(url, verbose=False, analytics_enabled=False)
            _, result = client.predict(handle_file(str(folder / CLIP)), api_name="/predict")
        except Exception as error:  # whatever the client makes of the server's failures
            raise PublishError(f"The Space in {folder} does not answer: {error}.") from error
    if result["language"] != ITS_LANGUAGE:
        raise PublishError(f"The Space in {folder} takes {CLIP} for {result['language']!r}.")
    return f"{result['language']}, {result['confidence']:.1%}"


@contextmanager
def _served(folder: Path, python: str) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    ours = ("PYTHON", "GRADIO_", "LANGID_", "HF_", "VIRTUAL_ENV")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    environment |= {"GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(port)}
    with TemporaryDirectory() as temporary:
        environment["GRADIO_TEMP_DIR"] = temporary
        log = Path(temporary) / "log.txt"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [python, "-E", "-s", "-B", "app.py"],
                cwd=folder,
                env=environment,
                stdout=output,
                stderr=output,
            )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_served(url, folder, process, log)
            yield url
        finally:
            process.terminate()
            process.wait()


def _wait_until_served(url: str, folder: Path, process: subprocess.Popen, log: Path) -> None:
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < deadline_s:
        try:
            with urlopen(f"{url}/health", timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.2)
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "it says nothing")
    raise PublishError(f"The Space in {folder} does not start: {last.rstrip('.')}.")
