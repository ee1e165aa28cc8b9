# SPDX-License-Identifier: Apache-2.0
"""Every RPC method is what rpc.describe says of it: callable, checked, and answered."""

MAPPING = """
[[mappings]]
name = "echo"
on = "test.go"
action = { type = "log", message = "saw {n}" }
"""

# What each method needs to be answered with a result; a method missing here fails the test.
PARAMS = {
    "ping": {},
    "status": {},
    "health": {},
    "get_health_metrics": {},
    "get_telemetry_snapshot": {},
    "capabilities": {},
    "metrics": {},
    "top": {},
    "host": {},
    "advise": {},
    "diagnosis": {},
    "doctor.fixed": None,  # only after a fix: test_doctor.py
    "upgrade.report": None,  # only of an upgrade: tests/systemd
    "events": {"limit": 5},
    "events.emit": {"kind": "test.go", "attributes": {"n": 1}},
    "why": {"id": 1},
    "why.not": {"of": "echo"},
    "kinds": {},
    "reload": {"dry_run": True},
    "reload.confirm": None,  # only right after a reload that waits for it
    "undo": None,  # only when there is a generation before
    "stop": None,  # the last one, below
    "config.show": {},
    "config.diff": {"text": ""},
    "config.check": {"text": "[daemon]"},
    "config.history": {},
    "rpc.describe": {},
}


def answer_of(anna, method, params):
    """What is measured or read in a job may not be there yet: then the answer is BUSY."""
    def answered():
        try:
            return anna.rpc(method, params), True
        except RpcError as error:
            assert error.data["name"] == "ResourceBusy", (method, error.message)
            return None
    return anna.wait_for(answered, what=method)[0]


def test_every_method_that_is_described_can_be_called(anna):
    anna.start(MAPPING)
    methods = anna.rpc("rpc.describe")["methods"]
    assert {method["name"] for method in methods} == set(PARAMS)
    for method in methods:
        assert method["summary"] and method["result"], method["name"]
        assert method["role"] in ("read", "act", "admin"), method["name"]
        params = PARAMS[method["name"]]
        if params is not None:
            assert answer_of(anna, method["name"], params) is not None, method["name"]


def test_aliases_answer_as_the_method_they_stand_for(anna):
    anna.start()
    for method in anna.rpc("rpc.describe")["methods"]:
        for alias in method["aliases"]:
            if PARAMS[method["name"]] is not None:
                params = PARAMS[method["name"]]
                assert alias == "why_not" or answer_of(anna, alias, params) is not None, alias


def test_an_unknown_parameter_is_refused_with_the_nearest_name(anna):
    anna.start()
    with anna.connect() as client:
        client.post("events", {"limmit": 5})
        error = client.answer()["error"]
    assert error["code"] == -32602
    assert "limit" in error["message"] + error["data"]["hint"]


def test_every_error_carries_its_name_and_advice(anna):
    anna.start()
    with anna.connect() as client:
        for method, params in (("nope", {}), ("why", {}), ("why", {"id": 10**12}),
                               ("events.emit", {"kind": "host.filesystem"}),
                               ("undo", {"generation": 99})):
            client.post(method, params)
            error = client.answer()["error"]
            assert error["message"], method
            assert set(error["data"]) >= {"name", "retryable", "retry_after_ms", "hint"}, method


def test_the_predecessors_health_fields_are_there_and_measured(anna):
    anna.start()
    anna.rpc("ping")
    health = anna.rpc("get_health_metrics")
    assert set(health) >= {"status", "uptime_sec", "rpc_latency", "memory", "queue",
                           "capabilities_active", "capabilities_degraded", "timestamp"}
    assert health["memory"]["current_mb"] > 0
    assert health["capabilities_active"] >= 3
