"""What a child that decodes may not do: limits that every Unix keeps, and on Linux a filter of system calls.

After the filter stands, the child can read and write what is open, have memory, look at the clock, and end. It can
open no file, no folder and no socket, and start no process or thread: a decoder that a file takes over sits in an
empty room.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import signal
import struct
import sys

LIMITS, ORPHANS, CALLS = WALLS = (1, 2, 4)
NAMES = ("limits", "ends with its parent", "system calls")

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38  # linux/prctl.h
SECCOMP_MODE_FILTER = 2  # linux/seccomp.h, as what the filter returns:
KILL, REFUSE, ALLOW = 0x80000000, 0x00050000 | 1, 0x7FFF0000  # the process; EPERM; the call
LOAD, IS_EQUAL, RETURN = 0x20, 0x15, 0x06  # linux/bpf_common.h: BPF_LD|W|ABS, BPF_JMP|JEQ|K, BPF_RET|K
AT_NUMBER, AT_ARCHITECTURE = 0, 4  # offsets in struct seccomp_data

# What an interpreter, malloc and single-threaded decoders need, by the kernel's tables of each architecture.
ALLOWED = {
    "x86_64": (
        0xC000003E,  # AUDIT_ARCH_X86_64
        {
            "read": 0,
            "write": 1,
            "close": 3,
            "fstat": 5,
            "lseek": 8,
            "mmap": 9,
            "mprotect": 10,
            "munmap": 11,
            "brk": 12,
            "rt_sigaction": 13,
            "rt_sigprocmask": 14,
            "rt_sigreturn": 15,
            "sched_yield": 24,
            "mremap": 25,
            "madvise": 28,
            "exit": 60,
            "gettimeofday": 96,
            "sigaltstack": 131,
            "futex": 202,
            "clock_gettime": 228,
            "exit_group": 231,
            "getrandom": 318,
        },
    ),
    "aarch64": (
        0xC00000B7,  # AUDIT_ARCH_AARCH64
        {
            "close": 57,
            "lseek": 62,
            "read": 63,
            "write": 64,
            "fstat": 80,
            "exit": 93,
            "exit_group": 94,
            "futex": 98,
            "clock_gettime": 113,
            "sched_yield": 124,
            "sigaltstack": 132,
            "rt_sigaction": 134,
            "rt_sigprocmask": 135,
            "rt_sigreturn": 139,
            "gettimeofday": 169,
            "brk": 214,
            "munmap": 215,
            "mremap": 216,
            "mmap": 222,
            "mprotect": 226,
            "madvise": 233,
            "getrandom": 278,
        },
    ),
}


def limit(*, seconds: int, memory: int, slack: int) -> int:
    """The walls that stand before the libraries are there; returns LIMITS."""
    for name, most in (
        ("RLIMIT_CPU", seconds),
        ("RLIMIT_AS", memory),
        ("RLIMIT_FSIZE", 0),  # it writes to its pipe, and to no file
        ("RLIMIT_NOFILE", 64),
        ("RLIMIT_CORE", 0),
    ):
        with_kind = getattr(resource, name)
        resource.setrlimit(with_kind, (most, most))
    signal.alarm(seconds * slack)
    return LIMITS


def die_with(parent: int) -> int:
    """Ends this process with its parent, on Linux; the alarm does elsewhere. Returns ORPHANS or 0."""
    if sys.platform != "linux":
        return 0
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it was gone before we asked
        os._exit(1)
    return ORPHANS


def close() -> int:
    """No further file, process or thread from here on; after everything is imported. Returns CALLS or 0."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    if hasattr(resource, "RLIMIT_NPROC"):
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))  # which root is free from, but not from the filter
    if sys.platform != "linux" or platform.machine() not in ALLOWED:
        return 0
    libc = ctypes.CDLL(None, use_errno=True)
    program = _filter(*ALLOWED[platform.machine()])
    code = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog: how many instructions, and where they lie
    told = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    asked = [libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)]
    asked.append(libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, told, 0, 0))
    return CALLS if asked == [0, 0, 0] else 0


def _filter(architecture: int, calls: dict[str, int]) -> bytes:
    """The filter as a program of the classic packet filter: code, steps if true, steps if false, operand."""
    numbers = list(calls.values())
    steps = [(LOAD, 0, 0, AT_ARCHITECTURE), (IS_EQUAL, 1, 0, architecture), (RETURN, 0, 0, KILL)]
    steps.append((LOAD, 0, 0, AT_NUMBER))
    steps += [(IS_EQUAL, len(numbers) - place, 0, number) for place, number in enumerate(numbers)]
    steps += [(RETURN, 0, 0, REFUSE), (RETURN, 0, 0, ALLOW)]
    return b"".join(struct.pack("HBBI", *step) for step in steps)
