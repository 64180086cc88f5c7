"""Frames and payloads of PROTOCOL.md: how they look, and which ones break a rule."""

import collections
import json
import re
import struct

MAGIC, FLAG_END, MAX_CREDIT, MAX_DEPTH, MAX_RECORD = 0xC5, 1, 2147483647, 32, 65536
BLOCK, MAX_ID = 1048576, 2**32 - 1
HEADER = struct.Struct(">BBHIII")
Rule = collections.namedtuple("Rule", "code scope least most flags")
Frame = collections.namedtuple("Frame", "name flags stream payload body")

OPCODES = {
    "HELLO": Rule(0x01, "session", 2, 4096, 0),
    "WELCOME": Rule(0x02, "session", 2, 4096, 0),
    "REFUSE": Rule(0x03, "session", 2, 4096, 0),
    "QUEUED": Rule(0x04, "session", 2, 4096, 0),
    "PING": Rule(0x05, "session", 8, 8, 0),
    "PONG": Rule(0x06, "session", 8, 8, 0),
    "GOAWAY": Rule(0x07, "session", 2, 4096, 0),
    "AUTH": Rule(0x08, "session", 2, 4096, 0),
    "OPEN": Rule(0x10, "stream", 2, 65536, FLAG_END),
    "ACCEPT": Rule(0x11, "stream", 2, 65536, FLAG_END),
    "DATA": Rule(0x12, "stream", 1, 1048576, 0),
    "CREDIT": Rule(0x13, "stream", 4, 4, 0),
    "END": Rule(0x14, "stream", 0, 65536, 0),
    "RESET": Rule(0x15, "stream", 2, 4096, 0),
    "WORKING": Rule(0x16, "stream", 0, 0, 0),
}
NAMES = {rule.code: name for name, rule in OPCODES.items()}
SESSION_ERRORS = """BAD_MAGIC UNSUPPORTED_VERSION BAD_HEADER FRAME_TOO_LARGE UNKNOWN_OPCODE UNEXPECTED_FRAME BAD_PAYLOAD
    BAD_STREAM CREDIT_EXCEEDED HANDSHAKE_TIMEOUT HEARTBEAT_TIMEOUT SERVER_FULL SHUTDOWN KICKED UNAVAILABLE
    TOKEN_REQUIRED ACCESS_DENIED THROTTLED TOO_MANY_SESSIONS IDLE_TIMEOUT"""
STREAM_ERRORS = """UNKNOWN_METHOD BAD_PARAMS NOT_FOUND BAD_PATH NOT_A_FILE NOT_ALLOWED CANCELLED INTERNAL CHANGED
    UNREADABLE NO_SUCH_CLIENT NOT_DELIVERED TOO_MANY_STREAMS EXISTS BUSY NO_SPACE DIGEST_MISMATCH NOT_EMPTY
    UNWRITABLE TOO_OFTEN QUOTA_EXCEEDED TOKEN_EXISTS NO_SUCH_TOKEN TOO_LARGE
    OVERLOADED"""
ERRORS = {name: code for code, name in enumerate(SESSION_ERRORS.split(), 1)}
ERRORS.update({name: code for code, name in enumerate(STREAM_ERRORS.split(), 32)})


class Violation(Exception):
    """The other side broke a rule of PROTOCOL.md."""

    def __init__(self, code, reason):
        super().__init__(f"{code}: {reason}")
        self.code = code


def require(holds, code, reason):
    """Raise the violation unless the rule holds."""
    if not holds:
        raise Violation(code, reason)


# Frames


def raw_frame(opcode, payload=b"", stream=0, flags=0, reserved=0):
    """Frames: a header and its payload, lawful or not."""
    return HEADER.pack(MAGIC, opcode, flags, stream, len(payload), reserved) + payload


def encode(name, payload=b"", stream=0, flags=0):
    """Frames: one frame; an object is sent as JSON."""
    if isinstance(payload, dict):
        payload = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
    return raw_frame(OPCODES[name].code, payload, stream, flags)


def check_header(header, unadmitted=False):
    """Frames, Checks: all of them in their order; returns name, flags, stream and length."""
    magic, opcode, flags, stream, length, reserved = HEADER.unpack(header)
    require(magic == MAGIC, "BAD_MAGIC", f"the magic is 0x{magic:02x}")
    require(opcode in NAMES, "UNKNOWN_OPCODE", f"the opcode is 0x{opcode:02x}")
    name = NAMES[opcode]
    rule = OPCODES[name]
    require(flags & ~rule.flags == 0, "BAD_HEADER", f"{name} has the flags 0x{flags:04x}")
    require(reserved == 0, "BAD_HEADER", f"{name} has {reserved} in the reserved bytes")
    require((stream == 0) == (rule.scope == "session"), "BAD_HEADER", f"{name} is on stream {stream}")
    most = min(rule.most, 4096) if unadmitted and name != "DATA" else rule.most
    require(length <= most, "FRAME_TOO_LARGE", f"{name} has {length} bytes")
    require(length >= rule.least, "BAD_HEADER", f"{name} has {length} bytes")
    return name, flags, stream, length


def parse_object(payload, what):
    """Payloads: one JSON object, UTF-8 without byte order mark, at most 32 deep; and what parsers differ about is none."""

    def digits(text):
        require(text.isdigit(), "BAD_PAYLOAD", f"{what} has the number {text}")
        return int(text)

    def once(members):
        names = [name for name, _ in members]
        require(len(names) == len(set(names)), "BAD_PAYLOAD", f"{what} names a member twice: {names}")
        return dict(members)

    numbers = dict.fromkeys(("parse_int", "parse_float", "parse_constant"), digits)
    try:
        value = json.loads(payload.decode("utf-8"), object_pairs_hook=once, **numbers)
        json.dumps(value, ensure_ascii=False).encode("utf-8")
        require(isinstance(value, dict), "BAD_PAYLOAD", f"{what} is no object: {payload[:200]!r}")
        require(depth(value) <= MAX_DEPTH, "BAD_PAYLOAD", f"{what} is nested too deep")
    except (ValueError, RecursionError) as error:
        raise Violation("BAD_PAYLOAD", f"{what} is no JSON: {error}") from error
    return value


def depth(value):
    """Payloads: how deep a JSON value is nested; {} is 1 deep."""
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if children is None else 1 + max(map(depth, children), default=0)


# Shapes


def number(least=0, most=2**53 - 1):
    """A whole number within bounds."""
    return lambda value: type(value) is int and least <= value <= most


def units(value):
    """Payloads: the length of a text in UTF-16 units."""
    return len(value.encode("utf-16-le", "surrogatepass")) // 2


def text(least=0, most=MAX_RECORD):
    """A text of so many UTF-16 units."""
    return lambda value: isinstance(value, str) and least <= units(value) <= most


def one_of(*values):
    """One of these values, of the same type."""
    return lambda value: any(value == one and type(value) is type(one) for one in values)


def either(*checks):
    """What any of the checks takes."""
    return lambda value: any(check(value) for check in checks)


def token_name(value):
    """Proof: the name of a token, or what a client calls itself."""
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", value) is not None


def array(check, most=MAX_RECORD):
    """An array of what the check takes."""
    return lambda value: isinstance(value, list) and len(value) <= most and all(map(check, value))


def fields(members):
    """Payloads: an object with these members; "?" marks an optional one, and unknown ones are ignored."""

    def holds(value, key, check):
        name = key.rstrip("?")
        return check(value[name]) if name in value else name != key

    return lambda value: isinstance(value, dict) and all(holds(value, *member) for member in members.items())


UNFINISHED = (b".commserver-part", b".commserver-journal", b".commserver-lock")


def valid_path(value, names=False):
    """Methods: whether a text is a repository path, and not that of an unfinished file; names: both named `names`."""
    if not isinstance(value, str) or re.search(r"[\x00-\x1f\x7f-\x9f]", value):
        return False
    if not names and re.search(r"\\|^[A-Za-z]:", value):
        return False
    parts = value.encode("utf-8", "surrogatepass").split(b"/")
    return len(value.encode("utf-8", "surrogatepass")) <= 4096 and len(parts) <= 128 and all(
        part not in (b"", b".", b"..") and len(part) <= 255 and not part.lower().endswith(UNFINISHED) for part in parts
    )


def any_path(value):
    """Methods: a path of any kind; who has not named `names` looks again."""
    return valid_path(value, names=True)


BOOLEAN, TIME, TIME_OR_NULL = one_of(True, False), number(), either(number(), one_of(None))
VERSIONS = fields({"min": number(), "max": number()})
CODED = {"code": number(), "message": text(0, 1024)}
GRANTS = {
    "agent": text(0, 128),
    "capabilities?": array(text(0, 128), 32),
    "credit": number(0, MAX_CREDIT),
    "maxStreams": number(1),
}
ROLES = ("read", "write", "operator")
MECHANISM = one_of("SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "CPACE-RISTR255-SHA512")
AUTH = fields({"mechanism": MECHANISM, "message": text(0, 1024)})
SHAPES = {
    "HELLO": fields(
        {"versions": VERSIONS, "auth?": AUTH, "wait?": BOOLEAN, "resume?": text(0, 64), "nick?": token_name, **GRANTS}
    ),
    "WELCOME": fields(
        {
            "version": number(),
            "name": text(0, 128),
            "token?": token_name,
            "role": one_of(*ROLES),
            "resume?": fields({"token": text(1, 64), "graceMs": number()}),
            **GRANTS,
        }
    ),
    "REFUSE": fields({**CODED, "versions?": VERSIONS}),
    "QUEUED": fields({"position": number(1)}),
    "AUTH": fields({"message": text(0, 1024)}),
    "GOAWAY": fields(CODED),
    "RESET": fields(CODED),
    "OPEN": fields({"method": text(1, 64), "params?": fields({})}),
    "ACCEPT": fields({}),
    "END": fields({}),
}
OTHER_NAMES = {"token?": token_name, "nick?": token_name}
PUSH = fields({"from": text(), **OTHER_NAMES, "to": text(), "text": text(1, 8192)})
KIND = one_of("file", "folder", "link", "other")
MODE = number(0, 0o777)
ENTRY = {"path": any_path, "kind": KIND, "size": number(), "modifiedAt": TIME, "mode?": MODE}
REASONS = ("exit", "lost", "kicked", "timeout", "idle", "revoked", "shutdown", "protocol error", "crash", None)
REASON = one_of(*REASONS)
FACTS = {"size": number(), "modifiedAt": TIME, "executable": BOOLEAN, "mode?": MODE, "etag": text(0, 128)}
SHA256 = fields({"sha256": lambda value: isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None})
COUNTERS = {key: number() for key in ("bytesIn", "bytesOut", "messagesIn", "messagesOut")}
WHO = {"name": text(), "address": text(), "startedAt": TIME}
RESULTS = {
    "status": fields(
        {
            "self": fields({**WHO, **OTHER_NAMES, "role": one_of(*ROLES)}),
            "here?": array(
                fields(
                    {
                        **WHO,
                        **OTHER_NAMES,
                        "role": one_of(*ROLES),
                        "doing": array(text(0, 128), 4),
                        "bytesIn": number(),
                        "bytesOut": number(),
                    }
                ),
                100,
            ),
            "server": fields({"agent": text(), "startedAt": TIME, "uptimeMs": number(), "draining": BOOLEAN}),
            "seats": fields({key: number() for key in ("max", "taken", "maxWaiting", "waiting")}),
            "total": number(),
            "sessions": array(
                fields({**WHO, **COUNTERS, "id": number(), "endedAt": TIME_OR_NULL, "reason": REASON}), 128
            ),
            "next": TIME_OR_NULL,
        }
    ),
    "stat": fields({**ENTRY, **FACTS}),
    "digest": lambda value: fields(FACTS)(value) and SHA256(value),
    "message": fields(
        {
            "text": text(),
            "delivered": array(text(), 1000),
            "failed": array(fields({"name": text(), "message": text()}), 100),
            "omitted?": number(1),
        }
    ),
    "issueToken": fields({"token": text(45, 108), "invite": text(1)}),
    "issueLink": fields({"name": text(1, 64), "expiresAt": TIME, "url": text(1)}),
}
TRAILERS = {
    "list": fields(
        {
            "entries": number(),
            "skipped": number(),
            "unreadable?": number(),
            "leftOut?": array(fields({"name": text(0, 1024), "code": number()}), 100),
        }
    ),
}
WITH_BODY = ("list", "get", "put", "watch", "unfinished", "events", "tokens", "links")
WITH_OPENER_BODY = ("get", "put")

TOKEN = fields({"name": text(1, 64), "role": one_of(*ROLES), "createdAt": TIME, "expiresAt": TIME_OR_NULL})

# Transfers


def range_of(value):
    """Transfers, put: a part of a file, from a block's first byte up to a block's end or the file's."""
    return array(number(), 2)(value) and len(value) == 2 and value[0] % BLOCK == 0 and value[0] < value[1]


REQUEST = fields(
    {
        "id": number(0, MAX_ID),
        "path": text(),
        "offset?": lambda value: number()(value) and value % BLOCK == 0,
        "length?": number(),
        "etag?": text(0, 128),
        "digest?": BOOLEAN,
        "holes?": BOOLEAN,
    }
)
FAILURE = fields(CODED)
OFFER = fields({"path": text(), "exists": one_of("fail", "skip", "overwrite", "rename"), **FACTS})
FILE = fields({**FACTS, "holes?": array(range_of, 1000)})


def file_shape(value):
    """Transfers, FILE: the facts, the digest where it was asked for, and holes that fit the file."""
    return FILE(value) and ("sha256" not in value or SHA256(value)) and holes_fit(value["size"], value.get("holes", []))


def holes_fit(size, holes):
    """Holes: they rise, do not overlap, and end at a block's end or the file's."""
    bounds = [0, *(bound for hole in holes for bound in hole)]
    return bounds == sorted(bounds) and all(end <= size and (end % BLOCK == 0 or end == size) for _, end in holes)


def within(offset, holes):
    """The end of the hole that a block is in; None when it is in none."""
    return next((end for start, end in holes if start <= offset < end), None)
STATES = {
    "ready": fields({"ranges": array(range_of)}),
    "done": fields({"path": any_path, "outcome": one_of("stored", "unchanged", "skipped")}),
    "failed": FAILURE,
}
CHANGES = {
    "added": fields(ENTRY),
    "changed": fields(ENTRY),
    "removed": fields({"path": any_path}),
    "missed": fields({"count": number(1)}),
}


def answer(value):
    """Transfers, put: an answer has an id, a state, and what that state has."""
    return fields({"id": number(0, MAX_ID), "state": one_of(*STATES)})(value) and STATES[value["state"]](value)


def change(value):
    """Methods, watch: a record has its kind of change, and what that has."""
    return fields({"change": one_of(*CHANGES)})(value) and CHANGES[value["change"]](value)
