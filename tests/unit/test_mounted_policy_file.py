"""The policy file in the file system."""

from pathlib import Path

import pytest

from tunnel_webhook.adapters.policy_file import MountedPolicyFile
from tunnel_webhook.ports import PermanentFailure


def test_a_file_is_read_as_it_is_now(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text("one")
    mounted = MountedPolicyFile(str(file))
    assert mounted.read() == "one"
    replacement = tmp_path / "new"
    replacement.write_text("two")
    replacement.rename(file)
    assert mounted.read() == "two"


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        pytest.param(None, r"policy.toml cannot be read \(No such file or directory\)", id="missing"),
        pytest.param(b" \n", "policy.toml is empty", id="empty"),
        pytest.param(b"\xff", "policy.toml is not UTF-8", id="bytes"),
    ],
)
def test_a_file_without_a_text_is_a_failure_that_names_it(tmp_path: Path, content: bytes | None, fault: str) -> None:
    file = tmp_path / "policy.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(PermanentFailure, match=fault):
        MountedPolicyFile(str(file)).read()
