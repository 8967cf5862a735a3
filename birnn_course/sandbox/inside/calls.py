"""The system calls that a submission may make; every other one is refused.

What is on the list acts on this process alone: its memory, its threads, its clock, what it has
open, and files, of which only those of its private folder can be changed, because all else is
mounted read-only. What acts on a file that others have too is not on it: locks, leases, notices of
changes, the state of the page cache, futexes in mapped files. Nor is what counts for the user or
the machine rather than for the process.

The list was made from what honest work calls, seen with ``strace``: a fork of the host, IPython
running cells, top-level ``await`` among them, PyTorch training RNN, GRU and LSTM, matplotlib
writing PNG, SVG and PDF, the solutions of all units, and what Python documents of files, times and
threads, with Python 3.11, 3.12 and 3.13 on glibc 2.36. To that come the calls by which other
versions of the C library do the same (``fstat`` or ``newfstatat``, ``select`` or ``pselect6``),
from their sources. What the libraries try and do without is not on it: ``clone3``, ``sendfile``,
``fadvise64``, ``mbind``, ``socket``. ``tests/grading/test_calls.py`` runs all of it again where
every other call ends the process.
"""

from __future__ import annotations

import errno
from collections.abc import Collection

import pyseccomp
from pyseccomp import EQ, MASKED_EQ, Arg

_FILES = (
    "open", "openat", "close", "close_range", "dup", "dup2", "dup3", "pipe", "pipe2",
    "read", "readv", "pread64", "preadv", "write", "writev", "pwrite64", "pwritev", "lseek",
    "stat", "lstat", "fstat", "newfstatat", "statx", "access", "faccessat", "faccessat2",
    "readlink", "readlinkat", "getdents", "getdents64", "getcwd", "chdir", "fchdir", "umask",
    "mkdir", "mkdirat", "rmdir", "unlink", "unlinkat", "rename", "renameat", "renameat2",
    "symlink", "symlinkat", "truncate", "ftruncate", "fsync", "fdatasync",
    "getxattr", "lgetxattr", "fgetxattr", "listxattr", "llistxattr", "flistxattr",
)  # fmt: skip
RIGHTS_AND_TIMES = ("chmod", "fchmod", "fchmodat", "utimensat")  # as shutil.copy does
_WAITING = (
    "poll", "ppoll", "select", "pselect6", "epoll_create", "epoll_create1", "epoll_ctl",
    "epoll_wait", "epoll_pwait", "epoll_pwait2", "wait4", "waitid",
)  # fmt: skip
_LINE_TO_THE_GRADER = ("recvfrom", "getsockname", "getpeername", "getsockopt", "shutdown")
_MEMORY = ("brk", "munmap", "mremap", "mprotect", "msync")
_TIME = (
    "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "time",
    "times", "getrusage", "setitimer", "getitimer", "alarm", "pause",
)  # fmt: skip
_SIGNALS = (
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending", "rt_sigsuspend",
    "rt_sigtimedwait", "sigaltstack", "restart_syscall", "kill", "tkill", "tgkill",
)  # fmt: skip
_ITSELF = (
    "getpid", "getppid", "gettid", "getuid", "geteuid", "getgid", "getegid", "getresuid",
    "getresgid", "getgroups", "getpgrp", "getpgid", "getsid", "getrlimit", "uname", "getrandom",
    "getcpu", "sched_getaffinity", "sched_getscheduler", "sched_getparam",
    "sched_get_priority_max", "sched_get_priority_min", "sched_yield", "set_robust_list", "rseq",
    "exit", "exit_group",
)  # fmt: skip
_ALWAYS = (
    *_FILES,
    *RIGHTS_AND_TIMES,
    *_WAITING,
    *_LINE_TO_THE_GRADER,
    *_MEMORY,
    *_TIME,
    *_SIGNALS,
    *_ITSELF,
)

# Numbers of <linux/…>, <sched.h>, <sys/…>; the same on x86-64 and on 64-bit Arm.
_A_THREAD, _DETACHED = 0x003D0F00, 0x00400000  # what the C library passes to clone()
_HUGE_PAGES = 0x00040000  # of which the machine has one pool
_PRIVATE_FUTEX = 0x80
_UNIX, _STREAM, _KIND = 1, 1, 0xF
_EVERY = 2**64 - 1

_FCNTL = (0, 1, 2, 3, 4, 1030)  # F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC
_IOCTL = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)  # is it a terminal, and how wide; how
# much can be read; FIONBIO, FIONCLEX, FIOCLEX
_PRCTL = (15, 16)  # the name of a thread
_MADVISE = (0, 1, 2, 4, 8, 10, 11, 14, 15, 16, 17, 18, 19, 102, 103)  # about one's own pages only:
# not MADV_WILLNEED, which reads files, nor what makes pages leave memory or merge with others'

_WITH_ARGUMENTS: dict[str, list[list[Arg]]] = {
    "fcntl": [[Arg(1, EQ, command)] for command in _FCNTL],
    "ioctl": [[Arg(1, EQ, request)] for request in _IOCTL],
    "prctl": [[Arg(0, EQ, option)] for option in _PRCTL],
    "madvise": [[Arg(2, EQ, advice)] for advice in _MADVISE],
    "clone": [[Arg(0, MASKED_EQ, _EVERY - _DETACHED, _A_THREAD)]],
    "mmap": [[Arg(3, MASKED_EQ, _HUGE_PAGES, 0)]],
    "futex": [[Arg(1, MASKED_EQ, _PRIVATE_FUTEX, _PRIVATE_FUTEX)]],
    "prlimit64": [[Arg(0, EQ, 0), Arg(2, EQ, 0)]],  # reading one's own
    "socketpair": [[Arg(0, EQ, _UNIX), Arg(1, MASKED_EQ, _KIND, _STREAM)]],  # for asyncio
    "sendto": [[Arg(4, EQ, 0)]],  # to the other end, and to no address
}

# From here on numbers are the same everywhere, and no C library counts on a call that Linux had not
# in 2019. Unless it is known to be harmful, ENOSYS lets the library take an older one.
_NEW = range(424, 512)
_HARMFUL_AMONG_NEW = (
    "pidfd_send_signal", "pidfd_open", "pidfd_getfd", "io_uring_setup", "io_uring_enter",
    "io_uring_register", "open_tree", "move_mount", "fsopen", "fsconfig", "fsmount", "fspick",
    "mount_setattr", "process_madvise", "process_mrelease", "quotactl_fd", "memfd_secret",
    "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self",
    "set_mempolicy_home_node", "cachestat",
)  # fmt: skip
REFUSED = pyseccomp.ERRNO(errno.EPERM)


def system_call_filter(
    refused: int = REFUSED, without: Collection[str] = ()
) -> pyseccomp.SyscallFilter:
    """The filter, built but not loaded; a fork can :meth:`load` it.

    Parameters
    ----------
    refused : int
        What happens at a known call that is not on the list.
    without : collection of str
        Calls to take off the list.
    """
    calls = pyseccomp.SyscallFilter(refused)
    for name in _ALWAYS:
        if name not in without:
            _add(calls, pyseccomp.ALLOW, name)
    for name, alternatives in _WITH_ARGUMENTS.items():
        for arguments in alternatives:
            _add(calls, pyseccomp.ALLOW, name, *arguments)
    # Waiting for the end of a thread: the library then looks again until it has ended. A futex that
    # is not private may lie in a file that others have mapped too.
    shared = Arg(1, MASKED_EQ, _PRIVATE_FUTEX, 0)
    _add(calls, pyseccomp.ERRNO(errno.EAGAIN), "futex", shared)
    # clone3() hides its flags from a filter, so it is among those that are not there.
    known = {_number(name) for name in (*_ALWAYS, *_HARMFUL_AMONG_NEW)}
    for number in _NEW:
        if number not in known:
            calls.add_rule(pyseccomp.ERRNO(errno.ENOSYS), number)
    # The calls of another architecture, such as 32-bit x86, have numbers of their own.
    calls.set_attr(pyseccomp.Attr.ACT_BADARCH, pyseccomp.KILL_PROCESS)
    calls.set_attr(pyseccomp.Attr.CTL_TSYNC, 1)  # every thread that a library has started too
    return calls


def _add(calls: pyseccomp.SyscallFilter, action: int, name: str, *arguments: Arg) -> None:
    if (number := _number(name)) >= 0:
        calls.add_rule(action, number, *arguments)


def _number(name: str) -> int:
    """Negative if there is no such call on this processor, or in this version of libseccomp."""
    return int(pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name))
