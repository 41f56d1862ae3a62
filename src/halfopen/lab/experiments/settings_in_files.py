"""What the files of sysctl.d say, and what runs: a key that is gone, a list that is cut, a line that loses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.errors import NotAvailableError
from halfopen.lab.examine import Examination
from halfopen.lab.experiment import Experiment
from halfopen.lab.own_files import own_files
from halfopen.lab.programs import exit_code, run_program
from halfopen.lab.setting_files import SettingFiles
from halfopen.rules.ports import ports_named

if TYPE_CHECKING:
    from halfopen.lab.namespace import Namespace
    from halfopen.lab.story import Story

GONE = "net.ipv4.tcp_tw_recycle"
RESERVED = "net.ipv4.ip_local_reserved_ports"
OVERRIDDEN = "net.ipv4.tcp_fin_timeout"
NO_SETTING, BEHIND = "as agreed on the phone", "net.ipv4.tcp_retries1"
LATE = "net.netfilter.nf_conntrack_tcp_timeout_established"
#: More than the 4095 bytes that the kernel takes of one write.
PORTS = range(20_000, 22_000, 2)


def run(story: Story) -> None:
    """A host with five files, as grown over the years; then the same without what does nothing."""
    host = story.network.host("host")
    with own_files() as root:
        files = SettingFiles(root)
        held = _before(story, host, files)
        _after(story, host, files, held)


def _before(story: Story, host: Namespace, files: SettingFiles) -> int:
    """Gives how many single ports are in force."""
    files.write("10-tuning.conf", f"{OVERRIDDEN} = 30", f"{GONE} = 1")
    files.write("50-ports.conf", f"{RESERVED} = {','.join(map(str, PORTS))}")
    files.write("90-vendor.conf", f"{OVERRIDDEN} = 45")
    story.say(
        f"A host's sysctl.d sets {GONE}, {len(PORTS)} single ports as {RESERVED}, and {OVERRIDDEN} in two files. "
        "They are applied by sysctl -p:"
    )
    story.expect(f"has the kernel {GONE}", 0, int(host.has_sysctl(GONE)))
    story.expect("exit code of sysctl -p", 1, files.apply(host))
    story.expect(f"{OVERRIDDEN}", "45", host.sysctl(OVERRIDDEN))
    held = len(ports_named(host.sysctl(RESERVED)))
    story.expect(f"ports that are reserved, of {len(PORTS)}: what is in the first 4095 bytes", 682, held)
    doctor = Examination.begin(host, files.root)
    for code in ("HO201", "HO212", "HO213"):
        doctor.expect(story, code, found=True)
    _not_understood(story, host, files)
    if not host.has_sysctl(LATE):
        story.say("Connection tracking is not loaded here: settings of a module that comes late were not tried.")
        return held
    files.write("60-conntrack.conf", f"{LATE} = 3600")
    story.say(
        f"A file sets {LATE}, and was applied when the key was not there yet, as at boot: the default of the module is "
        "running."
    )
    story.expect(LATE, "432000", host.sysctl(LATE))
    doctor.expect(story, "HO214", found=True)
    doctor.expect(story, "HO213", found=True)
    return held


def _not_understood(story: Story, host: Namespace, files: SettingFiles) -> None:
    """A line that is no setting, in a file of settings and in one of rules."""
    story.say(f"A file has «{NO_SETTING}» before a setting; a file of rules has it before a table:")
    file = files.root / "remark.conf"
    file.write_text(f"{NO_SETTING}\n{BEHIND} = 2\n", encoding="ascii")
    exit_code(host, "sysctl", "-q", "-p", str(file))
    story.expect(f"sysctl -p: {BEHIND}, which the file sets to 2", "2", host.sysctl(BEHIND))
    file.write_text(f"{NO_SETTING}\ntable inet t {{ }}\n", encoding="ascii")
    try:
        story.expect("nft -f: exit code", 1, exit_code(host, "nft", "-f", str(file)))
        story.expect("  tables that it made", 0, len(run_program(host, "nft", "list", "tables").splitlines()))
    except NotAvailableError as error:
        story.say(f"nft: not available here: {error}")


def _after(story: Story, host: Namespace, files: SettingFiles, held: int) -> None:
    doctor = Examination.begin(host, files.root)
    found = {finding.code: finding for finding in doctor.findings()}
    story.remedy(
        "Delete lines of keys that are gone and all but one of a key that is set twice, write ranges of ports, and "
        "have a module that has settings loaded before they are applied."
    )
    gone = found["HO201"].remedy
    for change in gone.changes if gone else ():
        story.say(f"As the finding says: delete {change.key}.")
        files.delete_line(change.key)
    files.write("10-tuning.conf")
    files.write("50-ports.conf", f"{RESERVED} = {PORTS.start}-{PORTS.stop - 1}")
    if "HO214" in found:
        doctor.cure(story, found["HO214"])
    story.expect("exit code of sysctl -p", 0, files.apply(host))
    reserved = len(ports_named(host.sysctl(RESERVED)))
    story.expect("ports that are reserved", PORTS.stop - PORTS.start, reserved)
    story.compare(
        f"Ports in {RESERVED}",
        "ports",
        (
            ("single ports: in the file", len(PORTS)),
            ("single ports: in force", held),
            ("a range: in the file", PORTS.stop - PORTS.start),
            ("a range: in force", reserved),
        ),
    )
    for code in ("HO201", "HO212", "HO213", "HO214"):
        doctor.expect(story, code, found=False)


EXPERIMENT = Experiment(
    name="settings-in-files",
    title="What the files of sysctl.d say, and what runs",
    claim="A key that the kernel has lost makes sysctl -p fail and changes nothing; of a long list of reserved ports "
    "the kernel takes 4095 bytes without an error; of two files the later name wins; a module's setting that was "
    "applied too early is its default.",
    run=run,
    proves=("HO201", "HO212", "HO213", "HO214"),
    hosts=("host",),
)
