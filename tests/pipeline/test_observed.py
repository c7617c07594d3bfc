"""A host by its Prometheus: the figures that are there, no others, and when there is nothing to say."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from schedops.adapters.prometheus import Prometheus
from schedops.cli.main import schedops
from schedops.errors import SchedopsError
from schedops.model.profile import Profile
from schedops.pipeline.observed import observed
from schedops.schema.decode import decode, encode
from tests.fakes.prometheus import prometheus


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with prometheus() as (url, said):
        yield url, said


def look(url, instance=None):
    return observed(Prometheus(url), url, instance=instance, minutes=10).profile


def test_a_host_s_metrics_are_a_profile(server):
    url, said = server
    found = look(url)
    figures = {one.name: (one.value, one.unit) for one in found.figures}
    assert figures["parallelism"] == (pytest.approx(0.9), "share")
    assert figures["iowait_share"] == (pytest.approx(0.025), "share")
    assert figures["waiting_mean"] == (2.0, "tasks")
    assert figures["queue_wait_mean_us"] == (500.0, "us")
    assert figures["parallelism_p95"][0] == pytest.approx(0.9)
    assert figures["major_faults_per_s"] == (0.0, "1/s")  # measured, and zero
    assert (found.cpus, found.workload, found.tasks) == (8, "web1-9100", ())
    assert found.source.startswith(f"Prometheus {url}, instance web1:9100, 10 min until 2026-05-")
    assert found.bottleneck.name == "cpu-saturated"
    assert found.classes == ()
    assert "a recording or a run does" in found.words
    missing = {one.what for one in found.missing}
    assert {"cycles, instructions, cache misses", "memory_pressure"} <= missing
    assert "memory_pressure" not in figures
    assert decode(Profile, encode(found)) == found
    assert all("web1:9100" in query for query in said.heard[1:])


def test_what_the_figures_are_enough_for_is_told(server):
    url, said = server
    said.metrics |= {"perf_cpucycles": 4e9, "perf_instructions": 1e9, "perf_cache_misses": 5e7}
    assert [one.name for one in look(url).classes] == ["memory-bound"]
    said.metrics["perf_instructions"] = "NaN"
    found = look(url)
    assert found.classes == ()
    assert "instructions_per_cycle" not in {one.name for one in found.figures}


def test_gaps_are_said(server):
    url, said = server
    said.busy = [0.5] * 20 + [None] * 41
    found = look(url)
    assert "parallelism_p95" not in {one.name for one in found.figures}
    assert next(one.reason for one in found.missing if one.what == "parallelism_p95").startswith("there are 20 of 61")


@pytest.mark.parametrize(
    ("instances", "asked", "metrics", "code"),
    [
        ((), None, {}, "no-data"),
        (("a", "b"), None, {}, "several-instances"),
        (("a", "b"), "c", {}, "no-instance"),
        (("a",), None, {"timestamp(": 181.0}, "stale"),
        (("a",), None, {"timestamp(": "NaN"}, "no-data"),
        (("a",), None, {"count by (cpu)": 1e9}, "no-data"),
    ],
)
def test_when_there_is_nothing_to_say(server, instances, asked, metrics, code):
    url, said = server
    said.instances = instances
    said.metrics |= metrics
    with pytest.raises(SchedopsError) as refused:
        look(url, asked)
    assert refused.value.code == code


def test_a_label_cannot_become_a_query(server):
    url, said = server
    said.instances = ('a"} or vector(1) #\\',)
    look(url)
    assert '{instance="a\\"} or vector(1) #\\\\"}' in said.heard[1]


def test_from_the_command_line(server, monkeypatch):
    url, said = server
    monkeypatch.setenv("SCHEDOPS_PROMETHEUS_TOKEN", "secret")

    def say(*words):
        return CliRunner().invoke(schedops, ["profile", "--from", url, *words])

    done = say("--minutes", "5")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("web1-9100, 8 CPUs, as it was recorded: Prometheus http://127.0.0.1:")
    assert said.tokens == {"Bearer secret"}
    assert "secret" not in done.output
    assert json.loads(say("--output", "json").stdout)["data"]["profile"]["cpus"] == 8
    assert say("--plot", "a.svg").exit_code == 2
    assert say("--instance", "other").exit_code == 2
    said.metrics["timestamp("] = 999
    assert say().exit_code == 69


def test_figures_that_no_number_can_hold_are_left_out(server):
    url, said = server
    said.metrics |= {"timeslices": 1e-300, "schedstat_waiting": 1e300}
    assert "queue_wait_mean_us" not in {one.name for one in look(url).figures}


@pytest.mark.parametrize("option", [("--tier", "probe"), ("--on", "host"), ("--cpus", "4")])
def test_options_of_a_run_are_refused_where_nothing_is_run(option):
    said = CliRunner().invoke(schedops, ["profile", "--from", "http://127.0.0.1:9", *option])
    assert said.exit_code == 2
    assert f"{option[0]} is for a run" in said.output
