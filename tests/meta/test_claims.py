"""What the documentation says of the kernel names the experiment that shows it.

A section of a page that speaks of one of ``TOPICS`` links the page of one of the experiments of that topic; a name that
looks like the kernel's and belongs to no topic is a failure, too, so that a new claim cannot slip in unseen.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from tests.conftest import ROOT

from halfopen.lab.experiments import EXPERIMENTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Rules and checks name their own (test_rules, test_lint_checks); these are lists of options, fields and parts, what an
#: observer may conclude from packets by the RFCs, and titles.
OTHERS = {
    "architecture.md",
    "commands.md",
    "lint-checks.md",
    "record.md",
    "state-machine.md",
    "anomalies.md",
    "README.md",
}
PAGES = sorted({*(ROOT / "docs").glob("*.md"), *(ROOT / "docs/adr").glob("*.md")})

#: What is spoken of, and the experiments that show it.
TOPICS: dict[str, tuple[str, ...]] = {
    r"somaxconn": ("backlog-and-somaxconn",),
    r"tcp_syn_retries|tcp_syn_linear_timeouts|TCP_SYNCNT|ETIMEDOUT": ("lost-syn",),
    r"tcp_synack_retries": ("synack-retries",),
    r"tcp_tw_reuse": ("tw-reuse",),
    r"tcp_rfc1337|TCP_TIMEOUT_MIN|tcp_rcv_synsent_state_process": ("clients-behind-nat", "reopened-time-wait"),
    r"TIME_WAIT|TCP_TIMEWAIT_LEN": (
        "three-way-handshake",
        "time-wait-ports",
        "reopened-time-wait",
        "rows-without-owner",
    ),
    r"ip_local_port_range|EADDRNOTAVAIL": ("time-wait-ports", "port-range", "not-sent"),
    r"EACCES|ENETUNREACH|EPERM": ("not-sent",),
    r"ECONNREFUSED|EHOSTUNREACH": ("filters",),
    r"ECONNRESET": ("dead-entries",),
    r"IP_BIND_ADDRESS_NO_PORT": ("bind-before-connect",),
    r"TCP_DEFER_ACCEPT": ("defer-accept",),
    r"tcp_fastopen|Fast Open": ("fast-open", "fast-open-trouble"),
    r"SYN cookies?": ("cookie-options", "cookies-for-clients", "flood-with-clients", "syn-queue-limits"),
    r"[Aa]ccept queue": ("accept-queue-overflow", "lost-final-ack", "stalled-accept", "dead-entries"),
    r"SYN queue|tcp_max_syn_backlog": ("syn-queue-limits",),
    r"SO_REUSEPORT|tcp_migrate_req": ("reuseport", "rows-without-owner"),
    r"TSEcrRejected": ("flood-with-clients",),
    r"TCP_INFO": ("poisoned-metrics", "cookie-options"),
    r"rp_filter": ("filters",),
    r"nf_conntrack_\w+": ("conntrack-full", "clients-behind-nat", "synproxy-settings"),
    r"ListenOverflows|ListenDrops": ("accept-queue-overflow",),
}
#: What the kernel does, without a name of its own: any experiment will do.
VERBS = r"\bkernel (?:sends|drops|counts|keeps|takes|cuts|remembers|repeats|stores|refuses|prunes|resets|answers)\b"
#: What looks like a name of the kernel's.
NAMES = re.compile(
    r"net\.(?:ipv[46]|core|netfilter)\.[a-z0-9_.]*[a-z0-9]|\btcp_[a-z0-9_]+\b|\b(?:TCP|SO|IP|MSG)_[A-Z][A-Z_]+\b"
    r"|\bE[A-Z]{5,}\b|\b(?:Listen|Syncookies|TCP)[A-Z][A-Za-z]+\b"
)
#: Names of that look which are no claim: fields of JSON, functions, states, limits of processes, words of Dockerfiles.
NO_CLAIM = {"tcp_segments", "ESTABLISHED", "ENTRYPOINT", "EMFILE", "ENFILE", "ENOMEM", "ENOBUFS"}


@dataclass(frozen=True)
class Section:
    """A part of a page, from its heading to the next."""

    page: str
    heading: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}: {self.heading}"

    @property
    def named(self) -> set[str]:
        """Experiments whose pages it links."""
        return set(re.findall(r"\blab/([a-z0-9-]+)\.md", self.text))


def sections(path: Path) -> Iterator[Section]:
    """The sections of a page, without its examples and the text of its links' targets."""
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    heading = ""
    for part in re.split(r"^(#+ .*)$", text, flags=re.MULTILINE):
        if part.startswith("#"):
            heading = part
        else:
            yield Section(str(path.relative_to(ROOT)), heading, part)


SECTIONS = [section for path in PAGES if path.name not in OTHERS for section in sections(path)]


@pytest.mark.parametrize("section", SECTIONS, ids=str)
def test_a_section_names_the_experiments_of_what_it_speaks_of(section: Section) -> None:
    spoken = {topic: names for topic, names in TOPICS.items() if re.search(topic, section.text)}
    assert {topic: names for topic, names in spoken.items() if not section.named & set(names)} == {}
    assert section.named or not re.search(VERBS, section.text)


@pytest.mark.parametrize("section", SECTIONS, ids=str)
def test_every_name_of_the_kernels_belongs_to_a_topic(section: Section) -> None:
    names = set(NAMES.findall(section.text)) - NO_CLAIM
    assert {name for name in names if not any(re.search(topic, name) for topic in TOPICS)} == set()


@pytest.mark.parametrize("section", [section for section in SECTIONS if section.named], ids=str)
def test_what_is_named_exists(section: Section) -> None:
    assert section.named <= set(EXPERIMENTS)


@pytest.mark.parametrize("topic", TOPICS)
def test_an_experiment_of_a_topic_speaks_of_it(topic: str) -> None:
    """On its page, whose numbers are those of a run: a table that names the wrong one is no proof."""
    pages = {name: (ROOT / f"docs/lab/{name}.md").read_text(encoding="utf-8") for name in TOPICS[topic]}
    assert [name for name, text in pages.items() if re.search(topic, text)]


def test_the_pages_are_read() -> None:
    assert sum(bool(section.named) for section in SECTIONS) > 10
