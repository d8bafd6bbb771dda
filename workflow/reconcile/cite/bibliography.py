"""The paper, its reconciliation, the tool and the sources as BibTeX, CSL-JSON and CITATION.cff.

Two sources of metadata: the study's ``paper`` and ``evidence``, and the project's CITATION.cff for
the tool. Nothing else is known, so nothing else is said: no DOI that the study does not give, no
person that neither names, and no year of a reconciliation, which any run gives again.

Names and titles may hold anything: whatever comes from a study is escaped for LaTeX here.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from reconcile import __version__
from reconcile.errors import Fault, InputError
from reconcile.study.model import Paper, Study
from reconcile.study.yamlfile import load_yaml

AUTHORS = "The reconcile authors"
"""Who made the tool and with it the reports, as CITATION.cff says too."""
_PARTICLES = {"van", "von", "der", "den", "de", "del", "della", "di", "da", "du", "la", "le", "ten"}
# A venue says what kind of publication it names; where it does not, neither do we.
_PROCEEDINGS = re.compile(
    r"proceedings|conference|advances in neural|workshop|symposium|congress|challenge", re.I
)
_JOURNAL = re.compile(r"journal|transactions|letters|magazine|review|annals|communications", re.I)
# pdfLaTeX reads Latin-1's letters and Latin Extended-A in UTF-8 without further packages.
_LATIN = range(0xC0, 0x180)
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "%": r"\%",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    # In the old fonts these are other characters or start a ligature.
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\char34{}",
    "`": r"\textasciigrave{}",
    # At the start of a table row these would be arguments of the line end before it.
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
}
_UNICODE = {
    "\u00a0": "~",
    "\u2009": r"\,",
    "\u202f": r"\,",
    "–": r"\textendash{}",
    "—": r"\textemdash{}",
    "\u2018": r"\textquoteleft{}",
    "’": r"\textquoteright{}",
    "“": r"\textquotedblleft{}",
    "”": r"\textquotedblright{}",
    "…": r"\ldots{}",
    "−": r"\ensuremath{-}",
    "×": r"\ensuremath{\times}",
    "÷": r"\ensuremath{\div}",
    "±": r"\ensuremath{\pm}",
    "·": r"\ensuremath{\cdot}",
    "≈": r"\ensuremath{\approx}",
    "≠": r"\ensuremath{\neq}",
    "≤": r"\ensuremath{\leq}",
    "≥": r"\ensuremath{\geq}",
    "→": r"\ensuremath{\rightarrow}",
    "∞": r"\ensuremath{\infty}",
    "√": r"\ensuremath{\surd}",
    "⌊": r"\ensuremath{\lfloor}",
    "⌋": r"\ensuremath{\rfloor}",
    "⌈": r"\ensuremath{\lceil}",
    "⌉": r"\ensuremath{\rceil}",
    "²": r"\ensuremath{^{2}}",
    "³": r"\ensuremath{^{3}}",
    "°": r"\ensuremath{^{\circ}}",
    "µ": r"\ensuremath{\mu}",
}
_GREEK = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi - pi rho - sigma tau "
    "upsilon phi chi psi omega"
)
_UNICODE |= {
    chr(0x3B1 + i): rf"\ensuremath{{\{name}}}"
    for i, name in enumerate(_GREEK.split())
    if name != "-"
}


class Tex(str):
    """What is LaTeX already."""

    __slots__ = ()


def escape(text: str) -> Tex:
    """Text that LaTeX shows as it is, on one line, with any engine.

    A character that pdfLaTeX cannot typeset is shown by its code point, never dropped.
    """
    if isinstance(text, Tex):
        return text
    shown = "".join(map(_escaped, " ".join(text.split())))
    # Two of these in a row are a ligature, another character.
    return Tex(re.sub(r"([-'?!])(?=[-'])", r"\1{}", shown))


def _escaped(char: str) -> str:
    if char in _SPECIAL:
        return _SPECIAL[char]
    if char in _UNICODE:
        return _UNICODE[char]
    if " " <= char <= "~" or ord(char) in _LATIN:
        return char
    plain = unicodedata.normalize("NFKD", char).encode("ascii", "ignore").decode()
    return escape(plain) if plain.strip() and plain.isalnum() else f"[U+{ord(char):04X}]"


# References.


@dataclass(frozen=True)
class Reference:
    """One thing that can be cited.

    Attributes:
        key: its BibTeX key, unique in a file.
        kind: "proceedings", "journal", "software" or "other".
        title: as printed.
        authors: "Given Family", or the name of an organisation.
        venue: journal, proceedings or series.
        fields: year, url, doi and version, where known.
    """

    key: str
    kind: str
    title: str
    authors: list[str] = field(default_factory=list)
    venue: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)


def load_tool(file: Path) -> dict[str, Any]:
    """The project's own CITATION.cff.

    Raises:
        InputError: it is missing or lacks what every citation needs.
    """
    data, _ = load_yaml(file)
    for key in ("title", "version", "license", "authors"):
        if not data.get(key):
            raise InputError(Fault(file, 0, key, "this key is missing"))
    return data


def to_cite(study: Study, name: str) -> list[Reference]:
    """The paper and its reconciliation: what every report asks to be cited.

    The key of the reconciliation ends with ``name``, which is that of the study's folder.
    """
    fields = {"version": __version__}
    title = reconciliation_of(study.paper.title)
    own = Reference(f"reconcile-{name}", "other", title, [AUTHORS], None, fields)
    return [_paper_reference(study.paper), own]


def references(study: Study, name: str, tool: Mapping[str, Any]) -> list[Reference]:
    """What ``to_cite`` gives, then the tool, then every source that can be read, once."""
    first = [*to_cite(study, name), _tool_reference(tool)]
    taken = {reference.fields.get("url") for reference in first}
    seen: dict[str, Reference] = {}
    proposed = ((r.id, source) for r in study.interpretations for source in r.proposed_by)
    found = ((e.id, source) for e in study.evidence for source in e.source)
    for owner, source in (*found, *proposed):
        if source.url is not None and source.url not in taken | set(seen):
            key = _unused(f"source-{owner}", {r.key for r in (*first, *seen.values())})
            seen[source.url] = Reference(key, "other", source.name, fields={"url": source.url})
    return [*first, *seen.values()]


def _unused(key: str, taken: set[str]) -> str:
    numbered = (f"{key}-{i}" for i in range(2, len(taken) + 3))
    return key if key not in taken else next(k for k in numbered if k not in taken)


def reconciliation_of(title: str) -> str:
    """The title of the reconciliation of a paper."""
    return f"Reconciliation of the printed numbers of “{title}”"


def makers_of(tool: Mapping[str, Any]) -> list[str]:
    """Who made the tool, as its CITATION.cff says."""
    parts = ("name", "given-names", "family-names")
    return [" ".join(str(p[part]) for part in parts if p.get(part)) for p in tool["authors"]]


def _paper_reference(paper: Paper) -> Reference:
    fields = {"year": str(paper.year), "url": paper.url}
    if paper.doi is not None:
        fields["doi"] = paper.doi
    word = re.search(r"\w{4,}", paper.title)
    key = _ascii(f"{family_of(paper.authors[0])}{paper.year}{word[0] if word else ''}").lower()
    return Reference(
        key or "paper", _kind(paper.venue), paper.title, paper.authors, paper.venue, fields
    )


def _tool_reference(tool: Mapping[str, Any]) -> Reference:
    known = {"version": tool["version"], "url": tool.get("url") or tool.get("repository-code")}
    known["year"] = str(tool.get("date-released") or "")[:4]
    fields = {name: str(value) for name, value in known.items() if value}
    return Reference("reconcile", "software", tool["title"], makers_of(tool), None, fields)


def _kind(venue: str) -> str:
    if _PROCEEDINGS.search(venue):
        return "proceedings"
    return "journal" if _JOURNAL.search(venue) else "other"


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]", "", plain)


def _is_organisation(name: str) -> bool:
    return len(name.split()) == 1 or name.startswith("The ")


def _split_name(name: str) -> tuple[str, str, str]:
    """Given names, particles and family name: "Aaron van den Oord"."""
    *words, family = name.split()
    given = [word for word in words if word not in _PARTICLES]
    return " ".join(given), " ".join(w for w in words if w in _PARTICLES), family


def family_of(name: str) -> str:
    """A family name, or the whole name of an organisation."""
    return name if _is_organisation(name) else _split_name(name)[2]


_BIBTEX_TYPES = {"proceedings": "inproceedings", "journal": "article"}
_BIBTEX_VENUES = {"proceedings": "booktitle", "journal": "journal"}


def bibtex(items: Iterable[Reference]) -> str:
    """references.bib: entries that plain BibTeX and biblatex both read."""
    return "\n".join(map(_bibtex_entry, items))


def _bibtex_entry(item: Reference) -> str:
    # Double braces keep the capitals that a style would lower.
    fields = {"title": f"{{{_braced(item.title)}}}"}
    # A style sorts by author, and where there is none by this field.
    by = ("author", " and ".join(map(_bibtex_name, item.authors)))
    fields |= [by if item.authors else ("key", _braced(item.title))]
    if item.venue is not None:
        fields[_BIBTEX_VENUES.get(item.kind, "howpublished")] = _braced(item.venue)
    fields |= {name: _bibtex_field(name, value) for name, value in item.fields.items()}
    if "version" in fields:
        # Plain styles do not know the field, and show a note.
        fields["note"] = f"Version {fields['version']}"
    body = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
    return f"@{_BIBTEX_TYPES.get(item.kind, 'misc')}{{{item.key},\n{body}}}\n"


def _braced(text: str) -> str:
    """Text for a field; BibTeX counts every brace, also one that LaTeX would print."""
    return escape(text).replace(r"\{", r"\textbraceleft{}").replace(r"\}", r"\textbraceright{}")


def _bibtex_name(name: str) -> str:
    # A comma and the word "and" are BibTeX's own marks inside and between names.
    whole = _is_organisation(name) or re.search(r"\band\b|,", name, re.I)
    return f"{{{_braced(name)}}}" if whole else _braced(name)


def _bibtex_field(name: str, value: str) -> str:
    if name not in ("url", "doi"):
        return _braced(value)
    # Links are read verbatim; braces and backslashes alone would break the entry.
    return re.sub(r"[{}\\]", lambda match: f"%{ord(match[0]):02X}", value)


_CSL_TYPES = {
    "proceedings": "paper-conference",
    "journal": "article-journal",
    "software": "software",
    "other": "document",
}
_CSL_NAME = ("literal", "family", "given", "non-dropping-particle")


def csl_json(items: Iterable[Reference]) -> str:
    """references.json: the same entries for pandoc, Zotero and citeproc."""
    return json.dumps([_csl_item(item) for item in items], indent=1, ensure_ascii=False) + "\n"


def _csl_item(item: Reference) -> dict[str, Any]:
    names = {"url": "URL", "doi": "DOI", "version": "version"}
    known = {names[key]: value for key, value in item.fields.items() if key in names}
    result: dict[str, Any] = {"id": item.key, "type": _CSL_TYPES[item.kind], "title": item.title}
    if item.authors:
        result["author"] = [_name_of(name, *_CSL_NAME) for name in item.authors]
    if item.venue is not None:
        result["container-title" if item.kind in _BIBTEX_TYPES else "note"] = item.venue
    if "year" in item.fields:
        result["issued"] = {"date-parts": [[int(item.fields["year"])]]}
    return result | known


def _name_of(name: str, whole: str, family: str, given: str, particles: str) -> dict[str, str]:
    """An author by these keys: all under the first, or in parts, of which some may be empty."""
    if _is_organisation(name):
        return {whole: name}
    parts = _split_name(name)
    found = {family: parts[2], given: parts[0], particles: parts[1]}
    return {key: value for key, value in found.items() if value}


_CFF_TYPES = {"proceedings": "conference-paper", "journal": "article", "other": "generic"}
_CFF_NAME = ("name", "family-names", "given-names", "name-particle")


def citation_file(study: Study, tool: Mapping[str, Any]) -> str:
    """CITATION.cff for a study's results, with the paper and the tool among its references."""
    paper, software = _paper_reference(study.paper), _tool_reference(tool)
    content = {
        "cff-version": "1.2.0",
        "message": "If you use these results, please cite them and the paper they are about.",
        "type": "dataset",
        "title": reconciliation_of(study.paper.title),
        "authors": [{"name": name} for name in software.authors],
        "version": str(tool["version"]),
        "license": str(tool["license"]),
        "references": [_cff_reference(paper), _cff_reference(software)],
    }
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)


def _cff_reference(item: Reference) -> dict[str, Any]:
    result: dict[str, Any] = {
        "type": _CFF_TYPES.get(item.kind, item.kind),
        "title": item.title,
        "authors": [_name_of(name, *_CFF_NAME) for name in item.authors],
    }
    if item.venue is not None:
        result["journal" if item.kind == "journal" else "collection-title"] = item.venue
    result |= {key: value for key, value in item.fields.items() if key != "year"}
    return result | ({"year": int(item.fields["year"])} if "year" in item.fields else {})
