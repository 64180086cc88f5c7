#!/usr/bin/env python3
"""A CommServer peer from PROTOCOL.md alone: a client, a server, and a judge of the other side.

    peer.py client [options] ADDRESS [COMMAND ...]   without COMMAND: one command per line from standard input
    peer.py server [options] FOLDER                  until standard input ends; its one command is: shutdown
    peer.py vectors PROTOCOL.md                      the page's own vectors
    peer.py invite JSON | INVITE                     the invite that says so; what an invite says
    peer.py xxh3                                     digests of the lengths and seeds on standard input

All print JSON events, one a line. Exit codes: 0 done, 1 the other side broke a rule (the reason is on standard
error), 2 usage, 3 refused, 4 another identity or no TLS, 5 the pipe ended without a word. Python 3.9, standard library only.
"""

import argparse
import json
import re
import sys

from chunks import check_chunk_vectors
from client import Lost, Refused, run_client
from globs import Glob
from lies import LIES
from lies_auth import CLIENT_AUTH_LIES, SERVER_AUTH_LIES
from pipes import WrongIdentity
from scram import check_proof_vectors, read_invite, write_invite
from server import Server
from session import emit
from wire import HEADER, SHAPES, Violation, check_header, encode, parse_object, require
from xxh3 import xxh3


def check_vectors(page):
    """Every vector of the page is decoded and encoded again; every invalid one has its error."""
    blocks = re.findall(r"^```(vector|invalid \w+)\n(.*?)\n```$", page, re.S | re.M)
    for kind, block in blocks:
        if kind == "vector":
            check_vector(*block.split("\n"))
        else:
            check_invalid(kind.split()[1], block)
    chunks = re.findall(r"^```chunk\n(.*?)\n```$", page, re.S | re.M)
    check_chunk_vectors(chunks)
    objects = [json.loads(line[13:]) for line in re.findall("^payload json .*$", page, re.M)]
    messages = [one.get("auth", one).get("message") for one in objects if "auth" in one or list(one) == ["message"]]
    check_proof_vectors(messages)
    payloads = check_payloads(page)
    patterns = check_patterns(page)
    emit("vectors", payloads=payloads, patterns=patterns, valid=sum(kind == "vector" for kind, _ in blocks), all=len(blocks), chunks=len(chunks))


def check_payloads(page):
    """Payloads: what the table says of each JSON text."""
    rows = re.findall(r"^\| `(.*)` +\| (taken|BAD_PAYLOAD) +\|$", page, re.M)
    for text, answer in rows:
        try:
            parse_object(text.encode(), "a payload")
        except Violation as violation:
            require(violation.code == answer, violation.code, f"the page takes {text}")
        else:
            require(answer == "taken", answer, f"nothing is wrong with {text}")
    return len(rows)


def check_patterns(page):
    """Patterns: what the tables say that each matches, and which ones are refused."""
    rows = page.split("| pattern ")[1].split("\n\n")[0].split("\n")[2:]
    for row in rows:
        pattern, yes, no = (re.findall("`([^`]*)`", cell) for cell in row.split("|")[1:4])
        glob = Glob(pattern[0], names=True)
        right = all(map(glob.matches, yes)) and not any(map(glob.matches, no))
        require(right, "BAD_PAYLOAD", f"not what the page says: {row}")
    table = page.split("| refused ")[1].split("\n\n")[0]
    refused = re.findall(r"^\| `([^`]*)` +\| (BAD_PARAMS|BAD_PATH) +\|", table, re.M)
    for text, code in refused:
        try:
            Glob(text, names=True)
        except Violation as violation:
            require(violation.code == code, violation.code, f"the page says {code}: {text}")
        else:
            raise Violation(code, f"nothing is wrong with {text}")
    return len(rows) + len(refused)


def check_vector(title, content, *lines):
    """One frame: its title, its payload, its bytes."""
    _, form, value = (content + "  ").split(" ", 2)
    payload = bytes.fromhex(value) if form == "hex" else value.strip().encode()
    data = bytes.fromhex("".join(lines))
    name, flags, stream, length = check_header(data[: HEADER.size])
    require(title == f"{name} stream={stream} flags={flags} length={length}", "BAD_HEADER", f"not {title}")
    require(encode(name, payload, stream, flags) == data, "BAD_PAYLOAD", f"not the bytes of {title}")
    if name in SHAPES and payload:
        require(SHAPES[name](parse_object(payload, name)), "BAD_PAYLOAD", f"not the shape of {title}")


def check_invalid(code, header):
    """One header that has to fail with this code."""
    try:
        check_header(bytes.fromhex(header))
    except Violation as violation:
        require(violation.code == code, violation.code, f"the page says {code}: {header}")
    else:
        raise Violation(code, f"nothing is wrong with {header}")


def pattern(size):
    """Bytes that do not repeat soon."""
    return bytes(index * 31 + (index >> 8) * 7 & 255 for index in range(size))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    roles = parser.add_subparsers(dest="what", required=True)
    both = argparse.ArgumentParser(add_help=False)
    both.add_argument("--credit", type=int, default=65536, help="first credit of each stream")
    both.add_argument("--max-streams", type=int, default=16)
    both.add_argument("--heartbeat", type=float, default=15, help="seconds of silence before a PING")
    both.add_argument("--capability", action="append", default=[], help="an optional feature that is used")
    both.add_argument("--modes", action="store_true", help="tell who may do what with files and folders")
    client = roles.add_parser("client", parents=[both])
    client.add_argument("--window", type=int, default=65536, help="what CREDIT fills up to")
    client.add_argument("--versions", type=int, nargs=2, default=(1, 1))
    client.add_argument("--wait", action="store_true", help="queue for a seat")
    client.add_argument("--resume", nargs="?", const="", help="come back after a lost link; as who with this token")
    client.add_argument("--pin", help="speak TLS with the server of this fingerprint")
    client.add_argument("--token", help="prove this token")
    client.add_argument("--nick", help="call yourself so")
    client.add_argument("--source", help="come from this address")
    client.add_argument("--lie", choices=CLIENT_AUTH_LIES)
    client.add_argument("--deaf", action="store_true", help="want no messages")
    client.add_argument("address", help="HOST:PORT or unix:PATH")
    client.add_argument("command", nargs="*")
    server = roles.add_parser("server", parents=[both])
    server.add_argument("--unix", help="listen at this path")
    server.add_argument("--refuse", help="refuse everybody with SERVER_FULL and these words")
    server.add_argument("--queue", type=int, default=0, help="positions to go through before WELCOME")
    server.add_argument("--lie", choices=(*LIES, *SERVER_AUTH_LIES))
    server.add_argument("--identity", help="speak TLS with this certificate and key (PEM, one file)")
    server.add_argument("--token", action="append", help="want a proof of one of these")
    server.add_argument("--role", choices=("read", "write"), default="write", help="what clients may do")
    server.add_argument("--hasty", action="store_true", help="be ready for small files before their blocks come")
    server.add_argument("folder")
    roles.add_parser("vectors").add_argument("page")
    roles.add_parser("invite").add_argument("line")
    roles.add_parser("xxh3", help="digests of JSON [[length, seed], ...] of standard input")
    return parser.parse_args()


def run(options):
    if options.what == "client":
        run_client(options)
    elif options.what == "server":
        Server(options).run()
    elif options.what == "invite" and options.line.startswith("{"):
        emit("invite", line=write_invite(json.loads(options.line)))
    elif options.what == "invite":
        emit("invite", **read_invite(options.line))
    elif options.what == "xxh3":
        emit("xxh3", digests=[f"{xxh3(pattern(size), seed):016x}" for size, seed in json.load(sys.stdin)])
    else:
        with open(options.page, encoding="utf-8") as page:
            check_vectors(page.read())


def main():
    try:
        run(arguments())
    except (Violation, Refused, WrongIdentity, Lost, OSError) as error:
        print(error, file=sys.stderr)
        return {Violation: 1, Refused: 3, Lost: 5}.get(type(error), 4)
    return 0


if __name__ == "__main__":
    sys.exit(main())
