"""The client side of PROTOCOL.md: commands, each a method `do_...` of Client."""

import json
import os
import select
import shlex
import sys
import time

from chunks import Records
from client_files import FileCommands
from lies_auth import CLIENT_AUTH_LIES
from pipes import connect
from scram import ClientProof, read_invite, split_token
from session import Session, emit
from wire import ENTRY, ERRORS, PUSH, TOKEN, Violation, change, fields, require, valid_path


class Refused(Exception):
    """Handshake: the server sent REFUSE."""


class Lost(Exception):
    """The pipe ended without GOAWAY."""


class Client(FileCommands, Session):
    """One command after another; pings and pushes are answered meanwhile."""

    serving, first_id = False, 1

    def __init__(self, sock, options):
        super().__init__(sock, options)
        self.held, self.putting = [], None
        self.proof, self.final = None, None

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
        if self.sock is None:
            return select.select(others, [], [])[0]
        self.flush()
        reading = [*others] if self.eof else [self.sock, *others]
        ready, _, _ = select.select(reading, [self.sock] if self.out or self.sock.pending else [], [], self.options.heartbeat / 2)
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
        if self.options.capability:
            hello["capabilities"] = self.options.capability
        if self.options.resume is not None:
            hello["resume"] = self.options.resume
        if self.options.nick is not None:
            hello["nick"] = self.options.nick
        if self.options.token is not None:
            self.proof, self.stage = ClientProof(*split_token(self.options.token)), "proof"
            hello["auth"] = {"mechanism": self.proof.mechanism, "message": self.proof.first}
        hello = {**hello, **grants, "later": {"ignored": [None]}}
        if self.options.lie is not None:
            return CLIENT_AUTH_LIES[self.options.lie](self, hello)
        self.send("HELLO", hello)
        return self.until(lambda: self.admitted)

    def on_auth(self, frame):
        """Proof: step 3 answers step 2, and step 4 is the last."""
        if self.final is None:
            self.final = self.proof.final(frame.body["message"])
            self.send("AUTH", {"message": self.final})
        else:
            self.proof.check(frame.body["message"])
            self.stage = "answer"

    def trust(self, name):
        """Proof: a server whose proof is missing is not trusted."""
        require(self.stage == "answer", "ACCESS_DENIED", f"{name} without the server's proof")

    def on_welcome(self, frame):
        self.trust("WELCOME")
        low, high = self.options.versions
        require(low <= frame.body["version"] <= high, "UNSUPPORTED_VERSION", f"WELCOME with {frame.body['version']}")
        self.admitted, self.name, self.their_credit = True, frame.body["name"], frame.body["credit"]
        # Handshake, 7: operators have no seat to come back to.
        asked = self.options.resume is not None and frame.body["role"] != "operator"
        require(asked == ("resume" in frame.body), "BAD_PAYLOAD", f"resume was asked: {asked}; {frame.body!r}")
        if asked:
            self.options.resume = frame.body["resume"]["token"]
        # Handshake, 3: only those that both named are used.
        self.features = set(frame.body.get("capabilities", ())) & set(self.options.capability)
        emit("welcome", **frame.body)

    def on_queued(self, frame):
        """Handshake, 5: only who asked for it waits, and the position only falls."""
        self.trust("QUEUED")
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
            right = right and valid_path(entry["path"], "names" in self.features)
            require(right, "BAD_PAYLOAD", f"an entry has the wrong shape: {entry!r}")
        emit("listed", entries=records.all, skipped=stream.trailer["skipped"])

    def do_watch(self, glob=None):
        """Changes are told as they come, behind ACCEPT."""

        def tell(record):
            require(change(record), "BAD_PAYLOAD", f"a change has the wrong shape: {record!r}")
            emit("change", **record)

        stream = self.open("watch", {} if glob is None else {"glob": glob})
        stream.sink, stream.window = Records(tell), self.options.window
        self.until(lambda: stream.closed or stream.result is not None)
        emit("reset", method="watch", **stream.error) if stream.error else emit("watching")
        self.watching = stream

    def do_unwatch(self):
        self.reset(self.watching, "CANCELLED", "No more.")

    def do_issue(self, name, role, **more):
        """Methods, issueToken: the invite holds the token."""
        stream = self.do_call("issueToken", json.dumps({"name": name, "role": role, **more}))
        if not stream.error:
            invite = read_invite(stream.result["invite"])
            right = invite["t"] == stream.result["token"] and invite["t"].startswith(name + ":")
            require(right, "BAD_PAYLOAD", f"the invite is {invite!r}")
            emit("invite", **invite)

    def do_tokens(self):
        records = Records()
        stream = self.ask("tokens", {}, records)
        right = all(map(TOKEN, records.all)) and not records.rest
        require(right, "BAD_PAYLOAD", f"the tokens have the wrong shape: {records.all!r}")
        if not stream.error:
            emit("tokens", tokens=records.all)

    def do_become(self, token="-"):
        """Come back as the holder of another token; - is none."""
        self.options.token = None if token == "-" else token

    def do_ping(self):
        nonce = self.ping()
        self.until(lambda: nonce not in self.pings)

    def do_drop(self):
        """Handshake, 6: lose the link without GOAWAY."""
        self.flush()
        self.sock.close()
        self.sock, self.streams = None, {}
        emit("dropped")

    def do_return(self):
        """Handshake, 6: come back with the token."""
        Client.__init__(self, connect(self.options), self.options)
        self.handshake()

    def leave(self):
        """Sessions: GOAWAY; when no stream is left both sides close."""
        if self.sock is None:
            return
        for stream in self.streams.values():
            if not stream.closed and stream.ours:
                self.reset(stream, "CANCELLED", "No more.")
        if not self.over:
            self.goaway(0, "exit")
        until = time.monotonic() + 4
        while not self.eof:
            require(time.monotonic() < until, "UNEXPECTED_FRAME", "the other side does not close behind GOAWAY")
            if self.over and not self.out:
                self.sock.half_close()
            self.turn()
        if not self.goaway_in and not self.goaway_out:
            raise Lost("the pipe ended without GOAWAY")
        emit("closed")


def run_client(options):
    client = Client(connect(options), options)
    try:
        client.run()
    except Violation as violation:
        client.break_off(violation)
        raise
