"""A hundred thousand sessions in both kernels, besides the traffic's own."""

SESSIONS = 100_000
# One bucket a session, and room: a kernel takes its own measure from this machine's little memory.
TABLE = ("echo options nf_conntrack hashsize=131072 >/etc/modprobe.d/table.conf; "
         "echo net.netfilter.nf_conntrack_max=262144 >/etc/sysctl.d/99-table.conf; "
         "modprobe nf_conntrack; echo 131072 >/sys/module/nf_conntrack/parameters/hashsize; sysctl -qp /etc/sysctl.d/99-table.conf")


def make_room(pair):
    """Before the pair is set up."""
    pair.both(lambda machine: machine.run(TABLE))


def count(machine):
    return int(machine.run("sysctl -n net.netfilter.nf_conntrack_count"))


def fill(machine):
    machine.run(f"hotpair-bench fill --sessions {SESSIONS}", timeout=300)


def fill_pair(pair):
    """A pair that is in sync again, with all of them in either kernel."""
    primary, backup = pair.formed()
    fill(primary)
    backup.wait(f"[ $(sysctl -n net.netfilter.nf_conntrack_count) -ge {SESSIONS} ]", 200, "the sessions at the backup")
    return pair.formed(200)
