"""What the site adds to the pages of ``docs``: a page for every bundled spec, explorer pages, and formulas as MathML.

MkDocs runs these functions while it builds (``hooks`` in ``.mkdocs.yml``). The pages read well without them, on a
code host for example: there a link to ``../specs/NAME.yaml`` opens the file, a ``math`` fence is typeset, and
the gallery is a list of commands.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latex2mathml.converter import convert
from mkdocs.structure.files import File

from convcost import explore

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
SPECS = ROOT / "specs"
_GALLERY = re.compile(r"^\* `convcost explore ([\w ]+?)(?: --free ([\w,]+))? -o (explore/\w+\.html)`$", re.MULTILINE)
_SPEC_LINK = re.compile(r"\]\((?:\.\./)+(specs/[\w/]+)\.yaml\)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Typeset ``math`` fences when the site is built, so that the browser needs no script for them."""
    fence = {"name": "math", "class": "math", "format": math}
    config.mdx_configs.setdefault("pymdownx.superfences", {})["custom_fences"] = [fence]
    return config


def math(source: str, *_: Any, **__: Any) -> str:
    """The MathML of the LaTeX formulas in ``source``."""
    return f'<div class="math">{convert(source, display="block")}</div>'


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for every bundled spec, and the explorer pages that a list in ``explore.md`` names."""
    for path in sorted(SPECS.rglob("*.yaml")):
        name = path.relative_to(ROOT).with_suffix(".md").as_posix()
        files.append(File.generated(config, name, content=_spec_page(path)))
    for targets, free, name in _GALLERY.findall((ROOT / "docs" / "explore.md").read_text("utf-8")):
        page = explore(*targets.split(), free=free.split(",") if free else None)
        files.append(File.generated(config, name, content=str(page)))
    return files


def _spec_page(path: Path) -> str:
    back = "../" * (len(path.relative_to(ROOT).parts) - 1) + "catalogue.md"
    return (
        f"---\nhide: [toc]\n---\n# {path.stem}\n\n"
        f"A bundled spec. `convcost analyze {path.stem}` counts it, `convcost show {path.stem}` prints it.\n"
        f"[All networks and blocks]({back}).\n\n"
        f"```yaml\n{path.read_text('utf-8').rstrip()}\n```\n"
    )


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 - MkDocs' signature
    """Point links at spec files to their pages, and commands that write explorer pages at these."""
    up = "../" * page.file.src_uri.count("/")
    markdown = _GALLERY.sub(r"* [`convcost explore \1`](\3)", markdown)
    return _SPEC_LINK.sub(rf"]({up}\1.md)", markdown)
