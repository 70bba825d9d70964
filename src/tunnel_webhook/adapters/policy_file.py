"""The policy file in the file system, usually a mounted ConfigMap."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tunnel_webhook.ports import PermanentFailure


@dataclass(frozen=True, slots=True)
class MountedPolicyFile:
    """PolicyFile at a path; every read opens the file again, since Kubernetes replaces it by switching a link."""

    path: str

    def read(self) -> str:
        """Return its text."""
        try:
            text = Path(self.path).read_text("utf-8")
        except OSError as error:
            message = f"{self.path} cannot be read ({error.strerror})"
            raise PermanentFailure(message) from error
        except UnicodeDecodeError as error:
            message = f"{self.path} is not UTF-8"
            raise PermanentFailure(message) from error
        if not text.strip():
            message = f"{self.path} is empty"
            raise PermanentFailure(message)
        return text
