"""The client side of PROTOCOL.md: commands, each a method `do_...` of Client."""

import hashlib
import json
import os
import select
import shlex
import socket
import sys
import time

from session import Session, connect, emit
from wire import ENTRY, ERRORS, MAX_RECORD, PUSH, Violation, fields, parse_object, require


class Refused(Exception):
    """Handshake: the server sent REFUSE."""


class Lost(Exception):
    """The pipe ended without GOAWAY."""


class Download:
    """Methods, get: a body on its way to a file (or nowhere), counted and digested."""

    def __init__(self, path, target=os.devnull):
        self.path, self.target, self.size, self.frames = path, target, 0, 0
        self.sha256, self.file = hashlib.sha256(), open(target, "wb")

    def __call__(self, piece):
        self.size, self.frames = self.size + len(piece), self.frames + 1
        self.sha256.update(piece)
        self.file.write(piece)

    def finish(self, stream):
        """Compare size and digest; what is not whole does not stay."""
        self.file.close()
        digest = self.sha256.hexdigest()
        whole = not stream.error and (self.size, digest) == (stream.result["size"], stream.trailer["sha256"])
        if not whole and self.target != os.devnull:
            os.remove(self.target)
        if stream.error:
            return emit("reset", method="get", **stream.error)
        require(whole, "BAD_PAYLOAD", f"{self.size} bytes with {digest}, not {stream.result} and {stream.trailer}")
        return emit("got", path=self.path, size=self.size, frames=self.frames, sha256=digest)


class Records:
    """Bodies of records: JSON objects, each with a line feed behind it."""

    def __init__(self):
        self.rest, self.all = b"", []

    def __call__(self, piece):
        *lines, self.rest = (self.rest + piece).split(b"\n")
        require(max(map(len, [*lines, self.rest])) < MAX_RECORD, "BAD_PAYLOAD", "a record is too long")
        self.all += [parse_object(line, "a record") for line in lines]


class Client(Session):
    """One command after another; pings and pushes are answered meanwhile."""

    serving, first_id = False, 1

    def __init__(self, sock, options):
        super().__init__(sock, options)
        self.held = []

    def run(self):
        """The whole life of a session."""
        self.handshake()
        if self.options.command:
            self.execute(self.options.command)
        else:
            self.commands()
        self.leave()

    def turn(self, *others):
        """Move bytes once; returns which of the other files have something to read."""
        self.flush()
        reading = [*others] if self.eof else [self.sock, *others]
        ready, _, _ = select.select(reading, [self.sock] if self.out else [], [], self.options.heartbeat / 2)
        if self.sock in ready:
            self.read()
        self.tick()
        return [one for one in ready if one is not self.sock]

    def until(self, done):
        """Go on until something has happened."""
        while not done():
            if self.eof:
                raise Lost("the pipe ended")
            self.turn()

    # Handshake

    def handshake(self):
        """Handshake, 1: HELLO, and then nothing until WELCOME. The last member is one of a later version."""
        low, high = self.options.versions
        hello = {"versions": {"min": low, "max": high}, "agent": "peer.py", "wait": self.options.wait}
        grants = {"credit": self.options.credit, "maxStreams": self.options.max_streams}
        self.send("HELLO", {**hello, **grants, "later": {"ignored": [None]}})
        self.until(lambda: self.admitted)

    def on_welcome(self, frame):
        low, high = self.options.versions
        require(low <= frame.body["version"] <= high, "UNSUPPORTED_VERSION", f"WELCOME with {frame.body['version']}")
        self.admitted, self.name, self.their_credit = True, frame.body["name"], frame.body["credit"]
        emit("welcome", **frame.body)

    def on_queued(self, frame):
        """Handshake, 5: only who asked for it waits, and the position only falls."""
        position = frame.body["position"]
        require(self.options.wait, "UNEXPECTED_FRAME", "QUEUED without wait")
        require(not self.queued or position < self.queued, "UNEXPECTED_FRAME", f"QUEUED {position} after {self.queued}")
        self.queued = position
        emit("queued", position=position)

    def on_refuse(self, frame):
        """Handshake: REFUSE is the last frame, and tells the versions when those are the reason."""
        about_version = frame.body["code"] == ERRORS["UNSUPPORTED_VERSION"]
        require(about_version == ("versions" in frame.body), "BAD_PAYLOAD", f"REFUSE with {frame.body!r}")
        emit("refused", **frame.body)
        self.take_frame = lambda: require(not self.inbox, "UNEXPECTED_FRAME", "bytes behind REFUSE")
        self.take_frame()
        while not self.eof:
            self.turn()
        raise Refused(frame.body["message"])

    # Pushes

    def take_message(self, stream, params):
        """Methods, from server to client: ACCEPT with END acknowledges a message."""
        require(PUSH(params), "BAD_PAYLOAD", f"a push has the wrong shape: {params!r}")
        if self.options.deaf:
            return self.reset(stream, "UNKNOWN_METHOD", "No messages, please.")
        emit("message", **params)
        return self.accept(stream, {})

    methods = {"message": take_message}

    # Commands

    def commands(self):
        """Commands from standard input until it ends, or the session does."""
        rest = b""
        while not self.over:
            if sys.stdin not in self.turn(sys.stdin):
                continue
            piece = os.read(sys.stdin.fileno(), 65536)
            if not piece:
                return
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                self.execute(shlex.split(line.decode()))

    def execute(self, words):
        getattr(self, "do_" + words[0])(*words[1:])

    def ask(self, method, params, sink=None):
        """One request with its whole answer; returns the stream."""
        stream = self.open(method, params)
        stream.sink, stream.window = sink or stream.sink, self.options.window
        self.until(lambda: stream.closed)
        if stream.error:
            emit("reset", method=method, **stream.error)
        return stream

    def do_call(self, method, params="{}"):
        stream = self.ask(method, json.loads(params))
        if not stream.error:
            emit("result", method=method, **stream.result)
        return stream

    def do_status(self, params="{}"):
        stream = self.do_call("status", params)
        ids = [one["id"] for one in stream.result["sessions"]] if stream.result else []
        require(ids == sorted(ids, reverse=True), "BAD_PAYLOAD", f"the sessions are not newest first: {ids}")

    def do_stat(self, path):
        self.do_call("stat", json.dumps({"path": path}))

    def do_message(self, words, to=None):
        stream = self.do_call("message", json.dumps({"text": words, **({"to": to} if to else {})}))
        right = stream.error or stream.result["text"] == words + " ACK"
        require(right, "BAD_PAYLOAD", f"the answer is {stream.result!r}")

    def do_list(self, glob=None):
        records = Records()
        stream = self.ask("list", {} if glob is None else {"glob": glob}, records)
        if stream.error:
            return
        require(not records.rest, "BAD_PAYLOAD", "the last record has no line feed")
        count = stream.trailer["entries"]
        require(count == len(records.all), "BAD_PAYLOAD", f"{count} entries, but {len(records.all)} records")
        for entry in records.all:
            right = fields(ENTRY)(entry) and (entry["kind"] == "file" or entry["size"] == 0)
            require(right, "BAD_PAYLOAD", f"an entry has the wrong shape: {entry!r}")
        emit("listed", entries=records.all, skipped=stream.trailer["skipped"])

    def do_get(self, *pairs):
        """Fetch PATH TARGET [PATH TARGET ...] side by side, with a PING among the DATA."""
        jobs = [self.download(path, self.options.window, target) for path, target in zip(pairs[::2], pairs[1::2])]
        self.until(lambda: all(stream.result or stream.error for stream in jobs))
        self.ping()
        self.until(lambda: all(stream.closed for stream in jobs) and not self.pings)
        for stream in jobs:
            stream.sink.finish(stream)

    def download(self, path, window, *target):
        stream = self.open("get", {"path": path})
        stream.sink, stream.window = Download(path, *target), window
        return stream

    def do_starve(self, path, count="1"):
        """Open gets and grant nothing: each body stops where its first credit does."""
        self.held += [self.download(path, 0) for _ in range(int(count))]
        self.until(lambda: all(one.closed or (one.result and not one.in_balance) for one in self.held))
        resets = [one.error["code"] for one in self.held if one.error]
        emit("starved", sizes=[one.sink.size for one in self.held if not one.error], resets=resets)

    def do_feed(self):
        """Grant what was withheld, and see the bodies to their end."""
        for stream in self.held:
            stream.window = self.options.window
            self.grant(stream)
        self.until(lambda: all(stream.closed for stream in self.held))
        for stream in self.held:
            stream.sink.finish(stream)
        self.held = []

    def do_cancel(self):
        """RESET what is held; DATA that crosses with it is ignored."""
        for stream in self.held:
            if not stream.closed:
                self.reset(stream, "CANCELLED", "No more.")
        self.held = []

    def do_ping(self):
        nonce = self.ping()
        self.until(lambda: nonce not in self.pings)

    def leave(self):
        """Sessions: GOAWAY; when no stream is left both sides close."""
        self.do_cancel()
        if not self.over:
            self.goaway(0, "exit")
        until = time.monotonic() + 4
        while not self.eof:
            require(time.monotonic() < until, "UNEXPECTED_FRAME", "the other side does not close behind GOAWAY")
            if self.over and not self.out:
                self.sock.shutdown(socket.SHUT_WR)
            self.turn()
        if not self.goaway_in and not self.goaway_out:
            raise Lost("the pipe ended without GOAWAY")
        emit("closed")


def run_client(options):
    client = Client(connect(options.address), options)
    try:
        client.run()
    except Violation as violation:
        client.break_off(violation)
        raise
