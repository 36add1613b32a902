"""Sends generated requests to the emulator named in the environment; each answer must be in its OpenAPI document.

Three rounds for the Sync API, because invented IDs alone never get far: as a stranger, in the enterprise with invented
leads, and in the enterprise with leads, actions and members that are there. Then one for the Async API.
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
        ("sync", SYNC_URL, SYNC_TOKEN, known | something_that_is_there(), 40),
        ("async", ASYNC_URL, ASYNC_TOKEN, known, 100),
    ]
    failed = sum(not conforms(*round) for round in rounds)
    answered = answers()
    for operation, statuses in sorted(answered.items()):
        print(f"{operation:24}", *(f"{status}x{count}" for status, count in sorted(statuses.items())))
    # A run in which everything is refused at the door proves nothing.
    never = sorted(name for name in operations() if not any(200 <= status < 300 for status in answered[name]))
    if never:
        print("no generated request got through to:", ", ".join(never))
    if failed or never:
        sys.exit(1)


def conforms(api: str, url: str, token: str, parameters: dict[str, str], examples: int) -> bool:
    """Whether every answer of one round is in the document."""
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
    print(f"{api}, {', '.join(parameters) or 'nothing'} known:", last_lines(run.stdout))
    if run.returncode:
        print(run.stdout)
    return run.returncode == 0


def something_that_is_there() -> dict[str, str]:
    """Path parameters that name a lead, an action, a member, a field and a custom action of the workspace."""
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
    answer = requests.request(method, url, json=body, headers={"Authorization": f"Bearer {SYNC_TOKEN}"}, timeout=10)
    if not answer.ok:
        sys.exit(f"{method} {path}: {answer.status_code} {answer.text}")
    return answer.json()


def answers() -> defaultdict[str, Counter[int]]:
    """How often each operation gave each status, by the emulator's own log."""
    found: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for entry in requests.get(f"{EMULATOR}/_emulator/log", timeout=10).json()["entries"]:
        if entry["operation"]:
            found[entry["operation"]][entry["status"]] += 1
    return found


def operations() -> set[str]:
    """The operationIds of both documents."""
    import yaml

    names = set()
    for api in ("sync", "async"):
        document = yaml.safe_load(requests.get(f"{EMULATOR}/openapi/{api}.yaml", timeout=10).text)
        for item in document["paths"].values():
            names |= {operation["operationId"] for operation in item.values() if "operationId" in operation}
    return names


def last_lines(text: str) -> str:
    """The line that counts the test cases."""
    return next((line.strip() for line in text.splitlines() if "generated" in line), "no test cases")


main()
