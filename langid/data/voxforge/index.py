"""VoxForge's index pages: which archives there are, language by language."""

import re
import sys
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import PurePosixPath
from urllib.parse import unquote_to_bytes, urldefrag, urljoin, urlsplit

import requests
from urllib3.exceptions import HTTPError

from langid.data.voxforge.archive import ARCHIVE_SUFFIXES, ENGLISH_FOLDER, Archive, archive_stem
from langid.data.voxforge.http import DownloadFailed, next_attempt, open_url, status_failure
from langid.errors import DataError
from langid.files import decode_text

# The first is the one that voxforge.org links to; the others answered at some time.
BASE_URLS = (
    "https://repository.voxforge1.org/downloads",
    "http://www.repository.voxforge1.org/downloads",
    "http://www.voxforge.org/downloads",
)
DEFAULT_BASE_URL = BASE_URLS[0]
DEFAULT_SAMPLE_RATES = ("16kHz_16bit",)
_FOLDERS = {"en": ("en", ENGLISH_FOLDER)}
_MAX_NAME_BYTES = 200  # file systems take 255, and a suffix is added
# "1.2M" in Apache's columns, "1234567" in others'; a date or a time has more signs in it.
_SIZE = re.compile(r"(?<!\S)(\d+(?:\.\d+)?)([KMGT]?)(?!\S)")
_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def index_urls(base_url: str, language: str, rate: str) -> list[str]:
    """Where the index page of a language may stand, the likeliest first."""
    base = base_url.rstrip("/")
    folders = _FOLDERS.get(language, (language,))
    return [f"{base}/{folder}/Trunk/Audio/Main/{rate}/" for folder in folders]


def list_archives(
    session: requests.Session, base_url: str, language: str, sample_rates: Sequence[str]
) -> list[Archive]:
    """The archives of a language, each name once: at the first of ``sample_rates`` that has it.

    A rate that is missing where another one exists is only reported.

    Raises
    ------
    DataError
        If the host does not answer, or does not have the language, or no archive of it.
    """
    if not _is_web_address(base_url):
        raise DataError(
            f"{base_url!r} is not a web address: give --base-url like {DEFAULT_BASE_URL}."
        )
    if not sample_rates:
        raise DataError(
            f"No sample rate is asked for: give --sample-rates like {DEFAULT_SAMPLE_RATES[0]}."
        )
    archives: dict[str, Archive] = {}
    empty_urls, missing = [], []
    for rate in sample_rates:
        for url in index_urls(base_url, language, rate):
            page = _read_page(session, base_url, url)
            if page is None:
                continue
            listed = parse_index(*page)
            for name, (link, n_bytes) in listed.items():
                key = f"{language}/{rate}/{name}"
                archive = Archive(language, key, url=link, n_bytes=n_bytes)
                archives.setdefault(archive.stem, archive)
            if listed:
                break
            empty_urls.append(url)
        else:
            missing.append(rate)
    if not archives:
        tried = " and ".join(index_urls(base_url, language, sample_rates[0]))
        raise DataError(
            f"{empty_urls[0]} lists no archive: check --base-url, which is everything before "
            f"/{language}/Trunk/Audio/Main/."
            if empty_urls
            else f"There is no {language!r} at {tried} (404): check --languages, --sample-rates "
            f"and --base-url; {_other_hosts(base_url)}"
        )
    for rate in missing:
        print(f"VoxForge has no {rate} of {language!r}: left out.", file=sys.stderr)
    return sorted(archives.values(), key=lambda archive: archive.key)


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _read_page(session: requests.Session, base_url: str, url: str) -> tuple[str, str] | None:
    """A page's HTML, and its own address after redirects; None where there is no page.

    Raises
    ------
    DataError
        If the host does not give an answer that can be used.
    """
    retry = session.get_adapter(url).max_retries
    try:
        while True:
            with open_url(session, url) as page:
                if page.status_code == 404:
                    return None
                if page.status_code != 200:
                    raise status_failure(page)
                try:
                    return page.text, page.url  # the text is read now, while it can be
                except requests.RequestException as error:
                    retry = next_attempt(retry, url, HTTPError(error))
    except DownloadFailed as reason:
        raise DataError(
            f"{urlsplit(url).hostname or base_url} cannot be used ({reason}): check the network "
            "and --base-url, or build from archives that you have with --archives; "
            f"{_other_hosts(base_url)}"
        ) from reason


def _other_hosts(base_url: str) -> str:
    others = [url for url in BASE_URLS if url != base_url.rstrip("/")]
    return f"other addresses of VoxForge are {' and '.join(others)}."


def parse_index(html: str, page_url: str) -> dict[str, tuple[str, int | None]]:
    """Archives of an Apache index page (or one like it): name → URL, size in bytes if stated.

    Only files directly below the page count, and only those whose name is safe to write.
    """
    listing = _Listing()
    listing.feed(html)
    listing.close()
    archives: dict[str, tuple[str, int | None]] = {}
    for href, text in listing.links:
        name, url = _archive_below(href, page_url)
        if name:
            archives.setdefault(name, (url, _stated_bytes(text)))
    return archives


class _Listing(HTMLParser):
    """Collects ``links``: [address, the text from the link's end to the next link]."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[list[str]] = []
        self._in_link = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        href = dict(attributes).get("href") if tag == "a" else None
        if href:
            self.links.append([href, ""])
            self._in_link = True
        elif self.links:
            self.links[-1][1] += " "  # cells are separate words

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._in_link = False

    def handle_data(self, data: str) -> None:
        if self.links and not self._in_link:
            self.links[-1][1] += data


def _archive_below(href: str, page_url: str) -> tuple[str | None, str]:
    """Name and URL of the archive that a link of the page leads to; no name if to none."""
    try:
        url = urldefrag(urljoin(page_url, href)).url
        link, page = urlsplit(url), urlsplit(page_url)
    except ValueError:  # such as a broken IPv6 address
        return None, ""
    folder = page.path.rpartition("/")[0] + "/"
    if link[:2] != page[:2] or link.query or not link.path.startswith(folder):
        return None, ""
    return _safe_name(link.path.removeprefix(folder)), url


def _safe_name(quoted: str) -> str | None:
    """File name of a quoted path component; None if it is no archive or not to be trusted."""
    name = decode_text(unquote_to_bytes(quoted))
    is_safe = (
        name.isprintable()
        and not name.startswith(".")
        and PurePosixPath(name).name == name
        and "\\" not in name
        and len(name.encode()) <= _MAX_NAME_BYTES
    )
    is_archive = name.lower().endswith(ARCHIVE_SUFFIXES) and archive_stem(name) != ""
    return name if is_safe and is_archive else None


def _stated_bytes(text: str) -> int | None:
    match = _SIZE.search(text)
    return round(float(match[1]) * _UNITS[match[2]]) if match else None
