"""The system calls of a decoder, all others refused: by libseccomp, where the system has it (Linux)."""

from __future__ import annotations

import ctypes
import errno
from collections.abc import Callable
from typing import Final

_ALLOW: Final = 0x7FFF0000  # SCMP_ACT_ALLOW
_REFUSE: Final = 0x00050000 | errno.EPERM  # SCMP_ACT_ERRNO
_EQUAL: Final = 4  # SCMP_CMP_EQ

# Calls that neither name a file nor make one, reach no process but this one, and change nothing that outlives it.
_COMPUTING: Final = """
    read write readv writev recvfrom sendto recvmsg sendmsg poll ppoll close fstat lseek
    brk mmap mmap2 munmap mremap mprotect madvise mincore membarrier
    futex futex_time64 set_robust_list get_robust_list rseq restart_syscall
    rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending sigaltstack setitimer getitimer
    clock_gettime clock_gettime64 clock_getres clock_nanosleep nanosleep gettimeofday time times getrusage
    getrlimit ugetrlimit setrlimit getpid gettid getppid getuid geteuid getgid getegid
    sched_yield sched_getaffinity getcpu getrandom exit exit_group
""".split()


class _Comparison(ctypes.Structure):
    _fields_ = (
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("a", ctypes.c_uint64),
        ("b", ctypes.c_uint64),
    )


def computing_only() -> Callable[[], bool] | None:
    """Return what lets this process make no call from then on but those that compute; None where that cannot be.

    It returns whether it holds. Loading the library needs files, the call does not.
    """
    try:
        library = ctypes.CDLL("libseccomp.so.2")
        library.seccomp_init.restype = ctypes.c_void_p
    except (OSError, AttributeError):
        return None
    for name in ("rule_add_array", "load", "release"):
        getattr(library, f"seccomp_{name}").argtypes = (
            [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint, ctypes.POINTER(_Comparison)]
            if name == "rule_add_array"
            else [ctypes.c_void_p]
        )

    def hold() -> bool:
        rules = library.seccomp_init(_REFUSE)
        if not rules:
            return False
        for name in _COMPUTING:
            number = library.seccomp_syscall_resolve_name(name.encode())
            if number != -1:  # another system's, or younger than the library
                library.seccomp_rule_add_array(rules, _ALLOW, number, 0, None)
        # One's own limits, not another's.
        oneself = _Comparison(0, _EQUAL, 0, 0)
        number = library.seccomp_syscall_resolve_name(b"prlimit64")
        library.seccomp_rule_add_array(rules, _ALLOW, number, 1, ctypes.byref(oneself))
        held = library.seccomp_load(rules) == 0
        library.seccomp_release(rules)
        return bool(held)

    return hold
