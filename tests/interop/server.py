"""The server side of PROTOCOL.md for any number of clients in one loop; on request a server that lies."""

import hashlib
import io
import itertools
import json
import os
import re
import select
import socket
import stat
import struct
import sys
import time

from session import Session, emit
from wire import ERRORS, FLAG_END, HEADER, MAGIC, MAX_CREDIT, Violation, encode, raw_frame, require, text, valid_path

DEEP = b'{"a":' + b"[" * 32 + b"]" * 32 + b"}"
FULL_CREDIT = struct.pack(">I", MAX_CREDIT)
HUGE = {"size": 1 << 30, "modifiedAt": 0, "etag": ""}
# What stands in place of the answer to `get`, made from the stream's id.
GET_LIES = {
    "bad-magic": lambda one: b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "unknown-opcode": lambda one: raw_frame(0xFF),
    "bad-flags": lambda one: raw_frame(0x05, bytes(8), flags=1),
    "bad-reserved": lambda one: raw_frame(0x05, bytes(8), reserved=1),
    "ping-on-stream": lambda one: raw_frame(0x05, bytes(8), stream=1),
    "data-on-session": lambda one: raw_frame(0x12, b"x"),
    "large-data": lambda one: HEADER.pack(MAGIC, 0x12, 0, one, 1048577, 0),
    "large-accept": lambda one: HEADER.pack(MAGIC, 0x11, 0, one, 65537, 0),
    "empty-data": lambda one: raw_frame(0x12, b"", one),
    "second-welcome": lambda one: encode("WELCOME", welcome("Client01", 1, 1)),
    "unasked-pong": lambda one: encode("PONG", bytes(8)),
    "data-first": lambda one: encode("DATA", b"x", one),
    "end-first": lambda one: encode("END", b"", one),
    "second-accept": lambda one: 2 * encode("ACCEPT", HUGE, one),
    "second-goaway": lambda one: 2 * encode("GOAWAY", {"code": ERRORS["SHUTDOWN"], "message": "The peer stops."}),
    "never-opened": lambda one: encode("CREDIT", FULL_CREDIT, one + 2),
    "odd-open": lambda one: encode("OPEN", {"method": "message"}, one + 2, FLAG_END),
    "same-open": lambda one: 2 * encode("OPEN", {"method": "nope"}, 2, FLAG_END),
    "zero-credit": lambda one: encode("CREDIT", bytes(4), one),
    "high-credit": lambda one: 2 * encode("CREDIT", FULL_CREDIT, one),
    "no-object": lambda one: encode("ACCEPT", b"[1]", one),
    "no-size": lambda one: encode("ACCEPT", {"modifiedAt": 0, "etag": ""}, one),
    "no-utf8": lambda one: encode("ACCEPT", b'{"a":"\xff"}', one),
    "byte-order-mark": lambda one: encode("ACCEPT", b"\xef\xbb\xbf{}", one),
    "too-deep": lambda one: encode("ACCEPT", DEEP, one),
    "missing-member": lambda one: encode("GOAWAY", {"code": 0}),
    "wrong-kind": lambda one: encode("RESET", {"code": "12", "message": ""}, one),
    "over-credit": lambda one: encode("ACCEPT", HUGE, one) + 64 * encode("DATA", bytes(1048576), one),
}
# What stands in place of WELCOME.
WELCOME_LIES = {
    "garbage": lambda: b"220 mail.example.org ESMTP\r\n",
    "early-accept": lambda: encode("ACCEPT", {}, 1, FLAG_END),
    "early-ping": lambda: encode("PING", bytes(8)),
    "unasked-queue": lambda: encode("QUEUED", {"position": 1}),
    "other-version": lambda: encode("WELCOME", {**welcome("Client01", 1, 1), "version": 2}),
    "no-credit": lambda: encode("WELCOME", {"version": 1, "name": "Client01", "role": "client", "agent": ""}),
}
# What is wrong about an answer to `get` that begins well.
BODY_LIES = ("digest", "short", "long", "changed", "vanish")


def welcome(name, credit, max_streams):
    """Handshake, 4: the members of WELCOME, and one of a later version."""
    members = {"version": 1, "name": name, "role": "client", "agent": "peer.py", "capabilities": ["later"]}
    return {**members, "credit": credit, "maxStreams": max_streams, "later": 1}


def glob_pattern(glob):
    """Methods, list: a pattern as a regular expression over whole paths."""
    tokens = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")", ",": "|"}
    parts = re.findall(r"\*\*/|\*\*|\[[^\]]*\]|.", glob, re.S)
    return re.compile("".join(tokens.get(part, part if part[0] == "[" else re.escape(part)) for part in parts), re.S)


class Source:
    """A body with its trailer."""

    def __init__(self, file, size, trailer=None, lie=None):
        self.file, self.left, self.fixed, self.lie = file, size, trailer, lie
        self.sha256 = hashlib.sha256()

    def read(self, size):
        piece = self.file.read(min(size, self.left))
        self.left -= len(piece)
        self.sha256.update(piece)
        return piece

    def trailer(self):
        self.file.close()
        return self.fixed or {"sha256": "0" * 64 if self.lie == "digest" else self.sha256.hexdigest()}


class Visitor(Session):
    """The server's side of one client."""

    serving, first_id = True, 2

    def __init__(self, sock, options, server):
        super().__init__(sock, options)
        self.server, self.positions = server, list(range(options.queue, 0, -1))
        self.lingering, self.started = False, int(time.time() * 1000)

    # Handshake

    def on_hello(self, frame):
        """Handshake: refuse, queue or admit."""
        require(self.name is None, "UNEXPECTED_FRAME", "a second HELLO")
        hello, versions = frame.body, frame.body["versions"]
        self.their_credit, self.name = hello["credit"], f"Client{next(self.server.numbers):02}"
        emit("hello", name=self.name, **hello)
        if self.options.lie in WELCOME_LIES:
            self.lied = True
            self.out += WELCOME_LIES[self.options.lie]()
        elif not versions["min"] <= 1 <= versions["max"]:
            self.refuse("UNSUPPORTED_VERSION", "No version in common.", versions={"min": 1, "max": 1})
        elif self.options.refuse or (self.positions and not hello.get("wait")):
            self.refuse("SERVER_FULL", self.options.refuse or "Every seat is taken.")
        else:
            self.advance()

    def advance(self):
        """Handshake, 5: each position once, each behind the PONG of a client that waits; then WELCOME."""
        if self.positions:
            self.queued = self.positions.pop(0)
            self.send("QUEUED", {"position": self.queued})
            self.ping()
        else:
            self.admitted = True
            self.send("WELCOME", welcome(self.name, self.options.credit, self.options.max_streams))
            emit("joined", name=self.name)

    def refuse(self, code, message, **more):
        """Handshake: REFUSE, half-close, and throw away what still comes."""
        self.send("REFUSE", {"code": ERRORS[code], "message": message, **more})
        self.lingering = True

    def flush(self):
        super().flush()
        if self.lingering and not self.out and not self.eof:
            self.sock.shutdown(socket.SHUT_WR)

    def take_frame(self):
        if self.lingering:
            self.inbox.clear()
        return not self.lingering and super().take_frame()

    def on_pong(self, frame):
        super().on_pong(frame)
        if not self.admitted:
            self.advance()

    def on_open(self, frame):
        emit("request", name=self.name, method=frame.body["method"], stream=frame.stream)
        super().on_open(frame)

    # Methods

    def resolve(self, stream, path):
        """Methods: the absolute place of a path, or RESET and None."""
        full = os.path.join(self.server.root, path) if valid_path(path) else None
        if full is None:
            self.reset(stream, "BAD_PATH", f'"{path}" is no path.')
        elif not os.path.lexists(full):
            self.reset(stream, "NOT_FOUND", f'There is no "{path}" here.')
        elif os.path.commonpath([os.path.realpath(full), self.server.root]) != self.server.root:
            self.reset(stream, "NOT_ALLOWED", f'"{path}" leads out.')
        else:
            return full
        return None

    def entry(self, path):
        info = os.lstat(os.path.join(self.server.root, path))
        kinds = {stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFLNK: "link"}
        kind = kinds.get(stat.S_IFMT(info.st_mode), "other")
        size = info.st_size if kind == "file" else 0
        return {"path": path, "kind": kind, "size": size, "modifiedAt": info.st_mtime_ns // 1000000}

    def walk(self, folder=""):
        """Methods, list: everything, depth first."""
        for name in sorted(os.listdir(os.path.join(self.server.root, folder))):
            path = f"{folder}/{name}" if folder else name
            entry = self.entry(path)
            yield entry
            if entry["kind"] == "folder":
                yield from self.walk(path)

    def do_status(self, stream, params):
        """Methods, status: of the sessions that are here now."""
        zeros = dict.fromkeys(("bytesIn", "bytesOut", "messagesIn", "messagesOut"), 0)
        ended = {"endedAt": None, "reason": None}
        people = [{"name": one.name or "", "address": "peer", "startedAt": one.started} for one in self.server.visitors]
        sessions = [{**who, **zeros, **ended, "id": number} for number, who in enumerate(people, 1)][::-1]
        me = {"name": self.name, "address": "peer", "startedAt": self.started, "role": "client"}
        server = {"agent": "peer.py", "startedAt": self.started, "uptimeMs": 0, "draining": False}
        seats = {"max": 9, "taken": len(people), "maxWaiting": 9, "waiting": 0}
        numbers = {"total": len(people), "sessions": sessions, "next": None}
        self.accept(stream, {"self": me, "server": server, "seats": seats, **numbers})

    def do_list(self, stream, params):
        """Methods, list: all, what is below a folder, or what a pattern matches."""
        glob = params.get("glob")
        if glob is not None and not text(0, 1024)(glob):
            return self.reset(stream, "BAD_PARAMS", "glob is no such text.")
        entries = list(self.walk())
        if any(one["path"] == glob and one["kind"] == "folder" for one in entries):
            entries = [one for one in entries if one["path"].startswith(glob + "/")]
        elif glob is not None:
            entries = [one for one in entries if glob_pattern(glob).fullmatch(one["path"])]
        records = b"".join(json.dumps(one, ensure_ascii=False).encode() + b"\n" for one in entries)
        trailer = {"entries": len(entries), "skipped": 0}
        return self.accept(stream, {}, Source(io.BytesIO(records), len(records), trailer))

    def do_stat(self, stream, params):
        if self.resolve(stream, params.get("path")):
            self.accept(stream, {**self.entry(params["path"]), "etag": "e"})

    def do_get(self, stream, params):
        """Methods, get: the file, or the lie that was ordered."""
        lie, full = self.options.lie, self.resolve(stream, params.get("path"))
        if full is None:
            return
        if not os.path.isfile(full):
            self.reset(stream, "NOT_A_FILE", f'"{params["path"]}" is a folder.')
        elif lie in GET_LIES:
            self.lied = True
            self.out += GET_LIES[lie](stream.id)
        else:
            entry = self.entry(params["path"])
            result = {"size": entry["size"] - (lie == "long"), "modifiedAt": entry["modifiedAt"], "etag": "e"}
            self.accept(stream, result, Source(open(full, "rb"), entry["size"] - (lie == "short"), lie=lie))
            self.break_body(stream, lie)

    def break_body(self, stream, lie):
        """End a body in its middle: with CHANGED, or with the pipe."""
        if lie in ("changed", "vanish"):
            self.pump()
            stream.source = None
        if lie == "changed":
            self.reset(stream, "CHANGED", "The file changed.")
        elif lie == "vanish":
            self.flush()
            self.eof = True

    def do_message(self, stream, params):
        """Methods, message: to the server, or on to a client; the result comes when it was delivered."""
        words, to = params.get("text"), params.get("to", "server")
        if not text(1, 8192)(words) or not isinstance(to, str):
            return self.reset(stream, "BAD_PARAMS", "No such text.")
        if to.lower() == "server":
            emit("message", **{"from": self.name, "text": words})
            return self.accept(stream, {"text": words + " ACK", "delivered": ["Server"], "failed": []})
        other = next((one for one in self.server.visitors if (one.name or "").lower() == to.lower()), None)
        if other is None:
            return self.reset(stream, "NO_SUCH_CLIENT", f'There is no client "{to}".')
        push = other.open("message", {"from": self.name, "to": other.name, "text": words})
        push.settled = lambda: self.pass_on(push, stream, words, other.name)
        return None

    def pass_on(self, push, stream, words, name):
        """Methods, message: what became of a push, told to its sender."""
        if push.error:
            self.reset(stream, "NOT_DELIVERED", push.error["message"])
        else:
            self.accept(stream, {"text": words + " ACK", "delivered": [name], "failed": []})

    methods = {"status": do_status, "list": do_list, "stat": do_stat, "get": do_get, "message": do_message}


class Server:
    """All visitors in one loop, so that nothing needs a lock."""

    def __init__(self, options):
        self.options, self.root = options, os.path.realpath(options.folder)
        self.visitors, self.numbers = [], itertools.count(1)
        if options.unix:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(options.unix)
            self.listener.listen()
        else:
            self.listener = socket.create_server(("127.0.0.1", 0))
        emit("listening", port=0 if options.unix else self.listener.getsockname()[1])

    def run(self):
        """Serve until standard input ends; the first broken rule ends it too."""
        while self.turn():
            pass

    def turn(self):
        """Move bytes once, for everybody; false at the end of standard input."""
        for one in self.visitors:
            one.flush()
        reading = [sys.stdin, self.listener, *(one.sock for one in self.visitors)]
        writing = [one.sock for one in self.visitors if one.out]
        ready, _, _ = select.select(reading, writing, [], self.options.heartbeat / 2)
        if self.listener in ready:
            self.visitors.append(Visitor(self.listener.accept()[0], self.options, self))
        for one in list(self.visitors):
            self.serve(one, one.sock in ready)
        return sys.stdin not in ready or self.command(os.read(sys.stdin.fileno(), 65536))

    def serve(self, one, readable):
        try:
            if readable:
                one.read()
            if not one.lied:
                one.tick()
        except Violation as violation:
            one.break_off(violation)
            raise
        if one.over:
            one.flush()
            one.sock.close()
            self.visitors.remove(one)
            emit("left", name=one.name)

    def command(self, words):
        """Sessions: with "shutdown" everybody gets GOAWAY, and streams under way go on."""
        if words.strip() == b"shutdown":
            for one in self.visitors:
                one.goaway(ERRORS["SHUTDOWN"], "The peer stops.")
        return bool(words)
