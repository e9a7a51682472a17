"""A filter of system calls, as the program that the kernel runs: seccomp(2), BPF.

A second wall behind the namespaces: what a lab never needs, and attacks on kernels and
on other processes begin with, ends in "not permitted". All else is allowed.
"""

import platform
import struct

CALLS = {  # name: its number on x86_64, on aarch64 (None: there is none)
    "acct": (163, 89), "add_key": (248, 217), "adjtimex": (159, 171),
    "bpf": (321, 280), "chroot": (161, 51), "clock_adjtime": (305, 266),
    "clock_settime": (227, 112), "delete_module": (176, 106),
    "finit_module": (313, 273), "fsconfig": (431, 431), "fsmount": (432, 432),
    "fsopen": (430, 430), "fspick": (433, 433), "init_module": (175, 105),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425), "ioperm": (173, None), "iopl": (172, None),
    "kcmp": (312, 272), "kexec_file_load": (320, 294), "kexec_load": (246, 104),
    "keyctl": (250, 219), "lookup_dcookie": (212, 18), "migrate_pages": (256, 238),
    "mount": (165, 40), "mount_setattr": (442, 442), "move_mount": (429, 429),
    "move_pages": (279, 239), "mq_open": (240, 180), "msgget": (68, 186),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    "open_tree": (428, 428), "perf_event_open": (298, 241), "personality": (135, 92),
    "pidfd_getfd": (438, 438), "pivot_root": (155, 41),
    "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "ptrace": (101, 117), "quotactl": (179, 60), "reboot": (169, 142),
    "request_key": (249, 218), "semget": (64, 190), "setdomainname": (171, 162),
    "sethostname": (170, 161), "setns": (308, 268), "settimeofday": (164, 170),
    "shmget": (29, 194), "swapoff": (168, 225), "swapon": (167, 224),
    "syslog": (103, 116), "umount2": (166, 39), "unshare": (272, 97),
    "userfaultfd": (323, 282), "vmsplice": (278, 75),
}  # fmt: skip
CLONE, CLONE3 = (56, 220), (435, 435)
NAMESPACES = 0x7E020080  # the CLONE_NEW... bits of clone's first argument
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
X32 = 0x40000000  # numbers from here on are another table of the same calls

LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, EPERM, ENOSYS = 0x7FFF0000, 0x00050001, 0x00050026
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16  # offsets in what the filter sees


def program(machine=None):
    """The filter's bytes, or None for a machine whose numbers are not known here."""
    machine = machine or platform.machine()
    if machine not in MACHINES:
        return None
    column, architecture = MACHINES[machine]
    denied = sorted(n[column] for n in CALLS.values() if n[column] is not None)
    return b"".join([
        step(LOAD, ARCHITECTURE),
        step(EQUAL, architecture, yes=1),
        step(RETURN, EPERM),
        step(LOAD, NUMBER),
        *refuse(AT_LEAST, X32, EPERM),
        # glibc falls back on clone, whose flags can be looked at.
        *refuse(EQUAL, CLONE3[column], ENOSYS),
        *(s for number in denied for s in refuse(EQUAL, number, EPERM)),
        step(EQUAL, CLONE[column], no=3),
        step(LOAD, FIRST_ARGUMENT),
        *refuse(ANY_BIT, NAMESPACES, EPERM),
        step(RETURN, ALLOW),
    ])  # fmt: skip


def refuse(test, value, error):
    """Two steps: where the test holds, the call returns the error."""
    return [step(test, value, no=1), step(RETURN, error)]


def step(code, value, yes=0, no=0):
    """One instruction; yes and no are how many to skip."""
    return struct.pack("HBBI", code, yes, no, value)
