"""The work of /predict: it starts for who listens, ends with its client, and takes turns."""

import subprocess
import sys
import time

import pytest
from gradio_client import handle_file
from helpers.app import health, post, predict, predict_index, upload, wait_until, write_speech

from langid.page import clients


def test_a_job_that_nobody_listens_to_does_not_start(server, monkeypatch, tmp_path):
    url, page = server
    monkeypatch.setattr(clients, "GRACE_S", 1.0)
    audio = upload(url, write_speech(tmp_path / "long.flac", 3600))
    started = []
    scheduler = page.handlers.scheduler
    monkeypatch.setattr(scheduler, "identify", lambda *_: started.append(1) or iter(()))
    for session in ("one", "two"):
        fn = {"data": [audio, None], "fn_index": predict_index(url), "session_hash": session}
        assert "event_id" in post(f"{url}/gradio_api/queue/join", fn)
    assert "event_id" in post(f"{url}/gradio_api/call/predict", {"data": [audio]})
    time.sleep(3)
    assert started == [] and health(url)["queue"]["jobs"] == 0


def test_work_stops_when_its_client_leaves(url, tmp_path):
    path = write_speech(tmp_path / "long.flac", 3600)
    code = (
        "import sys\nfrom gradio_client import Client, handle_file\n"
        "client = Client(sys.argv[1], verbose=False, analytics_enabled=False)\n"
        "client.submit(handle_file(sys.argv[2]), api_name='/predict').result()\n"
    )
    leaving = subprocess.Popen([sys.executable, "-c", code, url, str(path)])
    try:
        wait_until(lambda: health(url)["queue"]["jobs"] == 1, 60)
    finally:
        leaving.kill()
        leaving.wait()
    wait_until(lambda: health(url)["queue"]["jobs"] == 0, 5)


def test_work_stops_when_its_client_cancels(url, client, tmp_path):
    path = write_speech(tmp_path / "long.flac", 3600)
    job = client.submit(handle_file(str(path)), api_name="/predict")
    wait_until(lambda: health(url)["queue"]["jobs"] == 1, 60)
    job.cancel()
    wait_until(lambda: health(url)["queue"]["jobs"] == 0, 5)


@pytest.mark.slow
def test_short_clips_do_not_wait_for_hours(url, client, tmp_path):
    hour = write_speech(tmp_path / "hour.flac", 3600)
    clip = write_speech(tmp_path / "clip.flac", 9)
    audio = upload(url, hour)
    for _ in range(2):  # asked for, and never listened to
        post(f"{url}/gradio_api/call/predict", {"data": [audio]})
    live = [client.submit(handle_file(str(hour)), api_name="/predict") for _ in range(2)]
    wait_until(lambda: health(url)["queue"]["jobs"] >= 2, 60)
    took_s = []
    for _ in range(10):
        start_s = time.monotonic()
        assert predict(client, clip)[1]["language"] == "fr"
        took_s.append(time.monotonic() - start_s)
    assert not any(job.done() for job in live), "the hours ended before the clips: measure again"
    for job in live:
        job.cancel()
    wait_until(lambda: health(url)["queue"]["jobs"] == 0, 10)
    print("10 clips of 9 s, in s:", *(f"{each:.2f}" for each in sorted(took_s)))
    assert max(took_s) < 4
