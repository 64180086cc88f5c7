"""Sessions of PROTOCOL.md, for both sides: every frame that comes is judged before it is followed."""

import itertools
import json
import os
import struct
import time

from wire import (
    ERRORS,
    FLAG_END,
    HEADER,
    MAGIC,
    MAX_CREDIT,
    RESULTS,
    SHAPES,
    TRAILERS,
    WITH_BODY,
    WITH_OPENER_BODY,
    Frame,
    check_header,
    encode,
    parse_object,
    require,
)


def emit(event, **members):
    """Print one event."""
    print(json.dumps({"event": event, **members}, ensure_ascii=False), flush=True)


class Stream:
    """Streams: one request or push; "in" is the direction from the other side to us."""

    def __init__(self, stream_id, method, ours, in_balance, out_balance):
        self.id, self.method, self.ours = stream_id, method, ours
        self.in_balance, self.out_balance = in_balance, out_balance
        self.in_ended = self.out_ended = self.in_reset = self.out_reset = False
        self.result = self.trailer = self.error = None
        self.source = None
        self.window, self.sink, self.settled, self.input_ended = 0, lambda piece: None, lambda: None, lambda: None

    @property
    def closed(self):
        return self.in_reset or self.out_reset or (self.in_ended and self.out_ended)


class Session:
    """What both sides do. A class below says `serving`, `first_id` and `methods`."""

    FRAME_SIZES = (1, 3, 997, 4099, 16381, 7)
    PLACES = {
        (True, "hello"): ("HELLO",),
        (True, "proof"): ("AUTH",),
        (True, "queue"): ("PING", "PONG", "GOAWAY"),
        # WELCOME and QUEUED are refused where they come before the server's proof, with a code of their own.
        (False, "proof"): ("AUTH", "WELCOME", "QUEUED", "REFUSE"),
        (False, "answer"): ("WELCOME", "QUEUED", "REFUSE"),
        (False, "queue"): ("WELCOME", "QUEUED", "REFUSE", "PING", "PONG"),
    }

    def __init__(self, sock, options):
        self.sock, self.options = sock, options
        self.inbox, self.out, self.eof = bytearray(), bytearray(), False
        self.name, self.admitted, self.queued, self.lied = None, False, 0, False
        self.stage = "hello" if self.serving else "answer"
        self.streams, self.next_id, self.last_theirs, self.their_credit = {}, self.first_id, 0, 0
        self.features = set()
        self.pings, self.heard, self.missed = {}, time.monotonic(), 0
        self.goaway_in = self.goaway_out = None
        self.sizes = itertools.cycle(self.FRAME_SIZES)

    # Bytes

    def read(self):
        """Take what the pipe has; at its end nothing may be cut off."""
        try:
            data = self.sock.recv()
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        self.eof = not data
        require(not self.eof or not self.inbox, "BAD_HEADER", "the pipe ended inside a frame")
        self.heard, self.missed = time.monotonic(), 0
        self.inbox += data
        while self.take_frame():
            pass

    def take_frame(self):
        """Frames: judge the header, then the frame's place, then its payload."""
        require(not self.inbox or self.inbox[0] == MAGIC, "BAD_MAGIC", f"the bytes begin {bytes(self.inbox[:16])!r}")
        if len(self.inbox) < HEADER.size:
            return False
        name, flags, stream, length = check_header(self.inbox[: HEADER.size], self.serving and not self.admitted)
        if len(self.inbox) < HEADER.size + length:
            return False
        payload = bytes(self.inbox[HEADER.size : HEADER.size + length])
        del self.inbox[: HEADER.size + length]
        if self.lied and name not in ("AUTH", "GOAWAY"):
            return True
        require(self.in_place(name), "UNEXPECTED_FRAME", f"{name} {payload[:200]!r} has no place here")
        body = None
        if name in SHAPES and (payload or name != "END"):
            body = parse_object(payload, name)
            require(SHAPES[name](body), "BAD_PAYLOAD", f"{name} has the wrong shape: {body!r}")
        getattr(self, "on_" + name.lower())(Frame(name, flags, stream, payload, body))
        return True

    def in_place(self, name):
        """Handshake: what may come before WELCOME, from either side, and what may not come after it."""
        if self.admitted:
            return name not in ("HELLO", "AUTH", "WELCOME", "QUEUED", "REFUSE")
        return name in self.PLACES[self.serving, "queue" if self.queued else self.stage] or self.lied

    def send(self, name, payload=b"", stream=0, flags=0):
        self.out += encode(name, payload, stream, flags)

    def flush(self):
        """Send what the pipe takes; DATA is only made when nothing else waits."""
        try:
            while self.sock.pending or self.out or self.pump():
                del self.out[: self.sock.send(self.out)]
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:
            self.out.clear()

    def pump(self):
        """Credit: one DATA frame of an odd size for each stream that has credit; END takes none."""
        for stream in self.streams.values():
            if stream.source is None or stream.closed:
                continue
            piece = stream.source.read(min(next(self.sizes), stream.out_balance))
            if piece:
                stream.out_balance -= len(piece)
                self.send("DATA", piece, stream.id)
            elif stream.source.ended and stream.source.empty:
                self.send("END", stream.source.trailer(), stream.id)
                stream.source, stream.out_ended = None, True
                if stream.closed:
                    stream.settled()
        return bool(self.out)

    # Heartbeat

    def ping(self):
        """Send PING, and note how much DATA may still come ahead of its PONG: what was granted before."""
        nonce = os.urandom(8)
        self.pings[nonce] = {stream.id: stream.in_balance for stream in self.streams.values()}
        self.send("PING", nonce)
        return nonce

    def tick(self):
        """A sign of life is any byte; one silent interval asks for it, three end the session."""
        missed = int((time.monotonic() - self.heard) / self.options.heartbeat)
        require(missed < 3, "HEARTBEAT_TIMEOUT", f"nothing for {3 * self.options.heartbeat} s")
        if missed > self.missed and (self.admitted or self.queued):
            self.missed = missed
            self.ping()

    def on_ping(self, frame):
        self.send("PONG", frame.payload)

    def on_pong(self, frame):
        require(frame.payload in self.pings, "UNEXPECTED_FRAME", f"PONG {frame.payload.hex()} answers no PING")
        del self.pings[frame.payload]
        emit("pong", name=self.name)

    # Streams

    def open(self, method, params, source=None):
        """OPEN, with END when no body of ours follows; one that does need not wait for ACCEPT."""
        stream = Stream(self.next_id, method, True, self.options.credit, self.their_credit)
        self.streams[stream.id] = stream
        self.next_id += 2
        self.send("OPEN", {"method": method, "params": params}, stream.id, 0 if source else FLAG_END)
        stream.source, stream.out_ended = source, source is None
        return stream

    def accept(self, stream, result, source=None):
        self.send("ACCEPT", result, stream.id, 0 if source else FLAG_END)
        stream.result, stream.source, stream.out_ended = result, source, source is None

    def reset(self, stream, code, message):
        self.send("RESET", {"code": ERRORS[code], "message": message}, stream.id)
        stream.out_reset = True

    def known(self, frame):
        """The frame's stream. A side that has sent RESET has nothing more to say there."""
        stream = self.streams.get(frame.stream)
        require(stream is not None, "BAD_STREAM", f"{frame.name} for stream {frame.stream}, which was never opened")
        require(not stream.in_reset, "UNEXPECTED_FRAME", f"{frame.name} on stream {frame.stream} behind its RESET")
        return stream

    def on_open(self, frame):
        """Streams: an id of the right side, above those before; then what answers without ending the session."""
        require(frame.stream % 2 != self.first_id % 2, "BAD_STREAM", f"OPEN with our id {frame.stream}")
        require(frame.stream > self.last_theirs, "BAD_STREAM", f"OPEN {frame.stream} is not above {self.last_theirs}")
        require(self.goaway_in is None, "UNEXPECTED_FRAME", "OPEN behind GOAWAY")
        method = frame.body["method"]
        bodied = self.serving and method in WITH_OPENER_BODY
        require(frame.flags == FLAG_END or bodied, "UNEXPECTED_FRAME", f"OPEN without END: {method} has no body there")
        stream = Stream(frame.stream, method, False, self.options.credit, self.their_credit)
        self.streams[stream.id], self.last_theirs = stream, stream.id
        stream.in_ended = bool(frame.flags)
        if self.goaway_out is not None:
            return self.reset(stream, "SHUTDOWN", "The session ends.")
        if sum(not one.ours and not one.closed for one in self.streams.values()) > self.options.max_streams:
            emit("too many streams", name=self.name)
            return self.reset(stream, "TOO_MANY_STREAMS", "Too many streams.")
        if method not in self.methods:
            return self.reset(stream, "UNKNOWN_METHOD", f'There is no method "{method}".')
        return self.methods[method](self, stream, frame.body.get("params", {}))

    def on_accept(self, frame):
        stream = self.known(frame)
        require(stream.ours, "UNEXPECTED_FRAME", "ACCEPT from the opener")
        require(stream.result is None, "UNEXPECTED_FRAME", f"a second ACCEPT on stream {stream.id}")
        body = stream.method in WITH_BODY
        require(body != bool(frame.flags), "BAD_HEADER", f"the flag END on ACCEPT of {stream.method}")
        right = self.serving or RESULTS.get(stream.method, SHAPES["ACCEPT"])(frame.body)
        require(right, "BAD_PAYLOAD", f"the result of {stream.method} has the wrong shape: {frame.body!r}")
        stream.result, stream.in_ended = frame.body, not body
        self.grant(stream)
        if stream.closed:
            stream.settled()

    def on_data(self, frame):
        stream, size = self.known(frame), len(frame.payload)
        require(not stream.in_ended, "UNEXPECTED_FRAME", f"DATA behind END on stream {stream.id}")
        require(not stream.ours or stream.result is not None, "UNEXPECTED_FRAME", "DATA before ACCEPT")
        require(size <= stream.in_balance, "CREDIT_EXCEEDED", f"DATA of {size} with {stream.in_balance} left")
        stream.in_balance -= size
        for budget in self.pings.values():
            budget[stream.id] = budget.get(stream.id, MAX_CREDIT) - size
            require(budget[stream.id] >= 0, "UNEXPECTED_FRAME", "PONG stays behind DATA of later credit")
        if not stream.closed:
            stream.sink(frame.payload)
            self.grant(stream)

    def grant(self, stream):
        """Credit: fill the window again when half of it is gone."""
        if stream.window and not stream.in_ended and stream.in_balance <= stream.window // 2:
            self.send("CREDIT", struct.pack(">I", stream.window - stream.in_balance), stream.id)
            stream.in_balance = stream.window

    def on_credit(self, frame):
        stream, (amount,) = self.known(frame), struct.unpack(">I", frame.payload)
        require(amount > 0, "CREDIT_EXCEEDED", "a CREDIT of 0")
        stream.out_balance += amount
        require(
            stream.closed or stream.out_balance <= MAX_CREDIT, "CREDIT_EXCEEDED", f"a balance of {stream.out_balance}"
        )

    def on_end(self, frame):
        stream = self.known(frame)
        require(not stream.in_ended, "UNEXPECTED_FRAME", f"a second END on stream {stream.id}")
        require(not stream.ours or stream.result is not None, "UNEXPECTED_FRAME", "END before ACCEPT")
        early = stream.ours and stream.method in WITH_OPENER_BODY and not stream.out_ended
        require(not early or stream.closed, "UNEXPECTED_FRAME", f"END of {stream.method} ahead of ours")
        right = TRAILERS.get(stream.method, lambda trailer: True)(frame.body)
        require(right, "BAD_PAYLOAD", f"the trailer has the wrong shape: {frame.body!r}")
        stream.trailer, stream.in_ended = frame.body, True
        if not stream.out_reset:
            stream.input_ended()
        if stream.closed and not stream.out_reset:
            stream.settled()

    def on_reset(self, frame):
        stream = self.known(frame)
        stream.in_reset, stream.error = True, frame.body
        stream.settled()

    # Sessions

    def goaway(self, code, message):
        self.goaway_out = {"code": code, "message": message}
        self.send("GOAWAY", self.goaway_out)

    def on_goaway(self, frame):
        require(self.goaway_in is None, "UNEXPECTED_FRAME", "a second GOAWAY")
        self.goaway_in = frame.body
        emit("goaway", name=self.name, code=frame.body["code"], message=frame.body["message"])

    def break_off(self, violation):
        """Violations: one last frame with the code; the caller ends the pipe."""
        last = "REFUSE" if self.serving and not self.admitted else "GOAWAY"
        self.send(last, {"code": ERRORS[violation.code], "message": str(violation)[:1024]})
        self.flush()

    @property
    def over(self):
        """Sessions: whether the pipe is to be closed now."""
        codes = [one["code"] for one in (self.goaway_in, self.goaway_out) if one is not None]
        busy = any(not stream.closed for stream in self.streams.values())
        return self.eof or any(code not in (0, ERRORS["SHUTDOWN"]) for code in codes) or (bool(codes) and not busy)

