"""schemathesis over the OpenAPI of the real server: no failure of the server, no answer that is not documented.

python -m tests.serving.fuzz WORKSPACE (or `make fuzz`): more than 10,000 cases, once without users and once, with
fewer, as a viewer who asks too often; exit code 1 when one fails. The language model is the test suite's stand-in;
data, tools, state and audit log are real, in a copy.

Covering every branch of the grammar of segment definitions takes some 15,000 cases. That is done at one operation,
which only counts; elsewhere a definition is the same one while everything around it is covered, and any one while it is
fuzzed.
"""

import argparse
import copy
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, cast

import httpx

from assistant.llm import OpenAIChat
from serving.access import Role
from serving.service import Service
from tests.serving.fakes import FakeLLM

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
)
SEED = "7"
ANSWER_SECONDS = "180"
LEAST_CASES = 10_000
FEW = 2
"""Fuzzed cases an operation in the pass whose caller may only read."""
COUNTS = "/v1/segments/preview"
DEFINITION = "#/components/schemas/SegmentDefinition"
CHECKED = "\n".join(f"{check}.enabled = true" for check in CHECKS)
SETTINGS = f"""\
[checks]
enabled = false
{CHECKED}

[[operations]]
include-path-regex = "^/v1/segments/"
checks.unsupported_method.enabled = false
checks.allow_header_conformance.enabled = false
"""
"""A segment may be called 'preview' or 'diff/members': there the methods of saved ones are right as well."""
ONE_DEFINITION = {"feature": "orders_90d", "op": ">=", "value": 5}
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")


def one_definition(openapi: dict[str, Any]) -> dict[str, Any]:
    """The same API, whose requests know one segment definition only."""

    def known(schema: Any) -> Any:
        if isinstance(schema, list):
            return [known(part) for part in schema]
        if not isinstance(schema, dict):
            return schema
        if schema.get("$ref") == DEFINITION:
            return {"enum": [ONE_DEFINITION]}
        parts = {key: known(part) for key, part in schema.items() if key != "$ref"}
        if "$ref" in schema:
            parts |= known(openapi["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
        return parts

    changed = copy.deepcopy(openapi)
    for operations in changed["paths"].values():
        for operation in operations.values():
            if "requestBody" in operation:
                operation["requestBody"] = known(operation["requestBody"])
    return changed


def fuzz(
    url: str, per_operation: int, phases: str, *more: str, openapi: dict[str, Any] | None = None
) -> tuple[bool, int, str]:
    """(whether every answer was right, cases sent, what schemathesis printed).

    `openapi` says what is asked when that is less than the server's own description.
    """
    with tempfile.TemporaryDirectory(prefix="segassist-fuzz-") as folder:
        report, described = Path(folder) / "report.json", Path(folder) / "openapi.json"
        described.write_text(json.dumps(openapi or _described(url)))
        (Path(folder) / "schemathesis.toml").write_text(SETTINGS)
        command = [str(SCHEMATHESIS), "run", str(described), "--url", url, "--phases", phases]
        command += ["--max-examples", str(per_operation), "--seed", SEED]
        command += ["--request-timeout", ANSWER_SECONDS, "--generation-database", "none", "--no-color"]
        command += ["--suppress-health-check", "all", "--continue-on-failure", "--warnings", "off"]
        command += ["--report", "json", "--report-json-path", str(report), *more]
        ran = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
        cases = json.loads(report.read_text())["test_cases"]["generated"] if report.exists() else 0
    return ran.returncode == 0, cases, ran.stdout + ran.stderr


def _described(url: str, key: str | None = None) -> dict[str, Any]:
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    answer = httpx.get(f"{url}/openapi.json", headers=headers).raise_for_status()
    return cast(dict[str, Any], answer.json())


def main() -> int:
    """Serve a copy of the workspace and fuzz it."""
    from serving.web import create_app
    from tests.serving.conftest import BUILT, serving

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--per-operation", type=int, default=20)
    arguments, more = parser.parse_known_args()  # whatever else is said goes to schemathesis
    llm, everything_right, sent = FakeLLM(), True, 0
    for role, per_operation in ((None, arguments.per_operation), (Role.viewer, FEW)):
        with tempfile.TemporaryDirectory(prefix="segassist-fuzz-") as folder:
            for name in BUILT:
                (Path(folder) / name).symlink_to((arguments.workspace / name).resolve())
            service = Service.open(Path(folder), OpenAIChat(llm.base_url, "stand-in"))
            key = None if role is None else service.users.add("fuzz", role)
            signed = [] if key is None else ["--header", f"Authorization: Bearer {key}"]
            asker = "without users" if role is None else f"a {role.name}"
            with serving(create_app(service)) as url:
                grammar = _described(url, key)
                passes: list[tuple[str, dict[str, Any], list[str]]] = [
                    ("examples,coverage", one_definition(grammar), []),
                    ("fuzzing", grammar, []),
                ]
                if role is None:
                    passes.insert(0, ("coverage", grammar, ["--include-path", COUNTS]))
                for phases, openapi, only in passes:
                    right, cases, said = fuzz(
                        url, per_operation, phases, *signed, *only, *more, openapi=openapi
                    )
                    print(said)
                    print(f"{cases:,} cases of {phases}, {asker}", flush=True)
                    everything_right, sent = everything_right and right, sent + cases
    print(f"{sent:,} cases, {'every answer as described' if everything_right else 'not every answer right'}")
    return 0 if everything_right and sent >= LEAST_CASES else 1


if __name__ == "__main__":
    sys.exit(main())
