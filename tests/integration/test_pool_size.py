"""vaxdb pool size: the guide's formula, held against a real server."""

import os

import pytest


def test_guide_examples(vaxdb):
    four = vaxdb.ok("pool", "size", "--cores", 4, "--spindles", 1, "--json").json
    assert (four["per_instance"], four["total"]) == (9, 9)
    eight = vaxdb.ok("pool", "size", "--cores", 8, "--instances", 3, "--json").json
    assert (eight["per_instance"], eight["total"]) == (16, 48)
    assert "(8 cores x 2) + 0 spindles = 16" in eight["formula"]
    assert eight["max_connections"] is None and eight["fits"] is None


def test_cores_of_this_machine(vaxdb):
    sizing = vaxdb.ok("pool", "size", "--spindles", 0, "--json").json
    assert sizing["cores"] == os.sysconf("SC_NPROCESSORS_ONLN")
    assert sizing["per_instance"] == 2 * sizing["cores"]


def test_against_the_server(vaxdb, any_database):
    def size(instances):
        return vaxdb.ok(
            "pool", "size", "--url", any_database.url, "--cores", 8, "--instances", instances, "--json"
        ).json

    fits = size(6)
    assert fits["max_connections"] == 100
    assert fits["usable_connections"] == 97
    assert fits["fits"] is True
    too_many = size(7)
    assert too_many["total"] == 112
    assert too_many["fits"] is False
    assert any("at least 115" in note for note in too_many["notes"])


def test_reserved_connections_of_newer_servers(vaxdb, own_server):
    server = own_server(major=16, settings={"max_connections": "20", "reserved_connections": "4"})
    sizing = vaxdb.ok("pool", "size", "--url", server.url(), "--cores", 8, "--json").json
    assert sizing["usable_connections"] == 20 - 3 - 4
    assert sizing["fits"] is False


def test_unreachable_server_is_told(vaxdb, own_server):
    server = own_server(start=False)
    url = server.url(port=1)
    told = vaxdb.ok("pool", "size", "--url", url, "--cores", 8, "--json").json
    assert told["per_instance"] == 16
    assert any("not looked at" in note for note in told["notes"])
    failed = vaxdb.fails(5, "pool", "size", "--url", url)
    assert "--cores" in failed.stderr


@pytest.mark.parametrize("env", ["staging", "production"])
def test_production_is_capped_at_50(vaxdb, database, env):
    vaxdb.write_config(**{env: database.url})
    sizing = vaxdb.ok("pool", "size", "-e", env, "--cores", 64, "--json").json
    assert (sizing["per_instance"], sizing["capped"]) == (50, True)
    assert sizing["settings"]["production"] == {
        "max": 50,
        "min": 5,
        "idleTimeoutMillis": 30000,
        "connectionTimeoutMillis": 2000,
    }
    assert sizing["settings"]["development"]["max"] == 10
    assert sizing["settings"]["test"]["max"] == 5


def test_instances_from_the_configuration(vaxdb):
    vaxdb.write_config("[vaxdb]\npool_instances = 3\n")
    assert vaxdb.ok("pool", "size", "--cores", 8, "--json").json["total"] == 48


@pytest.mark.parametrize("arguments", [("--cores", "0"), ("--cores", "x"), ("--instances", "0")])
def test_wrong_arguments(vaxdb, arguments):
    vaxdb.fails(2, "pool", "size", *arguments)


def test_text_fits_and_can_be_pasted(vaxdb):
    text = vaxdb.ok("pool", "size", "--cores", 8, "--instances", 3).stdout
    assert "Total          48" in text
    assert "connectionTimeoutMillis: 2000" in text
    assert all(len(line) <= 80 for line in text.splitlines())
