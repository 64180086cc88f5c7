"""Proof and Invites of PROTOCOL.md: SCRAM-SHA-256 without TLS, for both sides.

This Python can't export keying material from TLS, so there is no -PLUS here: node-client.mjs and node-server.mjs do that.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
import secrets

from wire import Violation, fields, parse_object, require, text

NONCE = re.compile(r"[\x21-\x2b\x2d-\x7e]{18,}")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
SALT, COUNT = b"the salt of peer.py", 4096


def digest_of(key, message):
    return hmac.digest(key, message.encode(), "sha256")


def base64_of(data):
    return base64.b64encode(data).decode()


def from_base64(value):
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise Violation("BAD_PAYLOAD", f"{value!r} is no base64") from error


def part(pattern, message):
    """The groups of a message of SCRAM; one that has another form is none of SCRAM."""
    found = re.fullmatch(pattern, message)
    require(found, "BAD_PAYLOAD", f"{message!r} is not the message that belongs here")
    return found.groups()


def split_token(token):
    """Proof: NAME:SECRET."""
    name, _, secret = token.partition(":")
    require(NAME.fullmatch(name) and SECRET.fullmatch(secret), "BAD_PAYLOAD", "this is no token")
    return name, secret


class Keys:
    """RFC 5802, 3: what follows from a secret, a salt and a count."""

    def __init__(self, secret, salt, count):
        salted = hashlib.pbkdf2_hmac("sha256", secret.encode(), salt, count)
        self.client = digest_of(salted, "Client Key")
        self.stored = hashlib.sha256(self.client).digest()
        self.server = digest_of(salted, "Server Key")

    def signature(self, exchange):
        """What hides the client's key in its proof, and shows it to who knows the stored one."""
        return digest_of(self.stored, exchange)


def xor(one, other):
    return bytes(a ^ b for a, b in zip(one, other))


class ClientProof:
    """The client's side. `header` is the GS2 header, and `name` the user, for a client that lies about them."""

    mechanism = "SCRAM-SHA-256"

    def __init__(self, user, secret, nonce=None, header="n,,", name=None):
        self.secret = secret
        self.nonce, self.header = nonce or secrets.token_urlsafe(18), header
        self.bare = f"n={user if name is None else name},r={self.nonce}"
        self.first = header + self.bare
        self.expected = None

    def final(self, challenge, binding=None):
        """Step 3, from step 2: the nonce is ours with 18 characters or more behind it."""
        nonce, salt, count = part(r"r=([^,]+),s=([^,]+),i=([1-9]\d{0,9})", challenge)
        extended = nonce.startswith(self.nonce) and NONCE.fullmatch(nonce[len(self.nonce) :])
        require(extended, "BAD_PAYLOAD", f"the nonce {nonce!r} does not extend {self.nonce!r}")
        require(4096 <= int(count) <= 100000, "BAD_PAYLOAD", f"the count is {count}")
        keys = Keys(self.secret, from_base64(salt), int(count))
        bare = f"c={binding or base64_of(self.header.encode())},r={nonce}"
        exchange = ",".join((self.bare, challenge, bare))
        self.expected = digest_of(keys.server, exchange)
        return f"{bare},p={base64_of(xor(keys.client, keys.signature(exchange)))}"

    def check(self, message):
        """Step 4: whether the server knows the token, too."""
        (signature,) = part("v=([^,]+)", message)
        same = hmac.compare_digest(from_base64(signature), self.expected)
        require(same, "ACCESS_DENIED", "the server can't prove that it knows the token")


class ServerProof:
    """The server's side, for a dictionary of secrets by their names."""

    def __init__(self, known, auth, encrypted):
        mechanism, first = auth["mechanism"], auth["message"]
        header, bare = part(r"((?:n|y|p=[A-Za-z0-9.-]+),(?:a=[^,]*)?,)(.*)", first)
        self.name, nonce = part(r"n=((?:[^,=]|=2C|=3D)+),r=([^,]+)", bare)
        require(NONCE.fullmatch(nonce), "BAD_PAYLOAD", f"the nonce is {nonce!r}")
        paired = not encrypted and (mechanism, header) == ("SCRAM-SHA-256", "n,,")
        require(paired, "ACCESS_DENIED", f"{mechanism} with {header!r} over TLS: {encrypted}")
        secret, self.nonce = known.get(self.name), nonce + secrets.token_urlsafe(18)
        self.keys = Keys(secret or "", SALT, COUNT)
        self.known, self.bare = secret is not None, bare
        self.challenge = f"r={self.nonce},s={base64_of(SALT)},i={COUNT}"

    def final(self, message):
        """Step 4, from step 3; it does not say what was wrong."""
        bare, binding, nonce, proof = part(r"(c=([^,]+),r=([^,]+)),p=([^,]+)", message)
        exchange = ",".join((self.bare, self.challenge, bare))
        proof, binding = from_base64(proof), from_base64(binding)
        key = xor(proof, self.keys.signature(exchange))
        right = hashlib.sha256(key).digest() == self.keys.stored and len(proof) == 32
        right = right and binding == b"n,," and nonce == self.nonce
        require(right and self.known, "ACCESS_DENIED", "The proof is not right.")
        return "v=" + base64_of(digest_of(self.keys.server, exchange))


def check_proof_vectors(messages):
    """The example of RFC 7677: the first message as it stands in HELLO, then those of the three AUTH. Codes follow."""
    first, challenge, final, last = messages[:4]
    user, nonce = part("n,,n=([^,]+),r=(.+)", first)
    proof = ClientProof(user, "pencil", nonce)
    require(proof.first == first and proof.final(challenge) == final, "BAD_PAYLOAD", "not the client's messages")
    proof.check(last)


# Invites

PREFIX = "csinvite1_"
FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}|authority")
INVITE = fields(
    {
        "n": text(1, 64),
        "a": lambda value: isinstance(value, list) and 1 <= len(value) <= 16 and all(map(text(1), value)),
        "i": lambda value: value is None or (isinstance(value, str) and FINGERPRINT.fullmatch(value) is not None),
        "t": lambda value: isinstance(value, str) and split_token(value) is not None,
    }
)


def fnv1a(data):
    """FNV-1a with 32 bits."""
    state = 0x811C9DC5
    for byte in data:
        state = (state ^ byte) * 0x01000193 & 0xFFFFFFFF
    return state


def write_invite(members):
    """Invites: one line."""
    data = json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()
    return PREFIX + base64.urlsafe_b64encode(data + fnv1a(data).to_bytes(4, "big")).decode().rstrip("=")


def read_invite(line):
    """Invites: what the line says, when nothing of it was lost."""
    require(line.startswith(PREFIX), "BAD_PAYLOAD", "this is no invite")
    data = base64.urlsafe_b64decode(line[len(PREFIX) :] + "=" * (-len(line[len(PREFIX) :]) % 4))
    data, check = data[:-4], data[-4:]
    require(fnv1a(data) == int.from_bytes(check, "big"), "BAD_PAYLOAD", "the invite is damaged")
    members = parse_object(data, "an invite")
    require(INVITE(members), "BAD_PAYLOAD", f"the invite has the wrong shape: {members!r}")
    return members
