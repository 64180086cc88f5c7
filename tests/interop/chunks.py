"""Transfers, Chunks: how files look inside bodies, and which chunks break a rule."""

import collections
import json
import struct

from wire import BLOCK, FAILURE, MAX_RECORD, MODE, fields, file_shape, parse_object, require, text, within
from xxh3 import xxh3

HEADER = struct.Struct(">IIIIQ")
Kind = collections.namedtuple("Kind", "code most shape")
Chunk = collections.namedtuple("Chunk", "name id offset payload body whole")

KINDS = {
    "FILE": Kind(1, 65536, file_shape),
    "BLOCK": Kind(2, BLOCK, None),
    "SEAL": Kind(3, 0, None),
    "FAIL": Kind(4, 65536, FAILURE),
    "FOLDER": Kind(5, 65536, fields({"path": text(), "mode?": MODE})),
    "PATCH": Kind(6, 1032216, None),
}
# Chunks of a block of the file.
OF_BLOCK = ("BLOCK", "PATCH")
NAMES = {kind.code: name for name, kind in KINDS.items()}


def raw_chunk(code, file_id, payload=b"", offset=0, flip=0):
    """A chunk, lawful or not; `flip` damages its digest."""
    digest = xxh3(payload, offset // BLOCK & 0xFFFFFFFF) ^ flip
    return pack_header(code << 24 | len(payload), file_id, offset // BLOCK, digest) + payload


def pack_header(first, file_id, number, digest):
    """A header with the check of its other bytes."""
    bare = struct.pack(">IIIQ", first, file_id, number, digest)
    return bare[:12] + struct.pack(">I", xxh3(bare, 0) & 0xFFFFFFFF) + bare[12:]


def encode_chunk(name, file_id, payload=b"", offset=0, flip=0):
    """One chunk; an object is sent as JSON."""
    if isinstance(payload, dict):
        payload = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
    return raw_chunk(KINDS[name].code, file_id, payload, offset, flip)


def check_chunk(header):
    """Judge a header; returns name, length, id, offset and digest."""
    first, file_id, number, check, digest = HEADER.unpack(header)
    bare = bytes(header[:12]) + bytes(header[16:])
    require(xxh3(bare, 0) & 0xFFFFFFFF == check, "DIGEST_MISMATCH", "a header is damaged")
    offset = number * BLOCK
    code, length = first >> 24, first & 0xFFFFFF
    require(code in NAMES, "BAD_PAYLOAD", f"the kind of a chunk is {code}")
    name = NAMES[code]
    least = {"BLOCK": 1, "SEAL": 0, "PATCH": 24}.get(name, 2)
    require(least <= length <= KINDS[name].most, "BAD_PAYLOAD", f"{name} has {length} bytes")
    require(offset == 0 or name in OF_BLOCK, "BAD_PAYLOAD", f"{name} has the offset {offset}")
    return name, length, file_id, offset, digest


class ChunkReader:
    """Chunks out of DATA, however they were cut; `take` gets each one that its digest allows."""

    def __init__(self, take):
        self.rest, self.take = bytearray(), take

    def __call__(self, piece):
        self.rest += piece
        while len(self.rest) >= HEADER.size:
            name, length, file_id, offset, digest = check_chunk(self.rest[: HEADER.size])
            if len(self.rest) < HEADER.size + length:
                return
            payload = bytes(self.rest[HEADER.size : HEADER.size + length])
            del self.rest[: HEADER.size + length]
            whole = xxh3(payload, offset // BLOCK & 0xFFFFFFFF) == digest
            require(whole or name in OF_BLOCK, "DIGEST_MISMATCH", f"{name} of {file_id} is damaged")
            body, shape = None, KINDS[name].shape
            if shape is not None:
                body = parse_object(payload, name)
                require(shape(body), "BAD_PAYLOAD", f"{name} has the wrong shape: {body!r}")
            self.take(Chunk(name, file_id, offset, payload, body, whole))


class Records:
    """Bodies of records: JSON objects, each with a line feed behind it."""

    def __init__(self, take=None):
        self.rest, self.all = b"", []
        self.take = take or self.all.append

    def __call__(self, piece):
        *lines, self.rest = (self.rest + piece).split(b"\n")
        require(max(map(len, [*lines, self.rest])) < MAX_RECORD, "BAD_PAYLOAD", "a record is too long")
        for line in lines:
            self.take(parse_object(line, "a record"))


class Body:
    """A body to be sent: bytes that are added as they become known, until it is ended."""

    def __init__(self, *pieces, trailer=b"", ended=False):
        self.pieces, self.at, self.end, self.ended = collections.deque(pieces), 0, trailer, ended
        self.sent = 0

    def add(self, piece):
        self.pieces.append(piece)

    def record(self, value):
        self.add(json.dumps(value, ensure_ascii=False).encode() + b"\n")

    def finish(self):
        self.ended = True

    @property
    def empty(self):
        return not self.pieces

    def read(self, size):
        """At most so many bytes; none when nothing waits."""
        if size == 0 or not self.pieces:
            return b""
        piece = self.pieces[0][self.at : self.at + size]
        self.at += len(piece)
        self.sent += len(piece)
        if self.at == len(self.pieces[0]):
            self.pieces.popleft()
            self.at = 0
        return piece

    def trailer(self):
        return self.end


def blocks_of(content, start=0, end=None):
    """The blocks of a part of a file, as (offset, bytes)."""
    end = len(content) if end is None else min(end, len(content))
    return [(offset, content[offset : min(offset + BLOCK, end)]) for offset in range(start, end, BLOCK)]


def holes_in(content):
    """Holes: the runs of whole blocks of zeros, as they are told."""
    holes = []
    for offset, block in blocks_of(content):
        if any(block):
            continue
        if holes and holes[-1][1] == offset:
            holes[-1][1] += len(block)
        else:
            holes.append([offset, offset + len(block)])
    return holes[:1000]


def filled_holes(size, holes):
    """The blocks that do not come."""
    return {at: bytes(min(BLOCK, size - at)) for at in range(0, size, BLOCK) if within(at, holes) is not None}


def check_chunk_vectors(blocks):
    """Every chunk of the page is read and written again."""
    for block in blocks:
        title, content, *lines = block.split("\n")
        payload = bytes.fromhex(content.removeprefix("payload hex").removeprefix("payload empty"))
        data, found = bytes.fromhex("".join(lines)), []
        ChunkReader(found.append)(data)
        require(len(found) == 1 and found[0].whole, "BAD_PAYLOAD", f"not one chunk: {title}")
        name, file_id, offset = found[0][:3]
        said = f"{name} id={file_id} offset={offset} length={len(found[0].payload)}"
        require(said == title and found[0].payload == payload, "BAD_PAYLOAD", f"{title} is {said}")
        require(encode_chunk(name, file_id, payload, offset) == data, "BAD_PAYLOAD", f"not the bytes of {title}")
