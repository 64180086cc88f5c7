"""Peers without a start of Python for each: forks.py SOCKET, until standard input ends.

A peer is a fork of this process, which has loaded all of peer.py. It has two connections to SOCKET, whose first lines
have the same number. One is its standard input and output. The other begins with a line of JSON, and brings its process
id, a line; then its standard error; then a zero byte and its exit code.
"""

import json
import os
import select
import signal
import socket
import sys
import traceback

import peer

running = {}


def reap():
    """Tell the exit codes of those that have ended."""
    for pid in [*running]:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended == pid:
            with running.pop(pid) as control:
                try:
                    control.sendall(b"\0%d" % os.waitstatus_to_exitcode(status))
                except OSError:
                    pass  # Nobody asks any more.


def first_line(connection):
    """What follows it stays in the connection."""
    line = b""
    while not line.endswith(b"\n") and (piece := connection.recv(1)):
        line += piece
    return line


def fork(io, control, order):
    pid = os.fork()
    if pid == 0:
        become_peer(io, control, order)
    running[pid] = control
    io.close()


def become_peer(io, control, order):
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    code = 1
    try:
        for standard, connection in enumerate((io, io, control)):
            os.dup2(connection.fileno(), standard)
        os.closerange(3, 4096)
        os.write(2, b"%d\n" % os.getpid())
        os.chdir(order["cwd"])
        sys.argv = ["peer.py", *order["args"]]
        code = peer.main()
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def main():
    ends, tell_end = os.pipe()
    os.set_blocking(tell_end, False)
    signal.set_wakeup_fd(tell_end)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(sys.argv[1])
    listener.listen(64)
    print("ready", flush=True)
    halves = {}
    while True:
        ready, _, _ = select.select([listener, ends, sys.stdin], [], [])
        if sys.stdin in ready:
            return
        if ends in ready:
            os.read(ends, 4096)
            reap()
        if listener not in ready:
            continue
        connection, _ = listener.accept()
        order = json.loads(first_line(connection))
        other = halves.pop(order["number"], None)
        if other is None:
            halves[order["number"]] = connection, order
        elif "args" in order:
            fork(other[0], connection, order)
        else:
            fork(connection, *other)


main()
