"""Build hook: a wheel carries what ``convcost.building`` makes of the bundled files."""

from __future__ import annotations

import sys
import tempfile
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ReadyHook(BuildHookInterface[Any]):
    """Adds ``convcost/catalogue/trees`` to a wheel; an editable install reads the checkout, and has a cache instead."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the files in a temporary folder that lasts as long as the build."""
        if version != "standard":
            return
        sys.path.insert(0, self.root)
        from convcost.building import write  # noqa: PLC0415 - the package is beside this file

        self._folder = tempfile.TemporaryDirectory()
        write(self._folder.name)
        build_data["force_include"][self._folder.name] = "convcost/catalogue/trees"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """Remove the temporary folder."""
        if version == "standard":
            self._folder.cleanup()
