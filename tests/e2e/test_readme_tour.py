"""The tour of the README: every command is run, and answers what the README shows."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from doubles.process import running_webhook

README = (Path(__file__).parents[2] / "README.md").read_text()
STEPS = re.findall(r"^\$ (curl .+)\n((?:(?!```|\$ ).*\n)*)", README, re.MULTILINE)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")
def test_every_command_of_the_tour_answers_what_the_readme_shows() -> None:
    assert len(STEPS) == 5
    with running_webhook({"BACKEND": "memory", "DOMAIN_FILTER": "example.com"}) as webhook:
        for command, expected in STEPS:
            local = command.replace("http://127.0.0.1:8888", webhook.webhook_url)
            local = local.replace("http://127.0.0.1:8080", webhook.exposed_url)

            curl = subprocess.run(local, shell=True, capture_output=True, text=True, check=True)  # noqa: S602 -- a line of our README

            assert curl.stdout.strip() == expected.strip()
        assert '"applied: create 1"' in webhook.log.read_text()
