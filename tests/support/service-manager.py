"""A service manager as systemd is one: gives a program a listening socket, and prints what the program tells it.

python3 service-manager.py SOCKET inherit|own PROGRAM ARG...   -> each datagram is a line of JSON on standard output;
the first line has the port of the inherited socket (0: none). At the end of standard input the program gets SIGTERM.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading

path, mode, *command = sys.argv[1:]
told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
told.bind("\0" + path[1:] if path.startswith("@") else path)

listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.bind(("127.0.0.1", 0))
listener.listen(16)


def say(record):
    print(json.dumps(record), flush=True)


# The program has the process number of the shell that it replaces.
script = 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@" 3<&%d' % listener.fileno() if mode == "inherit" else 'exec "$@"'
environment = {**os.environ, "NOTIFY_SOCKET": path, "WATCHDOG_USEC": "300000"}
child = subprocess.Popen(
    ["sh", "-c", script, "sh", *command],
    env=environment,
    stdin=subprocess.DEVNULL,
    pass_fds=[listener.fileno()],
    start_new_session=True,
)
say({"port": listener.getsockname()[1] if mode == "inherit" else 0, "pid": child.pid})


def watch():
    while True:
        say({"told": told.recv(4096).decode().split("\n")})


threading.Thread(target=watch, daemon=True).start()
sys.stdin.read()
child.send_signal(signal.SIGTERM)
status = child.wait()
# What it has told at its end may still be on its way.
told.setblocking(False)
say({"exit": status})
