"""What a server that lies sends, each thing against one rule of PROTOCOL.md."""

import json
import struct

from chunks import blocks_of, encode_chunk, pack_header, raw_chunk
from wire import BLOCK, ERRORS, FLAG_END, HEADER, MAGIC, MAX_CREDIT, encode, raw_frame, within

DEEP = b'{"a":' + b"[" * 32 + b"]" * 32 + b"}"
FULL_CREDIT = struct.pack(">I", MAX_CREDIT)
HUGE = {"size": 64 * BLOCK, "modifiedAt": 0, "executable": False, "etag": "huge"}


def welcome(name, credit, max_streams):
    """Handshake, 4: the members of WELCOME, and one of a later version."""
    members = {"version": 1, "name": name, "role": "read", "agent": "peer.py", "capabilities": ["later"]}
    return {**members, "credit": credit, "maxStreams": max_streams, "later": 1}


def flood(stream_id, request_id):
    """An answer of 64 MiB at once, lawful but for the credit that it does not wait for."""
    body = encode_chunk("FILE", request_id, HUGE) + b"".join(
        encode_chunk("BLOCK", request_id, bytes(BLOCK), number * BLOCK) for number in range(64)
    )
    return b"".join(encode("DATA", body[at : at + BLOCK], stream_id) for at in range(0, len(body), BLOCK))


# What stands in place of the ACCEPT of `get`, made from the stream's id.
FRAME_LIES = {
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
    "second-accept": lambda one: 2 * encode("ACCEPT", {}, one),
    "second-goaway": lambda one: 2 * encode("GOAWAY", {"code": ERRORS["SHUTDOWN"], "message": "The peer stops."}),
    "never-opened": lambda one: encode("CREDIT", FULL_CREDIT, one + 200),
    "odd-open": lambda one: encode("OPEN", {"method": "message"}, one + 200, FLAG_END),
    "same-open": lambda one: 2 * encode("OPEN", {"method": "nope"}, 2, FLAG_END),
    "zero-credit": lambda one: encode("CREDIT", bytes(4), one),
    "high-credit": lambda one: 2 * encode("CREDIT", FULL_CREDIT, one),
    "no-object": lambda one: encode("ACCEPT", b"[1]", one),
    "no-utf8": lambda one: encode("ACCEPT", b'{"a":"\xff"}', one),
    "byte-order-mark": lambda one: encode("ACCEPT", b"\xef\xbb\xbf{}", one),
    "too-deep": lambda one: encode("ACCEPT", DEEP, one),
    "named-twice": lambda one: encode("ACCEPT", b'{"a":1,"\\u0061":2}', one),
    "odd-number": lambda one: encode("ACCEPT", b'{"a":-1}', one),
    "half-pair": lambda one: encode("ACCEPT", b'{"a":"\\ud83d"}', one),
    "missing-member": lambda one: encode("GOAWAY", {"code": 0}),
    "wrong-kind": lambda one: encode("RESET", {"code": "12", "message": ""}, one),
}
# What stands in place of WELCOME.
WELCOME_LIES = {
    "garbage": lambda: b"220 mail.example.org ESMTP\r\n",
    "early-accept": lambda: encode("ACCEPT", {}, 1, FLAG_END),
    "early-ping": lambda: encode("PING", bytes(8)),
    "unasked-queue": lambda: encode("QUEUED", {"position": 1}),
    "other-version": lambda: encode("WELCOME", {**welcome("Client01", 1, 1), "version": 2}),
    "no-credit": lambda: encode("WELCOME", {"version": 1, "name": "Client01", "role": "read", "agent": ""}),
}


def answer_to(request, facts, content, flip_at=None):
    """Transfers, get: an honest answer, but for the digest of one block."""
    start = request.get("offset", 0)
    end = min(len(content), start + request.get("length", len(content)))
    one = request["id"]
    blocks = [
        encode_chunk("BLOCK", one, block, offset, int(offset == flip_at))
        for offset, block in blocks_of(content, start, end)
        if within(offset, facts.get("holes", [])) is None
    ]
    return [encode_chunk("FILE", one, facts), *blocks, encode_chunk("SEAL", one)]


def twice_named(name, file_id, body):
    """A chunk whose JSON has each member twice, with the same value."""
    members = json.dumps(body)[1:-1]
    return encode_chunk(name, file_id, f"{{{members},{members}}}".encode())


def failure(request, code, message):
    return encode_chunk("FAIL", request["id"], {"code": code, "message": message})


def other_id(request, facts, content, times):
    file, _, *rest = answer_to(request, facts, content)
    return [file, encode_chunk("BLOCK", request["id"] ^ 0x10000, content[:BLOCK]), *rest]


def other_offset(request, facts, content, times):
    """The first block under the offset of the second, once: the number of the block is in the digest."""
    if times > 1:
        return answer_to(request, facts, content)
    file, first, _, *rest = answer_to(request, facts, content)
    return [file, first, first[:8] + BLOCK.to_bytes(8, "big") + first[16:], *rest]


def other_etag(request, facts, content, times):
    """The first answer is damaged; the second is of another file of the same size."""
    if times == 1:
        return answer_to(request, facts, content, BLOCK)
    return answer_to(request, {**facts, "etag": "another"}, bytes(len(content)))


def lying_size(by):
    return lambda request, facts, content, times: answer_to(request, {**facts, "size": facts["size"] + by}, content)


def instead(place, make, last=True):
    """The honest answer with one chunk replaced, and without all behind it when it is the last."""

    def lie(request, facts, content, times):
        chunks = answer_to(request, facts, content)
        return [*chunks[:place], make(request, facts, content), *([] if last else chunks[place:][1:])]

    return lie


# What stands in place of the answer to a request; `times` counts the answers of this server, from 1 on.
ANSWER_LIES = {
    "damaged-once": lambda one, facts, content, times: answer_to(one, facts, content, BLOCK if times == 1 else None),
    "damaged": lambda one, facts, content, times: answer_to(one, facts, content, BLOCK),
    "odd-offset": instead(1, lambda one, facts, content: raw_chunk(2, one["id"], b"x", 5)),
    "far-offset": instead(1, lambda one, facts, content: encode_chunk("BLOCK", one["id"], b"x", 99 * BLOCK), False),
    "other-offset": other_offset,
    "other-id": other_id,
    "early-seal": instead(2, lambda one, facts, content: encode_chunk("SEAL", one["id"])),
    "other-etag": other_etag,
    "unknown-fail": instead(2, lambda one, facts, content: failure(one, 999, "The moon is full.")),
    "changed": instead(2, lambda one, facts, content: failure(one, ERRORS["CHANGED"], "The file changed.")),
    "long": lying_size(1),
    "short": lying_size(-1),
    "damaged-file": instead(0, lambda one, facts, content: encode_chunk("FILE", one["id"], facts, flip=1)),
    "damaged-seal": instead(-1, lambda one, facts, content: encode_chunk("SEAL", one["id"], flip=1)),
    "second-file": instead(
        1, lambda one, facts, content: encode_chunk("FILE", one["id"], {**facts, "etag": "two"}), False
    ),
    "no-file": lambda one, facts, content, times: answer_to(one, facts, content)[1:],
    "no-size": instead(0, lambda one, facts, content: encode_chunk("FILE", one["id"], {"etag": ""})),
    "file-named-twice": instead(0, lambda one, facts, content: twice_named("FILE", one["id"], {**facts, "size": 3})),
    "old-file": instead(0, lambda one, facts, content: encode_chunk("FILE", one["id"], {**facts, "modifiedAt": -1})),
    "file-no-json": instead(0, lambda one, facts, content: raw_chunk(1, one["id"], b"abc")),
    "chunk-kind": instead(1, lambda one, facts, content: raw_chunk(9, one["id"], b"abc")),
    "folder": instead(1, lambda one, facts, content: encode_chunk("FOLDER", one["id"], {"path": "docs"})),
    "long-block": instead(1, lambda one, facts, content: pack_header(2 << 24 | BLOCK + 1, one["id"], 0, 0)),
    "short-block": instead(
        1, lambda one, facts, content: encode_chunk("BLOCK", one["id"], content[: BLOCK - 1]), False
    ),
    "empty-block": instead(1, lambda one, facts, content: raw_chunk(2, one["id"])),
    "full-seal": instead(-1, lambda one, facts, content: raw_chunk(3, one["id"], b"x")),
}
# The pipe ends in the middle of a body, once or each time; or more comes than was granted.
CUTS = ("vanish", "vanish-once", "over-credit")
# What a listing of a folder holds beside what is there.
LIST_LIES = {
    "list-climb": "docs/../../evil",
    "list-above": "../evil",
    "list-absolute": "/tmp/commserver-interop-evil",
    "list-empty-part": "docs//evil",
    "list-dot": "docs/./evil",
    "list-backslash": "docs\\..\\..\\evil",
    "list-control": "docs/evil\n",
    "list-elsewhere": "other/evil",
    "list-sibling": "docsevil",
    "list-unfinished": "docs/evil.commserver-part",
    "list-itself": "docs",
}
# What is wrong about the answers to `put`.
PUT_LIES = ("lost-once", "lost", "odd-range", "far-range", "empty-range", "unknown-state", "unknown-code")
LIES = (*FRAME_LIES, *WELCOME_LIES, *ANSWER_LIES, *CUTS, *LIST_LIES, *PUT_LIES)
