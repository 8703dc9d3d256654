"""Index pages of VoxForge: what is listed, where, and what goes wrong."""

import pytest
from helpers.fetch import RATES, impatient
from helpers.voxforge_server import BASE, VoxForgeServer, apache_size, archive_path

from langid.data.voxforge.http import Stop, polite_session
from langid.data.voxforge.index import (
    BASE_URLS,
    DEFAULT_BASE_URL,
    index_urls,
    list_archives,
    parse_index,
)
from langid.errors import DataError

PAGE = "http://host/downloads/de/Trunk/Audio/Main/16kHz_16bit/"


@pytest.fixture
def session(monkeypatch):
    impatient(monkeypatch, n_retries=2)
    with polite_session(1, Stop()) as session:
        yield session


def listed(session, tree, language="de", rates=RATES, style="table", faults=None):
    with VoxForgeServer(tree, style) as server:
        for path, fault in (faults or {}).items():
            server.fault(path, **fault)
        return list_archives(session, server.base_url, language, rates)


def names(archives):
    return [archive.key.rpartition("/")[2] for archive in archives]


@pytest.mark.parametrize("style", ["table", "pre", "list"])
def test_the_pages_that_apache_writes(session, style):
    tree = {
        archive_path("de", "Zoe-20080318-kdl.tgz"): bytes(1_250_000),
        archive_path("de", "1028-20100710-hne.tgz"): bytes(5000),
        archive_path("de", "Bär 2-20090101-a.tar.gz"): bytes(512),
        archive_path("de", "empty-20090101-a.tgz"): b"",
        archive_path("de", "plain-20090101-a.tar"): bytes(700),
        archive_path("de", "notes.txt"): b"no archive",
        archive_path("de", "deeper/inside.tgz"): b"not below this page",
    }
    archives = listed(session, tree, style=style)
    assert names(archives) == [
        "1028-20100710-hne.tgz",
        "Bär 2-20090101-a.tar.gz",
        "Zoe-20080318-kdl.tgz",
        "empty-20090101-a.tgz",
        "plain-20090101-a.tar",
    ]
    sizes = [4.9 * 2**10, 512, 1.2 * 2**20, 0, 700]
    expected = [None] * 5 if style == "list" else [round(size) for size in sizes]
    assert [archive.n_bytes for archive in archives] == expected


def test_what_is_known_of_a_listed_archive(session):
    url = PAGE + "Anna-20080318-kdl.tgz"
    (archive,) = listed(session, {url.removeprefix("http://host"): b""})
    assert archive.key == "de/16kHz_16bit/Anna-20080318-kdl.tgz"
    assert archive.path is archive.survey is None
    assert archive.stem == "Anna-20080318-kdl"
    assert archive.speaker_id == "voxforge:anna"


def test_addresses_stay_as_the_page_quotes_them():
    quoted = {"B%C3%A4r%201-a.tgz": "Bär 1-a.tgz", "B%e4r-b.tgz": "Bär-b.tgz", "a+b-c.tgz": None}
    for href, name in quoted.items():
        assert parse_index(f'<a href="{href}">x</a>', PAGE) == {name or href: (PAGE + href, None)}


@pytest.mark.parametrize(
    "href",
    [
        "http://elsewhere.org/downloads/de/Trunk/Audio/Main/16kHz_16bit/a.tgz",
        "//elsewhere.org/a.tgz",
        "../a.tgz",
        "/a.tgz",
        "/downloads/a.tgz",
        "deeper/a.tgz",
        "..%2Fa.tgz",
        "%2Fetc%2Fa.tgz",
        "..%5Ca.tgz",
        "a%00.tgz",
        "a%0A.tgz",
        "a%E2%80%AE.tgz",
        ".hidden.tgz",
        "%2e%2e.tgz",
        ".tgz",
        ".tar.gz",
        "a.tgz?C=N;O=D",
        "?C=N;O=D",
        "a.tgz.txt",
        "a" * 201 + ".tgz",
        "http://[broken/a.tgz",
        "file:///a.tgz",
        "javascript:a.tgz",
        "",
    ],
)
def test_links_that_are_not_trusted(href):
    page = f'<a href="{href}">a.tgz</a> 2008-03-18 10:22 1.2M <a name="a.tgz">a.tgz</a>'
    assert parse_index(page, PAGE) == {}


def test_links_that_are_another_way_to_write_one():
    for href in ("a.tgz", "./a.tgz", PAGE + "a.tgz", "/downloads/de/Trunk/Audio/Main/x/../"):
        archives = parse_index(f"<A HREF='{href}'>", PAGE)
        assert list(archives) == (["a.tgz"] if href.endswith("a.tgz") else [])
    assert parse_index('<a href="a.tgz#top">', PAGE) == {"a.tgz": (PAGE + "a.tgz", None)}


@pytest.mark.parametrize(
    ("text", "n_bytes"),
    [
        ("2008-03-18 10:22  1.2M", 1_258_291),
        ("18-Mar-2008 10:22    1234567", 1_234_567),
        ("2008-03-18 10:22   45K  GZIP 12", 46_080),
        ("2008-03-18 10:22    - ", None),
        ("", None),
    ],
)
def test_sizes(text, n_bytes):
    page = f'<a href="a.tgz">a 99</a> {text}<hr><a href="b.tgz">b</a>'
    assert parse_index(page, PAGE)["a.tgz"][1] == n_bytes


def test_the_stand_in_writes_sizes_as_apache_does():
    sizes = {0: "0", 972: "972", 973: "1.0K", 5000: "4.9K", 45 * 1024: "45K", 1_250_000: "1.2M"}
    assert {n_bytes: apache_size(n_bytes) for n_bytes in sizes} == sizes


def test_an_archive_listed_twice_counts_once():
    page = f'<a href="a.tgz">a</a> 1.0K <a href="{PAGE}a.tgz">a</a> 2.0K'
    assert parse_index(page, PAGE) == {"a.tgz": (PAGE + "a.tgz", 1024)}


def test_of_several_rates_the_first_that_has_an_archive_wins(session):
    tree = {
        archive_path("de", "Anna-20080318-kdl.tgz", "8kHz_16bit"): b"8",
        archive_path("de", "Ben-20080318-kdl.tgz", "8kHz_16bit"): b"8",
        archive_path("de", "Anna-20080318-kdl.tgz", "16kHz_16bit"): b"16",
    }
    archives = listed(session, tree, rates=("16kHz_16bit", "8kHz_16bit"))
    assert [a.key for a in archives] == [
        "de/16kHz_16bit/Anna-20080318-kdl.tgz",
        "de/8kHz_16bit/Ben-20080318-kdl.tgz",
    ]


def test_a_missing_rate_is_only_reported(session, capsys):
    tree = {archive_path("de", "Anna-20080318-kdl.tgz"): b""}
    archives = listed(session, tree, rates=("8kHz_16bit", "16kHz_16bit"))
    assert names(archives) == ["Anna-20080318-kdl.tgz"]
    assert "no 8kHz_16bit of 'de'" in capsys.readouterr().err


def test_english_stands_in_one_of_two_places(session, capsys):
    new = {archive_path("en", "new-20080318-kdl.tgz"): b""}
    old = {archive_path("SpeechCorpus", "old-20080318-kdl.tgz"): b""}
    for tree, name in ((new | old, "new"), (old, "old")):
        (archive,) = listed(session, tree, "en")
        assert archive.key == f"en/16kHz_16bit/{name}-20080318-kdl.tgz"
    empty_first = old | {archive_path("en", "README.txt"): b""}
    assert names(listed(session, empty_first, "en")) == ["old-20080318-kdl.tgz"]
    assert capsys.readouterr().err == ""


def test_the_address_of_a_page():
    url = f"{DEFAULT_BASE_URL}/fr/Trunk/Audio/Main/8kHz_16bit/"
    assert index_urls(DEFAULT_BASE_URL, "fr", "8kHz_16bit") == [url]
    assert index_urls(DEFAULT_BASE_URL + "/", "fr", "8kHz_16bit") == [url]


def test_a_language_that_is_not_there(session):
    tree = {archive_path("de", "Anna-20080318-kdl.tgz"): b""}
    with pytest.raises(DataError, match=r"no 'fi' at http://127.*/fi/Trunk.*404.*--languages"):
        listed(session, tree, "fi")


def test_a_page_without_archives(session):
    with pytest.raises(DataError, match=r"16kHz_16bit/ lists no archive: check --base-url"):
        listed(session, {archive_path("de", "notes.txt"): b""})


def test_a_host_that_does_not_answer(session):
    with VoxForgeServer({}) as server:
        base_url = server.base_url
    with pytest.raises(DataError, match=r"^127.0.0.1 cannot be used \(no connection\)") as error:
        list_archives(session, base_url, "de", RATES)
    assert all(url in str(error.value) for url in BASE_URLS)


def test_a_host_whose_name_is_not_known(session):
    with pytest.raises(DataError, match=r"^host\.invalid cannot be used") as error:
        list_archives(session, "http://host.invalid/downloads", "de", RATES)
    assert "--archives" in str(error.value)


@pytest.mark.parametrize("status", [403, 500, 503])
def test_a_host_that_refuses(session, status):
    tree = {archive_path("de", "Anna-20080318-kdl.tgz"): b""}
    with pytest.raises(DataError, match=f"HTTP status {status}"):
        listed(session, tree, faults={archive_path("de", ""): {"status": status}})


@pytest.mark.parametrize(
    "base_url",
    [
        "repository.voxforge1.org",
        "ftp://host/downloads",
        "",
        "/x",
        "http://",
        "http://[broken/downloads",
    ],
)
def test_a_base_url_that_is_none(session, base_url):
    with pytest.raises(DataError, match="is not a web address"):
        list_archives(session, base_url, "de", RATES)


def test_a_base_url_that_no_client_takes(session):
    with pytest.raises(DataError, match=r"^host cannot be used .*--base-url"):
        list_archives(session, "http://host:port/downloads", "de", RATES)


def test_a_page_that_breaks_off_is_asked_for_again(session):
    tree = {archive_path("de", f"Anna-{n}-kdl.tgz"): b"" for n in range(9)}
    faults = {archive_path("de", ""): {"cut_after": 300, "times": 2}}
    assert len(listed(session, tree, faults=faults)) == 9
    faults = {archive_path("de", ""): {"cut_after": 300}}
    with pytest.raises(DataError, match="the connection broke off"):
        listed(session, tree, faults=faults)


def test_a_page_after_a_server_error(session):
    tree = {archive_path("de", "Anna-20080318-kdl.tgz"): b""}
    faults = {archive_path("de", ""): {"status": 503, "times": 2}}
    assert len(listed(session, tree, faults=faults)) == 1


def test_a_host_that_has_moved(session):
    tree = {archive_path("de", "Anna-20080318-kdl.tgz"): b""}
    with VoxForgeServer(tree) as old, VoxForgeServer(tree) as new:
        page = archive_path("de", "")
        old.fault(page, status=301, headers={"Location": new.url + page})
        (archive,) = list_archives(session, old.base_url, "de", RATES)
    assert archive.url.startswith(new.url + BASE)


@pytest.mark.parametrize("host", ["a..b", "a" * 64 + ".org"])
def test_a_host_that_cannot_be_is_one_sentence(session, host):
    with pytest.raises(DataError, match=rf"^{host} cannot be used \(no host can be called so\)"):
        list_archives(session, f"http://{host}/x", "de", RATES)


def test_no_sample_rate_is_one_sentence(session):
    with pytest.raises(DataError, match=r"give --sample-rates like 16kHz_16bit"):
        list_archives(session, "http://host/x", "de", ())
