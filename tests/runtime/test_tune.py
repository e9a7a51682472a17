"""The autotuner takes the fastest of what it may, once for a machine."""

import json
import time

import pytest

from minidl.runtime import tune as tuning
from minidl.runtime.tune import Report, Trial, medians, space, tune


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(tuning, "folder", lambda: tmp_path)
    return tmp_path


def sleeping(seconds):
    """A candidate's run: it takes so long, whatever the machine."""
    if seconds < 0:
        raise ValueError("time runs forward")
    return lambda: time.sleep(seconds)


CANDIDATES = {"slow": 0.02, "fast": 0.002, "middle": 0.01}


def test_the_fastest_is_chosen_whatever_the_model_says():
    report = tune(CANDIDATES, sleeping, "key", model=lambda s: -s + 1, repeats=2)
    assert report.chosen == "fast" and not report.remembered
    assert [t.name for t in report.trials] == ["slow", "middle", "fast"]


def test_only_the_best_by_the_model_are_measured():
    built = []

    def run(seconds):
        built.append(seconds)
        return sleeping(seconds)

    report = tune(CANDIDATES, run, "key", model=lambda s: s, most=2, repeats=1)
    assert built == [0.002, 0.01]
    assert report.trials[-1] == Trial("slow", 0.02, None, "not measured")


def test_without_a_model_all_stand_in_their_own_order():
    report = tune(CANDIDATES, sleeping, "key", repeats=1)
    assert [t.name for t in report.trials] == list(CANDIDATES)


def test_the_choice_is_made_once():
    tune(CANDIDATES, sleeping, "key", repeats=1)

    def never(candidate):
        raise AssertionError("measured again")

    report = tune(CANDIDATES, never, "key", repeats=1)
    assert report.remembered and report.chosen == "fast"


@pytest.mark.parametrize("other", ["key", "candidates", "machine"])
def test_another_question_is_measured_anew(other, monkeypatch):
    tune(CANDIDATES, sleeping, "key", repeats=1)
    candidates = {**CANDIDATES, "more": 0.02} if other == "candidates" else CANDIDATES
    if other == "machine":
        monkeypatch.setattr(tuning, "machine", lambda: "another")
    key = "another" if other == "key" else "key"
    assert not tune(candidates, sleeping, key, repeats=1).remembered


def test_a_spoilt_file_is_measured_anew(cache):
    tune(CANDIDATES, sleeping, "key", repeats=1)
    (path,) = cache.glob("tuned_*.json")
    assert json.loads(path.read_text())
    path.write_text("{")
    assert not tune(CANDIDATES, sleeping, "key", repeats=1).remembered


def test_a_candidate_that_can_not_be_done_is_left_out_with_the_reason():
    report = tune({"fine": 0.001, "wrong": -1}, sleeping, "key", repeats=1)
    assert report.chosen == "fine" and "time runs forward" in repr(report)


def test_no_candidate_at_all_is_an_error_in_words():
    with pytest.raises(ValueError, match="wrong: time runs forward"):
        tune({"wrong": -1}, sleeping, "key", repeats=1)
    with pytest.raises(ValueError, match="there is none"):
        tune({}, sleeping, "key")


def test_the_report_is_a_table():
    trials = (
        Trial("tile=8", 1.25e-3, 2e-3),
        Trial("tile=16", 1.5, None, "not measured"),
        Trial("tile=32", None, 5e-6),
    )
    assert repr(Report(trials)).splitlines() == [
        "candidate    modelled  measured",
        "tile=8        1.25 ms      2 ms",
        "tile=16         1.5 s         -  not measured",
        "tile=32             -      5 us  chosen",
    ]


def test_a_space_is_all_combinations_by_name():
    choices = space(tile=(8, 16), unrolled=(True,))
    assert choices == {
        "tile=8, unrolled=True": {"tile": 8, "unrolled": True},
        "tile=16, unrolled=True": {"tile": 16, "unrolled": True},
    }


def test_candidates_take_turns_so_that_a_busy_moment_hits_all():
    order = []
    medians({n: lambda n=n: order.append(n) or time.sleep(0.002) for n in "ab"}, 2)
    assert "".join(order) == "aabb" + "abab"  # to warm up and to count, then turns
