"""Start a program in a process that the system allows less: launch.py WHAT... -- PROGRAM ARGUMENT...

WHAT is "mdwe" (no code made at run time, as systemd's MemoryDenyWriteExecute), or CALL=ERRNO, such as flock=ENOSYS (that
call of the system fails, as under a container's seccomp filter, or on a disk that does not know it).
"""

import ctypes
import errno
import os
import platform
import struct
import sys

PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, PR_SET_MDWE = 22, 38, 65
SECCOMP_MODE_FILTER = 2
REFUSE_EXEC_GAIN = 1
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, ERRNO = 0x7FFF0000, 0x00050000

CALLS = {
    "x86_64": {"flock": 73, "link": 86, "linkat": 265, "renameat2": 316, "chmod": 90, "fchmod": 91, "fchmodat": 268, "utimensat": 280},
    "aarch64": {"flock": 32, "linkat": 37, "renameat2": 276, "fchmod": 52, "fchmodat": 53, "utimensat": 88},
}[platform.machine()]

libc = ctypes.CDLL(None, use_errno=True)


def prctl(*numbers):
    if libc.prctl(*[ctypes.c_ulong(number) for number in numbers]) != 0:
        sys.exit(f"prctl{numbers}: {os.strerror(ctypes.get_errno())}")


def refuse(calls):
    steps = [(LOAD, 0, 0, 0)]
    for number, error in calls:
        steps += [(JUMP_IF_EQUAL, 0, 1, number), (RETURN, 0, 0, ERRNO | error)]
    steps.append((RETURN, 0, 0, ALLOW))
    code = b"".join(struct.pack("HBBI", *step) for step in steps)
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(steps), ctypes.addressof(buffer := ctypes.create_string_buffer(code))))
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(program), 0, 0)


def main():
    at = sys.argv.index("--")
    refused = []
    for what in sys.argv[1:at]:
        if what == "mdwe":
            prctl(PR_SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0)
            continue
        call, error = what.split("=")
        if call in CALLS:
            refused.append((CALLS[call], getattr(errno, error)))
    if refused:
        refuse(refused)
    os.execvp(sys.argv[at + 1], sys.argv[at + 1 :])


main()
