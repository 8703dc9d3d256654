"""Recordings take turns; the clock is the tests' own."""

import threading
import time

import pytest
from helpers.identifier import identification

from langid.errors import AudioError, IdentificationCancelled
from langid.page import jobs
from langid.page.jobs import BusyError, Scheduler


class SlowIdentifier:
    """Gives an answer for each of the durations in a recording's name: ``"10 200"``.

    A name that ends with "!" announces the last of them.
    """

    def __init__(self):
        self.running = []

    def identify_incrementally(self, audio, should_stop, on_block, **_):
        if audio == "broken":
            raise AudioError("It is broken.")
        self.running.append(audio)
        try:
            for duration_s in map(float, audio.rstrip("!").split()):
                if should_stop():
                    raise IdentificationCancelled("stopped")
                yield identification((0.7, 0.1, 0.1, 0.1), duration_s=duration_s)
        finally:
            self.running.remove(audio)


def announced(audio, estimate):
    return float(audio.rstrip("!").split()[-1]) if audio.endswith("!") else None


@pytest.fixture
def scheduler(monkeypatch):
    monkeypatch.setattr(jobs, "POLL_S", 0.01)
    monkeypatch.setattr(jobs, "announced_duration_s", announced)
    return Scheduler(SlowIdentifier())


def test_steps_tell_how_far_it_is(scheduler):
    *steps, last = scheduler.identify("100 300 400!")
    assert [step.fraction for step in steps] == [0.25, 0.75, 1.0]
    assert steps[0].left_s == pytest.approx(steps[0].left_s, abs=1) and steps[-1].left_s == 0
    assert last.is_last and last.answer.duration_s == 400
    assert scheduler.n_jobs == 0 and scheduler.identifier.running == []


def test_what_announces_hours_takes_no_place_of_short_ones_at_all(scheduler):
    live = [scheduler.identify("100 200 300 400!") for _ in range(5)]
    assert [next(job).is_waiting for job in live] == [False, True, True, True, True]
    *_, last = scheduler.identify("9!")
    assert last.is_last
    assert list(live.pop(0))[-1].is_last
    assert not next(live[0]).is_waiting
    for job in live:
        job.close()
    assert scheduler.n_jobs == 0


def test_short_recordings_do_not_wait_for_long_ones(scheduler):
    live = [scheduler.identify("100 200 300 400") for _ in range(5)]
    steps = [[next(job) for _ in range(3)] for job in live]  # all are long by now
    assert [step[2].is_waiting for step in steps] == [False, True, True, True, True]
    *_, last = scheduler.identify("9")
    assert last.is_last and not last.is_waiting
    rest = list(live.pop(0))
    assert rest[-1].is_last
    assert not next(live[0]).is_waiting or not next(live[0]).is_waiting  # its turn has come
    for job in live:
        job.close()
    assert scheduler.n_jobs == 0 and scheduler.identifier.running == []
    *_, last = scheduler.identify("200 300")
    assert last.is_last


def test_single_recordings_never_wait_for_those_of_a_batch(scheduler):
    batch = [scheduler.identify("9 9", is_batch=True) for _ in range(5)]
    waits = [next(job).is_waiting for job in batch]
    assert waits == [False] * jobs.N_BATCH + [True] * (5 - jobs.N_BATCH)
    single = [scheduler.identify("9 9") for _ in range(jobs.N_SHORT)]
    assert not any(next(job).is_waiting for job in single)
    # Nor do those of a batch wait for single ones: each kind has its turns.
    assert list(batch.pop(0))[-1].is_last and not next(batch[0]).is_waiting
    # A long one takes its turn among the long ones, and lets the rest of the batches go on.
    batch[0].close()
    long = scheduler.identify("100 200 300", is_batch=True)
    assert [next(long).answer.duration_s for _ in range(3)] == [100, 200, 300]
    assert not next(batch[1]).is_waiting
    for job in (*single, *batch, long):
        job.close()
    assert scheduler.n_jobs == 0 and scheduler.identifier.running == []


def test_work_ends_with_should_stop_and_with_the_iterator(scheduler):
    stop = threading.Event()
    job = scheduler.identify("10 20 30", should_stop=stop.is_set)
    next(job)
    stop.set()
    with pytest.raises(IdentificationCancelled):
        next(job)
    job = scheduler.identify("10 20 30")
    next(job)
    job.close()
    assert scheduler.identifier.running == [] and scheduler.n_jobs == 0
    running = [scheduler.identify("9 9") for _ in range(jobs.N_SHORT)]
    for each in running:
        next(each)
    waiting = scheduler.identify("9", should_stop=stop.is_set)
    with pytest.raises(IdentificationCancelled):
        next(waiting)
    assert scheduler.n_jobs == jobs.N_SHORT


def test_an_error_frees_the_place(scheduler):
    for _ in range(2 * jobs.N_SHORT):
        with pytest.raises(AudioError, match="broken"):
            list(scheduler.identify("broken"))
    assert list(scheduler.identify("9"))[-1].is_last


def test_too_many_are_told_to_come_back(scheduler, monkeypatch):
    monkeypatch.setattr(jobs, "MAX_JOBS", 2)
    running = [scheduler.identify("9 9") for _ in range(2)]
    for each in running:
        next(each)
    with pytest.raises(BusyError, match="try again in a minute"):
        next(scheduler.identify("9"))
    assert scheduler.counts() == {"jobs": 2, "max_jobs": 2}
    running[0].close()
    assert list(scheduler.identify("9"))[-1].is_last


def test_places_are_never_lost_under_threads(scheduler):
    done = []

    def work(names):
        for name in names:
            done.append(list(scheduler.identify(name))[-1].is_last)

    threads = [
        threading.Thread(target=work, args=(["9", "9 200 300", "200!"] * 5,)) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert done == [True] * 90 and scheduler.n_jobs == 0


def test_nobody_is_overtaken_again_and_again(scheduler):
    """Many in loops, as clients are: of each job, how many began that came after it."""
    n_clients, n_rounds = 16, 12
    arrived, began, lock = [], [], threading.Lock()

    def client(n):
        for i in range(n_rounds):
            with lock:
                arrived.append((n, i))
            for step in scheduler.identify("9 9 9"):
                if not step.is_waiting and (n, i) not in began:
                    with lock:
                        began.append((n, i))
                    time.sleep(0.01)  # of work: those that wait look up meanwhile

    threads = [threading.Thread(target=client, args=(n,)) for n in range(n_clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(began) == n_clients * n_rounds
    came = {job: i for i, job in enumerate(arrived)}
    n_overtaken = [
        sum(came[other] > came[job] for other in began[: began.index(job)]) for job in began
    ]
    assert max(n_overtaken) <= n_clients
