"""The server side of PROTOCOL.md for any number of clients in one loop; on request a server that lies."""

import hashlib
import itertools
import json
import os
import re
import secrets
import select
import shutil
import socket
import ssl
import stat
import sys
import time

from chunks import Body
from globs import Glob, is_glob
from lies import FRAME_LIES, LIST_LIES, WELCOME_LIES, welcome
from lies_auth import SERVER_AUTH_LIES
from pipes import accept, fingerprint
from scram import ServerProof, split_token
from server_files import GetAnswers, PutAnswers, facts_at
from session import Session, emit
from wire import ERRORS, Violation, require, text, valid_path


class Visitor(Session):
    """The server's side of one client."""

    serving, first_id, traps = True, 2, LIST_LIES

    def __init__(self, sock, options, server):
        super().__init__(sock, options)
        self.server, self.positions = server, list(range(options.queue, 0, -1))
        self.lingering, self.started, self.token = False, int(time.time() * 1000), None
        self.vanishing, self.hello, self.proof, self.role = None, None, None, options.role

    # Handshake

    def on_hello(self, frame):
        """Handshake: refuse, queue or admit."""
        self.hello, versions = frame.body, frame.body["versions"]
        self.stage = "proof"
        if self.options.lie in WELCOME_LIES:
            self.lied = True
            self.out += WELCOME_LIES[self.options.lie]()
        elif not versions["min"] <= 1 <= versions["max"]:
            self.refuse("UNSUPPORTED_VERSION", "No version in common.", versions={"min": 1, "max": 1})
        elif "auth" in self.hello:
            self.proof = ServerProof(self.server.secrets, self.hello["auth"], self.sock.encrypted)
            if self.options.lie in SERVER_AUTH_LIES:
                self.lied = True
                self.out += SERVER_AUTH_LIES[self.options.lie](self.proof, None)
            else:
                self.send("AUTH", {"message": self.proof.challenge})
        elif self.server.secrets:
            self.refuse("TOKEN_REQUIRED", "This server requires a token.")
        elif self.options.lie in SERVER_AUTH_LIES:
            self.lied = True
            self.out += SERVER_AUTH_LIES[self.options.lie](None, None)
        else:
            self.seat()

    def on_auth(self, frame):
        """Proof: steps 3 and 4."""
        final = self.proof.final(frame.body["message"])
        if self.options.lie in SERVER_AUTH_LIES:
            self.out += SERVER_AUTH_LIES[self.options.lie](self.proof, final)
        else:
            self.send("AUTH", {"message": final})
            self.seat()

    def seat(self):
        """Handshake, 5 and 6: who the client is, and whether there is room for it."""
        self.stage = "seat"
        self.their_credit, self.name = self.hello["credit"], self.server.name_for(self.hello.get("resume"))
        self.token = secrets.token_hex(16) if "resume" in self.hello else None
        emit("hello", name=self.name, token=self.proof and self.proof.name, **self.hello)
        if self.options.refuse or (self.positions and not self.hello.get("wait")):
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
            resume = {"resume": {"token": self.token, "graceMs": 60000}} if self.token else {}
            grants = welcome(self.name, self.options.credit, self.options.max_streams)
            self.features = set(self.hello.get("capabilities", ())) & set(self.options.capability)
            grants["capabilities"] += sorted(self.features)
            self.send("WELCOME", {**grants, "role": self.role, **resume})
            emit("joined", name=self.name)

    def refuse(self, code, message, **more):
        """Handshake: REFUSE, half-close, and throw away what still comes."""
        self.send("REFUSE", {"code": ERRORS[code], "message": message, **more})
        self.lingering = True

    def flush(self):
        super().flush()
        if self.lingering and not self.out and not self.eof:
            self.sock.half_close()
        if self.vanishing is not None and self.vanishing.empty and not self.out:
            self.eof = True

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

    def trouble(self, path):
        """Methods: why nothing can be done with a path, as (code, message), or None."""
        full = os.path.join(self.server.root, path) if valid_path(path, "names" in self.features) else None
        if full is None:
            return "BAD_PATH", f'"{path}" is no path.'
        if not os.path.lexists(full):
            return "NOT_FOUND", f'There is no "{path}" here.'
        if os.path.commonpath([os.path.realpath(full), self.server.root]) != self.server.root:
            return "NOT_ALLOWED", f'"{path}" leads out.'
        return None

    def resolve(self, stream, path):
        """The absolute place of a path, or RESET and None."""
        error = self.trouble(path)
        if error is not None:
            return self.reset(stream, *error)
        return os.path.join(self.server.root, path)

    def entry(self, path):
        info = os.lstat(os.path.join(self.server.root, path))
        kinds = {stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFLNK: "link"}
        kind = kinds.get(stat.S_IFMT(info.st_mode), "other")
        size = info.st_size if kind == "file" else 0
        mode = {"mode": info.st_mode & 0o777} if self.options.modes and kind == "folder" else {}
        return {"path": path, "kind": kind, "size": size, "modifiedAt": info.st_mtime_ns // 1000000, **mode}

    def walk(self, folder=""):
        """Methods, list: everything, depth first."""
        for name in sorted(os.listdir(os.path.join(self.server.root, folder))):
            path = f"{folder}/{name}" if folder else name
            if not valid_path(path, "names" in self.features):
                continue
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
        me = {"name": self.name, "address": "peer", "startedAt": self.started, "role": self.role}
        server = {"agent": "peer.py", "startedAt": self.started, "uptimeMs": 0, "draining": False}
        seats = {"max": 9, "taken": len(people), "maxWaiting": 9, "waiting": 0}
        numbers = {"total": len(people), "sessions": sessions, "next": None}
        self.accept(stream, {"self": me, "server": server, "seats": seats, **numbers})

    def do_list(self, stream, params):
        """Methods, list: all, what is below a folder, or what a pattern matches."""
        glob, path = params.get("glob"), params.get("path")
        if not all(one is None or text(0, 4096)(one) for one in (glob, path)) or None not in (glob, path):
            return self.reset(stream, "BAD_PARAMS", "glob or path is no such text.")
        try:
            entries = self.chosen(glob) if path is None else self.at(path)
        except Violation as violation:
            return self.reset(stream, violation.code, str(violation))
        records = b"".join(json.dumps(one, ensure_ascii=False).encode() + b"\n" for one in entries)
        trailer = {"entries": len(entries), "skipped": 0}
        body = Body(*[records] * bool(records), trailer=json.dumps(trailer).encode(), ended=True)
        return self.accept(stream, {}, body)

    def chosen(self, glob):
        """Methods, list: everything, what is below a folder, one thing, or what a pattern matches; or the lie."""
        lie = LIST_LIES.get(self.options.lie)
        evil = [{"path": lie, "kind": "file", "size": 4, "modifiedAt": 0}] if lie else []
        entries = list(self.walk())
        if glob is None:
            return entries + evil
        if is_glob(glob):
            pattern = Glob(glob, "names" in self.features)
            require(os.path.isdir(os.path.join(self.server.root, pattern.top)), "NOT_FOUND", "nothing is there")
            return [one for one in entries + evil if pattern.matches(one["path"])]
        return self.at(glob)

    def at(self, path):
        """Methods, list: what is below a folder, or one thing, whatever its name looks like; or the lie."""
        lie = LIST_LIES.get(self.options.lie)
        evil = [{"path": lie, "kind": "file", "size": 4, "modifiedAt": 0}] if lie else []
        entries = list(self.walk())
        path = path[:-1] if len(path) > 1 and path.endswith("/") else path
        require(valid_path(path, "names" in self.features), "BAD_PATH", f'"{path}" is no path.')
        named = [one for one in entries if one["path"] == path]
        require(named, "NOT_FOUND", f'There is no "{path}" here.')
        if named[0]["kind"] != "folder":
            return named + evil
        return [one for one in entries if one["path"].startswith(path + "/")] + evil

    def do_stat(self, stream, params):
        full = self.resolve(stream, params.get("path"))
        if full:
            self.accept(stream, {**facts_at(full, self.options.modes), **self.entry(params["path"])})

    def do_get(self, stream, params):
        """Transfers, get; or the frame that was ordered in its place."""
        if self.options.lie in FRAME_LIES:
            self.lied = True
            self.out += FRAME_LIES[self.options.lie](stream.id)
        else:
            self.accept(stream, {}, GetAnswers(self, stream).body)

    def do_put(self, stream, params):
        if self.role == "read":
            self.reset(stream, "NOT_ALLOWED", "The role does not allow it.")
        else:
            self.accept(stream, {}, PutAnswers(self, stream).body)

    def do_digest(self, stream, params):
        full = self.resolve(stream, params.get("path"))
        if full and os.path.isfile(full):
            with open(full, "rb") as file:
                self.accept(stream, {**facts_at(full, self.options.modes), "sha256": hashlib.sha256(file.read()).hexdigest()})
        elif full:
            self.reset(stream, "NOT_A_FILE", "It is a folder.")

    def do_remove(self, stream, params):
        if self.role == "read":
            return self.reset(stream, "NOT_ALLOWED", "The role does not allow it.")
        full = self.resolve(stream, params.get("path"))
        if not full:
            return None
        if os.path.isfile(full) or os.path.islink(full):
            os.remove(full)
        elif params.get("recursive"):
            shutil.rmtree(full)
        elif os.listdir(full):
            return self.reset(stream, "NOT_EMPTY", "It is not empty.")
        else:
            os.rmdir(full)
        return self.accept(stream, {})

    def do_rename(self, stream, params):
        if self.role == "read":
            return self.reset(stream, "NOT_ALLOWED", "The role does not allow it.")
        source, to = self.resolve(stream, params.get("from")), os.path.join(self.server.root, params["to"])
        if not source:
            return None
        files = os.path.isfile(source) and os.path.isfile(to)
        if os.path.lexists(to) and not (files and params.get("overwrite")):
            return self.reset(stream, "EXISTS", f'"{params["to"]}" is there already.')
        os.makedirs(os.path.dirname(to), exist_ok=True)
        os.rename(source, to)
        return self.accept(stream, {})

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
    methods.update({"put": do_put, "digest": do_digest, "remove": do_remove, "rename": do_rename})


class Server:
    """All visitors in one loop, so that nothing needs a lock."""

    def __init__(self, options):
        self.options, self.root = options, os.path.realpath(options.folder)
        self.visitors, self.numbers = [], itertools.count(1)
        self.tokens, self.partials, self.answers, self.lost = {}, {}, 0, False
        self.secrets = dict(map(split_token, options.token or []))
        if options.unix:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(options.unix)
            self.listener.listen()
        else:
            self.listener = socket.create_server(("127.0.0.1", 0))
        emit("listening", port=0 if options.unix else self.listener.getsockname()[1], fingerprint=self.fingerprint)

    @property
    def fingerprint(self):
        if self.options.identity is None:
            return None
        with open(self.options.identity, encoding="ascii") as file:
            pem = re.search("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", file.read(), re.S)
        return fingerprint(ssl.PEM_cert_to_DER_cert(pem[0]))

    def name_for(self, token):
        """Handshake, 6: the name of who comes back, else a new one. A token is good for one time."""
        return self.tokens.pop(token, None) or f"Client{next(self.numbers):02}"

    def run(self):
        """Serve until standard input ends; the first broken rule ends it too."""
        while self.turn():
            pass

    def turn(self):
        """Move bytes once, for everybody; false at the end of standard input."""
        for one in self.visitors:
            one.flush()
        reading = [sys.stdin, self.listener, *(one.sock for one in self.visitors)]
        writing = [one.sock for one in self.visitors if one.out or one.sock.pending]
        patience = 0 if any(one.over for one in self.visitors) else self.options.heartbeat / 2
        ready, _, _ = select.select(reading, writing, [], patience)
        if self.listener in ready:
            sock = accept(self.listener.accept()[0], self.options.identity)
            self.visitors.append(Visitor(sock, self.options, self))
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
            if one.token and not one.goaway_in and not one.goaway_out:
                self.tokens[one.token] = one.name
            emit("left", name=one.name)

    def command(self, words):
        """Sessions: with "shutdown" everybody gets GOAWAY, and streams under way go on."""
        if words.strip() == b"shutdown":
            for one in self.visitors:
                one.goaway(ERRORS["SHUTDOWN"], "The peer stops.")
        return bool(words)
