"""kill -9 at random moments of ingest, feature build and export: nothing lost, doubled, or used half-built.

SEGASSIST_KILLS says how many moments (four here, fifty before a release), SEGASSIST_KILL_SEED which.
"""

import os
import subprocess
import sys

from tests.conftest import ROOT

TRIALS = int(os.environ.get("SEGASSIST_KILLS", "4"))


def test_a_kill_at_any_moment_leaves_the_old_or_the_new(tmp_path):
    seed = os.environ.get("SEGASSIST_KILL_SEED", "1")
    ran = subprocess.run(
        [sys.executable, "-m", "tests.warehouse.killed", str(tmp_path / "shop"), str(TRIALS), seed],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.count("trial") == TRIALS
    assert "killed" in ran.stdout
