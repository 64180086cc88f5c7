"""unread-terminal.py UNTIL COMMAND...: run it on a pseudo terminal that is read until UNTIL stands there, and then never again.
Prints what was read; the exit status of the command follows when it has ended."""

import os
import pty
import sys

until, *command = sys.argv[1:]
pid, terminal = pty.fork()
if pid == 0:
    os.execv(command[0], command)
seen = b""
while until.encode() not in seen:
    seen += os.read(terminal, 4096)
sys.stdout.write(seen.decode() + f"\npid {pid}\n")
sys.stdout.flush()
_, status = os.waitpid(pid, 0)
print("ended", os.waitstatus_to_exitcode(status))
