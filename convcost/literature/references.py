"""The sources of printed figures: papers, and files of repositories at a commit."""

from __future__ import annotations

import os
import re
from functools import cache

from convcost.catalogue.loader import Files, check_keys, fail, package_folder, text_of
from convcost.errors import closest, unknown
from convcost.language.tree import Mapping
from convcost.records import NamedTuple

_KEYS = ("authors", "title", "venue", "year", "arxiv", "doi", "url", "repository", "commit", "file", "of")
_ELSEWHERE = re.compile(r"arXiv:\d{4}\.\d{4,5}(v\d+)?|doi:10\.\S+|https?://\S+")
REFERENCES = Files("list of references", (package_folder("literature"),), "docs/published/references.bib")


class Reference(NamedTuple):
    """One source.

    Attributes:
        key: what ``cite`` calls it.
        authors: family name and given names, separated by semicolons.
        title: its title.
        venue: where it appeared; empty for an arXiv paper, a repository, a page.
        year: of publication, or of the last change of the file.
        arxiv: its number there, with the version where that matters.
        doi: its digital object identifier.
        url: its address, where it has none of the others.
        repository: ``owner/name`` at GitHub.
        commit: the version of the repository that was read.
        file: the path of the file or folder in the repository.
        of: what it is about, in a word or two.
    """

    key: str
    authors: str = ""
    title: str = ""
    venue: str = ""
    year: str = ""
    arxiv: str = ""
    doi: str = ""
    url: str = ""
    repository: str = ""
    commit: str = ""
    file: str = ""
    of: str = ""

    @property
    def link(self) -> str:
        """Where it can be read.

        >>> references()["he2016"].link
        'https://arxiv.org/abs/1512.03385'
        """
        if self.arxiv:
            return f"https://arxiv.org/abs/{self.arxiv}"
        if self.doi:
            return f"https://doi.org/{self.doi}"
        if self.repository:
            kind = "blob" if "." in os.path.basename(self.file) else "tree"
            return f"https://github.com/{self.repository}/{kind}/{self.commit}/{self.file}"
        return self.url

    @property
    def name(self) -> str:
        """``He et al., 2016 (ResNet)``; what a repository is of.

        >>> references()["he2016"].name, references()["pycls"].name
        ('He et al., 2016 (ResNet)', 'pycls')
        """
        if not self.title:
            return self.key
        if not (self.arxiv or self.doi or self.venue):
            return self.of
        authors = [author.split(",")[0].strip() for author in self.authors.split(";")]
        short = authors[0] + (" et al." if len(authors) > 2 else f" and {authors[1]}" if len(authors) > 1 else "")  # noqa: PLR2004
        return f"{short}, {self.year} ({self.of})"

    @property
    def bibtex(self) -> str:
        """Its entry in a BibTeX file."""
        kind = "inproceedings" if self.venue and not self.venue.startswith("Proceedings") else "article"
        if not self.venue:
            kind = "misc"
        fields = {"author": _authors(self.authors), "title": f"{{{_escaped(self.title)}}}", "year": self.year}
        if self.venue:
            fields["booktitle" if kind == "inproceedings" else "journal"] = _escaped(self.venue)
        if self.arxiv:
            fields |= {"eprint": self.arxiv, "archiveprefix": "arXiv"}
        if self.doi:
            fields["doi"] = self.doi
        if self.repository:
            fields["note"] = f"Commit {self.commit[:12]}"
        fields["url"] = self.link
        lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items())
        return f"@{kind}{{{self.key},\n{lines}\n}}\n"


def _authors(text: str) -> str:
    """Names joined as BibTeX has them; an organisation in braces of its own, so that it is not taken apart."""
    names = [name.strip() for name in text.split(";")]
    return " and ".join(_escaped(name) if "," in name else f"{{{_escaped(name)}}}" for name in names)


def _escaped(text: str) -> str:
    return re.sub(r"([&%$#_])", r"\\\1", text)


@cache
def references() -> dict[str, Reference]:
    """Every bundled source, by citation key.

    Raises:
        SpecError: the file is wrong.
    """
    _, tree = REFERENCES.open("references")
    sources = {}
    for key, node in tree.entries:
        if not isinstance(node, Mapping):
            fail(node, "a reference is a mapping such as {authors: ..., title: ..., year: 2017, arxiv: ...}")
        check_keys(node, _KEYS, "a reference")
        sources[key.text] = Reference(key.text, **{name: text_of(node, name) for name in _KEYS})
    return sources


def reference(cite: str) -> Reference:
    """The source that ``cite`` names.

    Raises:
        LookupError: it is neither a bundled key nor ``arXiv:``, ``doi:`` or an address; with what it may be.
    """
    bundled = references().get(cite)
    if bundled is not None:
        return bundled
    if _ELSEWHERE.fullmatch(cite) is None:
        own = "a source of your own is cited as arXiv:1704.04861, doi:10.1109/5.726791 or https://..."
        raise LookupError(unknown("reference", cite, references(), hint="" if closest(cite, references()) else own))
    return Reference(
        cite,
        arxiv=cite.removeprefix("arXiv:") if cite.startswith("arXiv:") else "",
        doi=cite.removeprefix("doi:") if cite.startswith("doi:") else "",
        url=cite if cite.startswith("http") else "",
    )
