"""The client's commands for files: `get` and `put`, piece by piece where a test wants that."""

import json

from getting import Getting
from putting import CHUNK_LIES, Putting
from session import emit
from wire import ERRORS


class FileCommands:
    """Commands of a Client."""

    # get

    def do_get(self, *pairs):
        """Fetch PATH TARGET [PATH TARGET ...] in one stream, with a PING among the DATA."""
        requests = [{"path": path, "target": target} for path, target in zip(pairs[::2], pairs[1::2])]
        self.see(self.begin(requests, self.options.window, end=False))

    def do_ask(self, *requests):
        """Send requests as they are written: JSON with path and what else there is."""
        self.see(self.begin([json.loads(one) for one in requests], self.options.window, end=False))

    def do_each(self, *pairs):
        """Fetch PATH TARGET [PATH TARGET ...], each in a stream of its own, side by side."""
        jobs = [self.begin([{"path": path, "target": target}]) for path, target in zip(pairs[::2], pairs[1::2])]
        for job in jobs:
            self.see(job)

    def begin(self, requests, window=None, end=True):
        job = Getting(self, self.options.window if window is None else window)
        for one in requests:
            job.request(**one)
        if end:
            job.end()
        return job

    def see(self, job):
        """See a stream to its end."""
        self.until(lambda: job.stream.result is not None or job.stream.closed)
        self.ping()
        self.until(lambda: job.settled and not self.pings)
        job.end()
        self.until(lambda: job.stream.closed)
        if job.stream.error:
            return emit("reset", method="get", **job.stream.error)
        return emit("ended", body=job.size, frames=job.frames)

    def do_starve(self, path, count="1"):
        """Open gets and grant nothing: each body stops where its first credit does."""
        self.held += [self.begin([{"path": path}], 0) for _ in range(int(count))]
        jobs = [job.stream for job in self.held]
        self.until(lambda: all(one.closed or (one.result is not None and not one.in_balance) for one in jobs))
        resets = [one.error["code"] for one in jobs if one.error]
        emit("starved", sizes=[job.size for job in self.held if not job.stream.error], resets=resets)

    def do_feed(self):
        """Grant what was withheld, and see the bodies to their end."""
        for job in self.held:
            job.stream.window = self.options.window
            self.grant(job.stream)
        self.until(lambda: all(job.stream.closed for job in self.held))
        self.held = []

    def do_cancel(self):
        """RESET what is held; DATA that crosses with it is ignored."""
        for job in self.held:
            if not job.stream.closed:
                self.reset(job.stream, "CANCELLED", "No more.")
        self.held = []

    # put

    def do_put(self, exists, *pairs):
        """Send FILE to PATH [FILE to PATH ...] in one stream, and end it."""
        jobs = [self.put_stream().offer(path, file, exists) for path, file in zip(pairs[::2], pairs[1::2])]
        self.until(lambda: self.putting.answered(*jobs))
        self.do_done()

    def do_folder(self, path, mode=None):
        job = self.put_stream().folder(path, mode)
        self.until(lambda: self.putting.answered(job))

    def do_offer(self, path, file, exists="fail"):
        """FILE alone; what the server answers is followed by nothing."""
        self.answer_of(self.put_stream().offer(path, file, exists, held=True))

    def do_damaged(self, path, file):
        """A whole file at once, its blocks damaged."""
        job = self.put_stream().offer(path, file, held=True)
        self.putting.send(job, 0, job.facts["size"], 1)
        self.putting.chunk(job, "SEAL")
        self.answer_of(job)

    def do_damaging(self, path, file):
        """The same, again and again."""
        self.do_damaged(path, file)
        job = next(iter(self.putting.jobs.values()))
        while not job.over:
            self.putting.send(job, 0, job.facts["size"], 1)
            self.putting.chunk(job, "SEAL")
            self.answer_of(job)

    def do_blocks(self, path, start, end, damage="0"):
        """The blocks of a part of an offered file."""
        self.putting.send(self.putting.job(path), int(start), int(end), int(damage))

    def do_seal(self, path):
        job = self.putting.job(path)
        self.putting.chunk(job, "SEAL")
        self.answer_of(job)

    def do_fail(self, path):
        """FAIL is not answered."""
        job = self.putting.job(path)
        self.putting.chunk(job, "FAIL", {"code": ERRORS["CHANGED"], "message": "It is another now."})
        job.over = True

    def do_lie(self, name):
        """A chunk that breaks a rule: it ends the stream, or fails its file, number 1."""
        job = self.put_stream().lying_job()
        self.putting.body.add(CHUNK_LIES[name]())
        self.until(lambda: self.putting.answered(job))
        self.do_done()

    def do_done(self):
        """The client ends its body when all is answered, the server then its own."""
        self.putting.body.finish()
        self.until(lambda: self.putting.stream.closed)
        self.end_putting()

    def end_putting(self):
        error, self.putting = self.putting.stream.error, None
        emit("reset", method="put", **error) if error else emit("ended")

    def put_stream(self):
        self.putting = self.putting or Putting(self)
        return self.putting

    def answer_of(self, job):
        """Wait for one more answer for a file."""
        count = len(job.answers)
        self.until(lambda: len(job.answers) > count or self.putting.stream.closed)
        if self.putting.stream.closed:
            self.end_putting()
