"""How patient and polite the session is, and how it is stopped."""

import pytest
import requests
from helpers.fetch import impatient
from helpers.voxforge_server import VoxForgeServer
from urllib3 import HTTPResponse

from langid.data.voxforge import http
from langid.data.voxforge.http import (
    MAX_WAIT_S,
    DownloadFailed,
    PoliteRetry,
    Stop,
    Stopped,
    open_url,
    polite_session,
    reason_of,
    status_failure,
)

PATH = "/downloads/a.tgz"


@pytest.fixture
def server(monkeypatch):
    impatient(monkeypatch)
    with VoxForgeServer({PATH: b"archive"}) as server:
        yield server


def status_of(server, stop=None):
    """Status of the last answer, after all attempts."""
    with (
        polite_session(1, stop or Stop()) as session,
        open_url(session, server.url + PATH) as response,
    ):
        return response.status_code


class Waits:
    """Stands in for a Stop: records how long it would have been waited for."""

    def __init__(self):
        self.seconds = []

    def wait(self, seconds):
        self.seconds.append(seconds)
        return False


def test_waits_grow_and_follow_retry_after_within_reason():
    waits = Waits()
    retry = PoliteRetry(6, stop=waits, backoff_factor=1.0, status_forcelist=[503])
    for _ in range(4):
        retry = retry.increment("GET", "/", error=TimeoutError())
        retry.sleep()
    assert waits.seconds == [0, 2, 4, 8]
    waits.seconds.clear()
    for value in ("7", "86400", "Wed, 21 Oct 2015 07:28:00 GMT", "soon", None):
        headers = {} if value is None else {"Retry-After": value}
        retry.sleep(HTTPResponse(headers=headers, status=503))
    assert waits.seconds == [7, MAX_WAIT_S, 0, 8, 8]


def test_the_session_of_a_full_run_waits_between_attempts():
    with polite_session(1, Stop()) as session:
        retry = session.get_adapter("https://host/").max_retries
    assert retry.backoff_factor == http.BACKOFF_S > 0
    assert retry.backoff_jitter > 0 and retry.respect_retry_after_header


def test_the_project_says_who_it_is(server):
    status_of(server)
    (agent,) = server.user_agents
    assert agent.startswith("spoken-langid/")


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_server_in_trouble_is_asked_again(server, status):
    server.fault(PATH, status=status, times=3)
    assert status_of(server) == 200
    assert server.n_requests(PATH) == 4


def test_a_server_in_lasting_trouble_is_not_asked_for_ever(server):
    server.fault(PATH, status=503)
    assert status_of(server) == 503
    assert server.n_requests(PATH) == 4


def test_retry_after_is_waited_for(server):
    stop = Stop()
    waits = Waits()
    stop.wait = waits.wait
    server.fault(PATH, status=503, retry_after="17", times=1)
    assert status_of(server, stop) == 200
    assert waits.seconds == [17]


def test_stopping_ends_a_long_wait(server):
    stop = Stop()
    server.fault(PATH, status=503, retry_after="200")
    wait = stop.wait
    stop.wait = lambda seconds: stop.set() or wait(seconds)
    with pytest.raises(Stopped):
        status_of(server, stop)


def test_a_host_that_is_not_there(server):
    server.stop()
    with pytest.raises(DownloadFailed, match=r"^no connection$") as failure:
        status_of(server)
    assert failure.value.is_host_fault


@pytest.mark.parametrize("host", ["a..b", "a" * 64 + ".org", "ä" * 64 + ".org", ".org"])
def test_a_name_that_no_host_can_have(host):
    with polite_session(1, Stop()) as session, pytest.raises(DownloadFailed) as failure:
        open_url(session, f"http://{host}/x")
    assert "\n" not in str(failure.value)


def test_a_reason_for_everything():
    assert reason_of(requests.exceptions.InvalidURL("no host")) == "no host"
    assert reason_of(requests.exceptions.TooManyRedirects()) == "TooManyRedirects"


@pytest.mark.parametrize(
    ("status", "is_host_fault"),
    [(404, False), (410, False), (206, True), (401, True), (403, True), (429, True), (500, True)],
)
def test_whose_fault_a_status_is(server, monkeypatch, status, is_host_fault):
    impatient(monkeypatch, n_retries=0)
    server.fault(PATH, status=status)
    with (
        polite_session(1, Stop()) as session,
        open_url(session, server.url + PATH) as response,
    ):
        failure = status_failure(response)
    assert (str(failure), failure.is_host_fault) == (f"HTTP status {status}", is_host_fault)
