"""Sends generated requests to the emulator and checks every response against the OpenAPI description.

The Sync API gets three rounds, because requests with generated IDs reach little code: with an unknown enterprise, with
the right enterprise and unknown leads, and with an existing lead, action and member. The Async API gets one round.
The environment variables that `telecrm emulator` prints select the emulator.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

import requests

SEED = 20250101
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
]

ENTERPRISE = os.environ["TELECRM_ENTERPRISE_ID"]
SYNC_TOKEN = os.environ["TELECRM_SYNC_TOKEN"]
ASYNC_TOKEN = os.environ["TELECRM_ASYNC_TOKEN"]
SYNC_URL = os.environ["TELECRM_SYNC_URL"]
ASYNC_URL = os.environ["TELECRM_ASYNC_URL"]
EMULATOR = ASYNC_URL


def main() -> None:
    known = {"path.enterpriseId": ENTERPRISE}
    rounds = [
        ("sync", SYNC_URL, SYNC_TOKEN, {}, 10),
        ("sync", SYNC_URL, SYNC_TOKEN, known, 40),
        ("sync", SYNC_URL, SYNC_TOKEN, known | existing_resources(), 40),
        ("async", ASYNC_URL, ASYNC_TOKEN, known, 100),
    ]
    failed = sum(not conforms(*round) for round in rounds)
    answered = statuses_by_operation()
    for operation, statuses in sorted(answered.items()):
        print(f"{operation:24}", *(f"{status}x{count}" for status, count in sorted(statuses.items())))
    # Without a successful request an operation is not tested, because all its requests fail early.
    never = sorted(name for name in operations() if not any(200 <= status < 300 for status in answered[name]))
    if never:
        print("operations without a successful request:", ", ".join(never))
    if failed or never:
        sys.exit(1)


def conforms(api: str, url: str, token: str, parameters: dict[str, str], examples: int) -> bool:
    """Runs one round. Returns False if a response differs from the description."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "schemathesis.toml")
        lines = [f"{json.dumps(name)} = {json.dumps(value)}" for name, value in parameters.items()]
        config.write_text("\n".join(["[parameters]", *lines, ""]))
        command = [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", config, "run"),
            *(f"{EMULATOR}/openapi/{api}.yaml", "--url", url, "--header", f"Authorization: Bearer {token}"),
            *("--checks", ",".join(CHECKS), "--max-examples", str(examples)),
            *("--seed", str(SEED), "--generation-database", "none", "--warnings", "off", "--no-color"),
        ]
        run = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    print(f"{api}, {', '.join(parameters) or 'no parameter'} given:", summary(run.stdout))
    if run.returncode:
        print(run.stdout)
    return run.returncode == 0


def existing_resources() -> dict[str, str]:
    """Creates a lead with an action. Returns path parameters of existing resources."""
    fields = {"phone": "919876543210", "name": "Known"}
    actions = [{"type": "1001", "fields": {"note": "Known"}}]
    created = call("POST", "/lead", {"fields": fields, "actions": actions})
    return {
        "path.leadId": created["lead_id"],
        "path.actionId": created["actions"][0]["action_id"],
        "path.email": call("GET", "/team-members")["data"][0]["email"],
        "path.apiName": "rating",
        "path.code": "ACTION_1001",
    }


def call(method: str, path: str, body: dict | None = None) -> dict:
    url = f"{SYNC_URL}/enterprise/{ENTERPRISE}{path}"
    response = requests.request(method, url, json=body, headers={"Authorization": f"Bearer {SYNC_TOKEN}"}, timeout=10)
    if not response.ok:
        sys.exit(f"{method} {path}: {response.status_code} {response.text}")
    return response.json()


def statuses_by_operation() -> defaultdict[str, Counter[int]]:
    """Counts the statuses of each operation in the emulator's log."""
    found: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for entry in requests.get(f"{EMULATOR}/_emulator/log", timeout=10).json()["entries"]:
        if entry["operation"]:
            found[entry["operation"]][entry["status"]] += 1
    return found


def operations() -> set[str]:
    """The operationIds of both descriptions."""
    import yaml

    names = set()
    for api in ("sync", "async"):
        description = yaml.safe_load(requests.get(f"{EMULATOR}/openapi/{api}.yaml", timeout=10).text)
        for item in description["paths"].values():
            names |= {operation["operationId"] for operation in item.values() if "operationId" in operation}
    return names


def summary(text: str) -> str:
    """The line of the output that counts the test cases."""
    return next((line.strip() for line in text.splitlines() if "generated" in line), "no test cases")


main()
