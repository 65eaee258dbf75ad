"""schemathesis over the OpenAPI of the real server: no failure of the server, no answer that is not documented.

python -m tests.serving.fuzz WORKSPACE (or `make fuzz`): every phase, more than 10,000 cases, once without users and
once, with fewer, as a viewer who asks too often; exit code 1 when one fails. The language model is the test suite's
stand-in; data, tools, state and audit log are real, in a copy.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

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
EVERYTHING = "examples,coverage,fuzzing"
LEAST_CASES = 10_000
FEW = 2
"""Cases an operation in the pass whose caller may only read."""
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")


def fuzz(url: str, per_operation: int, phases: str, *more: str) -> tuple[bool, int, str]:
    """(whether every answer was right, cases sent, what schemathesis printed)."""
    with tempfile.TemporaryDirectory(prefix="segassist-fuzz-") as folder:
        report = Path(folder) / "report.json"
        command = [str(SCHEMATHESIS), "run", f"{url}/openapi.json", "--phases", phases]
        command += ["--max-examples", str(per_operation), "--checks", ",".join(CHECKS), "--seed", SEED]
        command += ["--request-timeout", ANSWER_SECONDS, "--generation-database", "none", "--no-color"]
        command += ["--suppress-health-check", "all", "--continue-on-failure", "--warnings", "off"]
        command += ["--report", "json", "--report-json-path", str(report), *more]
        ran = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
        cases = json.loads(report.read_text())["test_cases"]["generated"] if report.exists() else 0
    return ran.returncode == 0, cases, ran.stdout + ran.stderr


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
            service, key = Service.open(Path(folder), OpenAIChat(llm.base_url, "stand-in")), []
            if role is not None:
                key = ["--header", f"Authorization: Bearer {service.users.add('fuzz', role)}"]
            with serving(create_app(service)) as url:
                right, cases, said = fuzz(url, per_operation, EVERYTHING, *key, *more)
        print(said)
        print(f"{cases:,} cases, {'without users' if role is None else f'a {role.name}'}", flush=True)
        everything_right, sent = everything_right and right, sent + cases
    return 0 if everything_right and sent >= LEAST_CASES else 1


if __name__ == "__main__":
    sys.exit(main())
