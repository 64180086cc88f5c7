"""The server's side of `get` and `put`."""

import hashlib
import os

from chunks import Body, ChunkReader, Records, filled_holes, holes_in
from lies import ANSWER_LIES, answer_to, failure, flood
from session import emit
from wire import BLOCK, ERRORS, OFFER, REQUEST, require, valid_path


def facts_at(full, modes=False):
    """Transfers: the facts of a file."""
    info = os.stat(full)
    facts = {"size": info.st_size, "modifiedAt": info.st_mtime_ns // 1000000}
    if modes:
        facts["mode"] = info.st_mode & 0o777
    return {**facts, "executable": bool(info.st_mode & 0o100), "etag": f"{info.st_size}-{info.st_mtime_ns}"}


class GetAnswers:
    """Transfers, get: requests in their turn."""

    def __init__(self, visitor, stream):
        self.visitor, self.stream, self.body, self.last = visitor, stream, Body(), -1
        self.lie, self.root = visitor.options.lie, visitor.server.root
        stream.sink, stream.input_ended = Records(self.take), self.end
        stream.window = visitor.options.credit
        if stream.in_ended:
            self.end()

    def end(self):
        require(not self.stream.sink.rest, "BAD_PAYLOAD", "the last request has no line feed")
        self.body.finish()

    def take(self, request):
        require(REQUEST(request), "BAD_PAYLOAD", f"a request has the wrong shape: {request!r}")
        require(request["id"] > self.last, "BAD_PAYLOAD", f"the id {request['id']} comes after {self.last}")
        self.last = request["id"]
        emit("asked", name=self.visitor.name, **request)
        for chunk in self.answer(request):
            self.body.add(chunk)

    def answer(self, request):
        trap = self.visitor.options.lie in self.visitor.traps and "evil" in request["path"]
        if trap:
            facts = {"size": 4, "modifiedAt": 0, "executable": False, "etag": "evil"}
            return answer_to(request, facts, b"evil")
        error = self.visitor.trouble(request["path"])
        full = os.path.join(self.root, request["path"])
        if error is None and not os.path.isfile(full):
            error = ("NOT_A_FILE", f'"{request["path"]}" is a folder.')
        if error is not None:
            return [failure(request, ERRORS[error[0]], error[1])]
        facts = facts_at(full, self.visitor.options.modes)
        if request.get("etag", facts["etag"]) != facts["etag"]:
            return [failure(request, ERRORS["CHANGED"], "It is another now.")]
        if request.get("offset", 0) > facts["size"]:
            return [failure(request, ERRORS["BAD_PARAMS"], "The offset is above the size.")]
        with open(full, "rb") as file:
            content = file.read()
        if request.get("digest") and "digests" in self.visitor.features:
            facts["sha256"] = hashlib.sha256(content).hexdigest()
        if request.get("holes") and "holes" in self.visitor.features and facts["size"] > BLOCK:
            facts["holes"] = holes_in(content)
        return self.tell(request, facts, content)

    def tell(self, request, facts, content):
        """The answer, or the lie that was ordered."""
        server = self.visitor.server
        server.answers += 1
        if self.lie in ANSWER_LIES:
            return ANSWER_LIES[self.lie](request, facts, content, server.answers)
        if self.lie == "over-credit":
            self.visitor.lied = True
            self.visitor.out += flood(self.stream.id, request["id"])
            return []
        if self.lie == "vanish" or (self.lie == "vanish-once" and server.answers == 1):
            self.visitor.vanishing = self.body
            return answer_to(request, facts, content)[:-2]
        return answer_to(request, facts, content)


class Upload:
    """One file on its way to the server."""

    def __init__(self, path, facts, kept):
        self.path, self.facts, self.kept, self.over = path, facts, kept, False

    @property
    def missing(self):
        """The parts that are not there, each as long as it can be."""
        ranges, size = [], self.facts["size"]
        for offset in range(0, size, BLOCK):
            if offset in self.kept:
                continue
            end = min(offset + BLOCK, size)
            if ranges and ranges[-1][1] == offset:
                ranges[-1][1] = end
            else:
                ranges.append([offset, end])
        return ranges


class PutAnswers:
    """Transfers, put: what comes is kept by path and facts, also when the link is lost."""

    def __init__(self, visitor, stream):
        self.visitor, self.server, self.stream, self.body = visitor, visitor.server, stream, Body()
        self.lie, self.uploads, self.last = visitor.options.lie, {}, -1
        stream.sink, stream.input_ended = ChunkReader(self.take), self.end
        stream.window = visitor.options.credit
        if stream.in_ended:
            self.end()

    def end(self):
        open_ones = [one.path for one in self.uploads.values() if not one.over]
        require(not open_ones and not self.stream.sink.rest, "UNEXPECTED_FRAME", f"END before {open_ones} ended")
        self.body.finish()

    def take(self, chunk):
        if self.visitor.vanishing is None:
            # It offers nothing of what it has, so nothing is patched.
            require(chunk.name != "PATCH", "BAD_PAYLOAD", "PATCH in a put")
            getattr(self, "on_" + chunk.name.lower())(chunk)

    def answer(self, file_id, state, **members):
        emit("answered", state=state, id=file_id, **members)
        self.body.record({"id": file_id, "state": state, **members})

    def refuse(self, file_id, code, message):
        self.uploads[file_id].over = True
        self.answer(file_id, "failed", code=code, message=message)

    def known(self, chunk):
        require(chunk.id in self.uploads, "BAD_PAYLOAD", f"{chunk.name} of {chunk.id} without FILE")
        return self.uploads[chunk.id]

    def on_folder(self, chunk):
        path = self.place(chunk)
        if path is not None:
            os.makedirs(path, chunk.body.get("mode", 0o777), exist_ok=True)
            self.finish(chunk.id, "stored")

    def place(self, chunk):
        """An id above those before, and where its path is; or the answer that it has none."""
        require(chunk.id > self.last, "BAD_PAYLOAD", f"the id {chunk.id} comes after {self.last}")
        self.last = chunk.id
        emit("offered", kind=chunk.name, id=chunk.id, **chunk.body)
        self.uploads[chunk.id] = Upload(chunk.body["path"], chunk.body, {})
        if valid_path(chunk.body["path"], "names" in self.visitor.features):
            return os.path.join(self.server.root, chunk.body["path"])
        self.refuse(chunk.id, ERRORS["BAD_PATH"], f'"{chunk.body["path"]}" is no path.')
        return None

    def on_file(self, chunk):
        require(OFFER(chunk.body), "BAD_PAYLOAD", f"FILE has the wrong shape: {chunk.body!r}")
        full = self.place(chunk)
        if full is None or self.settle(chunk, full):
            return
        facts = chunk.body
        holes = facts.get("holes", [])
        require(not holes or "holes" in self.visitor.features, "BAD_PAYLOAD", "holes, and nobody has named them")
        key = (facts["path"], *(facts[name] for name in ("size", "modifiedAt", "executable", "etag")))
        one = self.uploads[chunk.id] = Upload(facts["path"], facts, self.server.partials.setdefault(key, {}))
        one.kept.update(filled_holes(facts["size"], holes))
        large = [one for one in self.uploads.values() if not one.over and one.facts["size"] > BLOCK]
        require(len(large) <= 8, "UNEXPECTED_FRAME", f"{len(large)} large files at once")
        others = [one for one in self.uploads.values() if not one.over and one.facts["size"] <= BLOCK]
        require(len(others) <= 16, "UNEXPECTED_FRAME", f"{len(others)} small files at once")
        if facts["size"] > BLOCK or self.visitor.options.hasty:
            self.ready(chunk.id, one.missing)

    def settle(self, chunk, full):
        """What is at the path already; true when nothing has to be sent."""
        facts, exists = chunk.body, chunk.body["exists"]
        if self.lie == "unknown-code":
            self.refuse(chunk.id, 999, "The moon is full.")
            return True
        if not os.path.lexists(full) or exists == "overwrite" and not os.path.isfile(full):
            return False
        there = facts_at(full)
        if (there["size"], there["modifiedAt"]) == (facts["size"], facts["modifiedAt"]) and os.path.isfile(full):
            self.finish(chunk.id, "unchanged")
        elif exists == "skip":
            self.finish(chunk.id, "skipped")
        elif exists == "fail":
            self.refuse(chunk.id, ERRORS["EXISTS"], f'"{facts["path"]}" is there already.')
        elif exists == "rename":
            stem, end = os.path.splitext(facts["path"])
            facts["path"] = f"{stem} (2){end}"
        return self.uploads[chunk.id].over

    def ready(self, file_id, ranges):
        if self.lie in ("odd-range", "far-range", "empty-range"):
            size = self.uploads[file_id].facts["size"]
            ranges = {"odd-range": [[5, 10]], "far-range": [[0, size + BLOCK]], "empty-range": [[BLOCK, 0]]}[self.lie]
        if self.lie == "unknown-state":
            return self.answer(file_id, "steady")
        return self.answer(file_id, "ready", ranges=ranges)

    def on_block(self, chunk):
        one = self.known(chunk)
        if one.over:
            return
        size = min(BLOCK, one.facts["size"] - chunk.offset)
        require(len(chunk.payload) == size, "BAD_PAYLOAD", f"BLOCK of {len(chunk.payload)} at {chunk.offset}")
        emit("block", path=one.path, offset=chunk.offset, whole=chunk.whole)
        lost = self.lie == "lost" or (self.lie == "lost-once" and not self.server.lost)
        self.server.lost = self.server.lost or lost
        if chunk.whole and not lost:
            one.kept[chunk.offset] = chunk.payload
        if self.lie == "vanish-once" and chunk.offset and not self.server.answers:
            self.server.answers += 1
            self.visitor.vanishing = self.body

    def on_seal(self, chunk):
        one = self.known(chunk)
        if one.over:
            return
        if one.missing:
            return self.ready(chunk.id, one.missing)
        full = os.path.join(self.server.root, one.path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        mode = one.facts.get("mode", 0o755 if one.facts["executable"] else 0o644)
        with open(full, "wb", opener=lambda path, flags: os.open(path, flags, mode)) as file:
            file.write(b"".join(one.kept[offset] for offset in sorted(one.kept)))
        os.utime(full, ns=(one.facts["modifiedAt"] * 1000000,) * 2)
        return self.finish(chunk.id, "stored")

    def on_fail(self, chunk):
        """FAIL is not answered."""
        self.known(chunk).over = True
        emit("given up", path=self.known(chunk).path, **chunk.body)

    def finish(self, file_id, outcome):
        one = self.uploads[file_id]
        one.over = True
        self.answer(file_id, "done", path=one.path, outcome=outcome)
