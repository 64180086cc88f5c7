"""Transfers, put: chunks in one direction, answers in the other, in one stream."""

import itertools
import json
import os

from chunks import KINDS, Body, Records, blocks_of, encode_chunk, holes_in, pack_header, raw_chunk
from session import emit
from wire import BLOCK, answer, require, within

OFFERED = {"path": "lie", "exists": "fail", "size": 3 * BLOCK, "modifiedAt": 0, "executable": False, "etag": ""}
# Chunks that no client may send.
CHUNK_LIES = {
    "kind": lambda: raw_chunk(9, 1),
    "kind-0": lambda: raw_chunk(0, 1),
    "offset": lambda: pack_header(3 << 24, 1, 1, 0),
    "file-offset": lambda: raw_chunk(1, 1, b"{}", BLOCK),
    "empty-block": lambda: raw_chunk(2, 1),
    "long-file": lambda: pack_header(1 << 24 | 65537, 1, 0, 0),
    "long-block": lambda: pack_header(2 << 24 | BLOCK + 1, 1, 0, 0),
    "sealed-bytes": lambda: raw_chunk(3, 1, b"x"),
    "no-json": lambda: raw_chunk(1, 1, b"abc"),
    "no-facts": lambda: raw_chunk(1, 1, b'{"path":"x","exists":"fail"}'),
    "damaged-file": lambda: encode_chunk("FILE", 1, {"path": "x"}, flip=1),
    "damaged-seal": lambda: encode_chunk("SEAL", 1, flip=1),
    "short-block": lambda: encode_chunk("FILE", 1, OFFERED) + encode_chunk("BLOCK", 1, b"x"),
    "far-block": lambda: encode_chunk("FILE", 1, OFFERED) + encode_chunk("BLOCK", 1, b"x", 99 * BLOCK),
    "second-file": lambda: 2 * encode_chunk("FILE", 1, OFFERED),
    "lower-file": lambda: encode_chunk("FILE", 1, OFFERED) + encode_chunk("FILE", 0, OFFERED),
    "folder-of-file": lambda: encode_chunk("FILE", 1, OFFERED) + encode_chunk("FOLDER", 1, {"path": "docs"}),
    "no-etag": lambda: encode_chunk("FILE", 1, {key: OFFERED[key] for key in OFFERED if key != "etag"}),
    "no-executable": lambda: encode_chunk("FILE", 1, {key: OFFERED[key] for key in OFFERED if key != "executable"}),
    "old-file": lambda: encode_chunk("FILE", 1, {**OFFERED, "modifiedAt": -1}),
    "twice-named": lambda: raw_chunk(1, 1, json.dumps(OFFERED).encode()[:-1] + b',"path":"up"}'),
    "unknown-block": lambda: encode_chunk("BLOCK", 1, b"x"),
    "unknown-seal": lambda: encode_chunk("SEAL", 1),
    "unknown-fail": lambda: encode_chunk("FAIL", 1, {"code": 40, "message": ""}),
    "wordless-fail": lambda: encode_chunk("FILE", 1, OFFERED) + encode_chunk("FAIL", 1, {"code": 40}),
}


def facts_of(file, modes):
    info = os.stat(file)
    facts = {"size": info.st_size, "modifiedAt": info.st_mtime_ns // 1000000}
    if modes:
        facts["mode"] = info.st_mode & 0o777
    return {**facts, "executable": bool(info.st_mode & 0o100), "etag": f"{info.st_size}-{info.st_mtime_ns}"}


class Job:
    """One file (or folder) on its way."""

    def __init__(self, file_id, path, facts, content, held):
        self.id, self.path, self.facts, self.content, self.held = file_id, path, facts, content, held
        self.answers, self.over, self.holes = [], False, []


class Putting:
    """One stream of `put`."""

    def __init__(self, session):
        self.features = session.features
        self.body, self.ids, self.jobs, self.modes = Body(), itertools.count(5, 4), {}, session.options.modes
        self.stream = session.open("put", {}, self.body)
        self.records = Records(self.take)
        self.stream.sink, self.stream.window = self.records, session.options.window

    # What is sent

    def offer(self, path, file, exists="fail", held=False):
        """FILE; a file of one block or less goes at once behind it, unless it is held."""
        facts = facts_of(file, self.modes)
        with open(file, "rb") as source:
            job = self.add(path, facts, source.read(), held)
        told = {}
        if "holes" in self.features and facts["size"] > BLOCK:
            job.holes = holes_in(job.content)
            told = {"holes": job.holes}
        self.chunk(job, "FILE", {"path": path, "exists": exists, **facts, **told, "later": None})
        if facts["size"] <= BLOCK and not held:
            self.send(job, 0, facts["size"])
            self.chunk(job, "SEAL")
        return job

    def folder(self, path, mode=None):
        job = self.add(path, {"size": 0}, b"", False)
        self.chunk(job, "FOLDER", {"path": path, **({} if mode is None else {"mode": int(mode, 8)})})
        return job

    def lying_job(self):
        job = self.jobs[1] = Job(1, "lie", OFFERED, b"", True)
        return job

    def add(self, path, facts, content, held):
        job = Job(next(self.ids), path, facts, content, held)
        self.jobs[job.id] = job
        return job

    def chunk(self, job, name, payload=b"", offset=0, flip=0):
        require(name in KINDS, "BAD_PAYLOAD", name)
        self.body.add(encode_chunk(name, job.id, payload, offset, flip))

    def send(self, job, start, end, flip=0):
        for offset, block in blocks_of(job.content, start, end):
            self.chunk(job, "BLOCK", block, offset, flip)

    def job(self, path):
        """The newest unfinished job of that path."""
        return next(job for job in reversed(self.jobs.values()) if job.path == path and not job.over)

    # What is answered

    def take(self, record):
        require(answer(record), "BAD_PAYLOAD", f"an answer has the wrong shape: {record!r}")
        job, state = self.jobs.get(record["id"]), record["state"]
        require(job is not None, "BAD_PAYLOAD", f"an answer for nothing: {record!r}")
        require(not job.over, "BAD_PAYLOAD", f"an answer for what is over: {record!r}")
        job.answers.append(record)
        job.over = state != "ready"
        emit(state, **{"path": job.path, **record, "asked": job.path})
        if state == "ready":
            self.check_ranges(job, record["ranges"])
            if not job.held:
                for start, end in record["ranges"]:
                    self.send(job, start, end)
                self.chunk(job, "SEAL")

    def check_ranges(self, job, ranges):
        """Parts of the file, in blocks; in rising order, and none twice."""
        size, at = job.facts["size"], 0
        for start, end in ranges:
            right = at <= start < end <= size and (end % BLOCK == 0 or end == size)
            require(right, "BAD_PAYLOAD", f"the ranges {ranges} of {size} bytes")
            holes = [offset for offset in range(start, end, BLOCK) if within(offset, job.holes) is not None]
            require(not holes, "BAD_PAYLOAD", f"the ranges {ranges} have blocks of holes: {holes}")
            at = end

    def answered(self, *jobs):
        """Whether the jobs are over."""
        return self.stream.closed or all(job.over for job in jobs or self.jobs.values())
