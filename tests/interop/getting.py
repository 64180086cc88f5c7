"""Transfers, get: requests in one direction, chunks in the other, in one stream."""

import collections
import hashlib
import itertools
import os

from chunks import Body, ChunkReader
from session import emit
from wire import BLOCK, require, within


class Part:
    """One request and what its answer has come to."""

    def __init__(self, file_id, path, target, content, asked, features):
        self.id, self.path, self.target, self.content, self.asked = file_id, path, target, content, asked
        self.facts, self.next, self.end, self.damaged, self.features = None, 0, 0, [], features

    def begin(self, facts):
        require(self.facts is None, "BAD_PAYLOAD", f"a second FILE of {self.path}")
        right = self.asked.get("etag", facts["etag"]) == facts["etag"]
        require(right, "BAD_PAYLOAD", f"FILE has the etag {facts['etag']}, asked was {self.asked.get('etag')}")
        self.facts, self.next = facts, self.asked.get("offset", 0)
        require(self.next <= facts["size"], "BAD_PAYLOAD", "FILE where FAIL has its place")
        self.end = min(facts["size"], self.next + self.asked.get("length", facts["size"]))
        digest = self.asked.get("digest") is True and "digests" in self.features
        require(digest == ("sha256" in facts), "BAD_PAYLOAD", f"a digest was asked for: {digest}; {facts!r}")
        holes = self.asked.get("holes") is True and "holes" in self.features
        require(holes or "holes" not in facts, "BAD_PAYLOAD", f"holes were not asked for: {facts!r}")
        self.skip()

    def skip(self):
        """Holes: their blocks are zeros, and do not come."""
        hole = within(self.next, self.facts.get("holes", []))
        while hole is not None and self.next < self.end:
            size = min(BLOCK, self.end - self.next)
            self.content[self.next] = bytes(size)
            self.next += size
            hole = within(self.next, self.facts["holes"])

    def block(self, chunk):
        """The blocks come in rising order, each whole but for the part's last."""
        right = self.facts is not None and chunk.offset == self.next < self.end
        require(right, "BAD_PAYLOAD", f"BLOCK at {chunk.offset} of {self.path}, not {self.next}")
        size = min(BLOCK, self.end - self.next)
        require(len(chunk.payload) == size, "BAD_PAYLOAD", f"BLOCK of {len(chunk.payload)}, not {size}")
        self.next += size
        if chunk.whole:
            self.content[chunk.offset] = chunk.payload
        else:
            self.damaged.append((chunk.offset, size))
        self.skip()

    def seal(self):
        right = self.facts is not None and self.next == self.end
        require(right, "BAD_PAYLOAD", f"SEAL of {self.path} at {self.next} of {self.end}")


class Getting:
    """One stream of `get`."""

    def __init__(self, session, window):
        self.body, self.ids, self.size, self.frames = Body(), itertools.count(7, 3), 0, 0
        self.features = session.features
        self.waiting, self.results, self.reader = collections.deque(), [], ChunkReader(self.take)
        self.stream = session.open("get", {}, self.body)
        self.stream.sink, self.stream.window = self, window

    def __call__(self, piece):
        self.size, self.frames = self.size + len(piece), self.frames + 1
        self.reader(piece)

    def request(self, path, target=os.devnull, content=None, **asked):
        part = Part(next(self.ids), path, target, {} if content is None else content, asked, self.features)
        self.waiting.append(part)
        self.body.record({"id": part.id, "path": path, **asked, "later": None})

    def take(self, chunk):
        """The server answers each request in turn."""
        require(bool(self.waiting), "BAD_PAYLOAD", f"{chunk.name} of {chunk.id}, and nothing was asked")
        part = self.waiting[0]
        require(chunk.id == part.id, "BAD_PAYLOAD", f"{chunk.name} of {chunk.id} in the answer for {part.id}")
        # It offers nothing of what it has, so nothing is patched.
        require(chunk.name not in ("FOLDER", "PATCH"), "BAD_PAYLOAD", f"{chunk.name} in a get")
        if chunk.name == "FILE":
            part.begin(chunk.body)
        elif chunk.name == "BLOCK":
            part.block(chunk)
        else:
            self.waiting.popleft()
            if chunk.name == "SEAL":
                part.seal()
                self.finish(part)
            else:
                emit("failed", path=part.path, **chunk.body)

    def finish(self, part):
        """What is damaged is asked for again; what is whole is written down."""
        for offset, size in part.damaged:
            emit("damaged", path=part.path, offset=offset)
            self.request(part.path, part.target, part.content, offset=offset, length=size, etag=part.facts["etag"])
        if part.damaged:
            return
        content = b"".join(part.content[offset] for offset in sorted(part.content))
        mode = part.facts.get("mode", 0o666)
        with open(part.target, "wb", opener=lambda path, flags: os.open(path, flags, mode)) as file:
            file.write(content)
        sha256 = hashlib.sha256(content).hexdigest()
        told = part.facts.get("sha256")
        whole = len(content) == part.facts["size"]
        require(told is None or not whole or told == sha256, "DIGEST_MISMATCH", f"{told} of {part.path}, not {sha256}")
        emit("got", path=part.path, **{**part.facts, "bytes": len(content), "sha256": sha256, "told": told})

    def end(self):
        """No more requests; the body ends when the last one is on its way."""
        self.body.finish()

    @property
    def settled(self):
        return self.stream.closed or not self.waiting
