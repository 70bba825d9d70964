"""The tour of the README: each command is run, and answers what the README says."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from doubles.process import running_webhook

README = (Path(__file__).parents[2] / "README.md").read_text()
STEPS = re.findall(r"^\$ (curl .+)\n((?:(?!```|\$ ).*\n)*)", README, re.MULTILINE)


@pytest.mark.skipif(shutil.which("curl") is None, reason="the tour is made with curl, which is not on this machine")
def test_every_command_of_the_tour_answers_what_the_readme_says() -> None:
    assert len(STEPS) == 5
    with running_webhook({"BACKEND": "memory", "DOMAIN_FILTER": "example.com"}) as webhook:
        for command, expected in STEPS:
            here = command.replace("http://127.0.0.1:8888", webhook.webhook_url).replace(
                "http://127.0.0.1:8080", webhook.exposed_url
            )

            answered = subprocess.run(here, shell=True, capture_output=True, text=True, check=True)  # noqa: S602 -- a line of our README

            assert answered.stdout.strip() == expected.strip()
