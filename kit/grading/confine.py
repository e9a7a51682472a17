"""Narrowing the cage of one process, from inside it and for good.

Namespaces of its own, another user without any power, the kernel's limits, Landlock, a
filter of system calls. All of it is done before the first line of a submission runs,
and where a step fails the process ends.
"""

import ctypes
import os
import resource
import struct

libc = ctypes.CDLL(None, use_errno=True)

NEW_MOUNTS, NEW_IPC, NEW_PIDS, NEW_NET = 0x00020000, 0x08000000, 0x20000000, 0x40000000
NO_SUID, NO_DEVICES, RECURSIVE, PRIVATE = 2, 4, 1 << 14, 1 << 18  # of mount(2)
NO_NEW_PRIVILEGES, SECCOMP, GET_SECCOMP, AMBIENT = 38, 22, 21, 47  # of prctl(2)
CREATE, ADD, RESTRICT = 444, 445, 446  # Landlock's calls, the same on all machines
MAY_READ, OF_FILES, MAY_WRITE = 0b1101, 0b110, 0b10  # execute, read, list; read, write
BENEATH, VERSION = 1, 1


def must(result, what):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def apart():
    """Leaves the others' mounts, network and IPC; the next fork is first of its own
    processes."""
    must(libc.unshare(NEW_MOUNTS | NEW_IPC | NEW_PIDS | NEW_NET), "namespaces")


def own_tmp(nbytes):
    """An empty /tmp in memory, which nobody else sees."""
    must(libc.mount(None, b"/", None, RECURSIVE | PRIVATE, None), "private mounts")
    options = f"size={nbytes},mode=1777".encode()
    done = libc.mount(b"tmpfs", b"/tmp", b"tmpfs", NO_SUID | NO_DEVICES, options)
    must(done, "a /tmp of its own")
    os.chdir("/tmp")


def become(user):
    """This process belongs to `user` from here on, and has no capability."""
    if os.getuid() != user:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    must(libc.prctl(AMBIENT, 4, 0, 0, 0), "no ambient capabilities")
    none = struct.pack("6I", *[0] * 6)
    must(libc.capset(struct.pack("Ii", 0x20080522, 0), none), "no capabilities")
    must(libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0), "no new privileges")


def limit(limits):
    """Sets each of the kernel's limits by name."""
    for name, value in limits.items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))


def landlock(writable):
    """Landlock's version in force, 0 where the kernel has none: all can be read that
    is there, only what is below `writable` changed; no TCP; no signal to outside."""
    version = libc.syscall(CREATE, None, 0, VERSION)
    if version < 1:
        return 0
    files = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(version, 16)) - 1
    fields = [files] + [0b11] * ((version >= 4) + (version >= 6))
    rules = struct.pack(f"{len(fields)}Q", *fields)
    ruleset = must(libc.syscall(CREATE, rules, len(rules), 0), "Landlock")
    allow(ruleset, "/", MAY_READ)
    allow(ruleset, "/dev/null", OF_FILES)
    for folder in writable:
        allow(ruleset, folder, files)
    must(libc.syscall(RESTRICT, ruleset, 0), "Landlock")
    os.close(ruleset)
    return version


def allow(ruleset, path, rights):
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    rule = struct.pack("=Qi", rights, place)
    must(libc.syscall(ADD, ruleset, BENEATH, rule, 0), f"Landlock for {path}")
    os.close(place)


def filter_calls(program):
    """Puts a seccomp filter in force: of here and of all that comes of here."""
    buffer = ctypes.create_string_buffer(program)
    head = struct.pack("HP", len(program) // 8, ctypes.addressof(buffer))
    must(libc.prctl(SECCOMP, 2, ctypes.c_char_p(head), 0, 0), "seccomp")


def state():
    """What holds here, as the kernel says it."""
    import socket

    return {
        "user": os.getuid(),
        "seccomp": libc.prctl(GET_SECCOMP, 0, 0, 0, 0) == 2,
        "network": [name for _, name in socket.if_nameindex()],
        "pid": os.getpid(),
        "root": sorted(os.listdir("/")),
        "tmp": os.listdir("/tmp"),
    }
