"""What a side that lies in the handshake sends, each thing against one rule of Proof in PROTOCOL.md."""

from lies import welcome
from scram import ClientProof, base64_of, split_token
from wire import encode

WELCOME = encode("WELCOME", welcome("Client01", 65536, 16))
QUEUED = encode("QUEUED", {"position": 1})
GOAWAY = encode("GOAWAY", {"code": 0, "message": "exit"})


def auth(message):
    return encode("AUTH", {"message": message})


def instead(challenge, final=lambda message: WELCOME):
    """A lie in step 2; or an honest step 2 (None) and a lie in step 4. Both get the honest message."""

    def lie(proof, message):
        if message is not None:
            return final(message)
        return auth(proof.challenge) if challenge is None else challenge(proof.challenge)

    return lie


def with_count(count):
    return instead(lambda challenge: auth(challenge[: challenge.rindex("i=")] + f"i={count}"))


def without_nonce(challenge):
    """A nonce that is not the client's with more behind it."""
    return auth("r=" + "x" * 48 + challenge[challenge.index(",s=") :])


def nothing_added(proof, message):
    """The client's nonce alone."""
    nonce = proof.bare[proof.bare.index("r=") :]
    return auth(nonce + proof.challenge[proof.challenge.index(",s=") :])


# What stands in place of the server's messages, from the proof and the honest step 4; None before step 3.
SERVER_AUTH_LIES = {
    "welcome-unproven": instead(lambda challenge: WELCOME),
    "queued-unproven": instead(lambda challenge: QUEUED),
    "welcome-unsigned": instead(None),
    "queued-unsigned": instead(None, lambda message: QUEUED),
    "wrong-signature": instead(None, lambda message: auth("v=" + base64_of(bytes(32))) + WELCOME),
    "short-signature": instead(None, lambda message: auth("v=AAAA") + WELCOME),
    "no-signature": instead(None, lambda message: auth("e=other-error") + WELCOME),
    "empty-signature": instead(None, lambda message: auth("") + WELCOME),
    "other-nonce": instead(without_nonce),
    "own-nonce-missing": nothing_added,
    "low-count": with_count(4095),
    "high-count": with_count(100001),
    "no-count": with_count("many"),
    "no-base64": instead(lambda challenge: auth(challenge.replace(",s=", ",s=%"))),
    "extension": instead(lambda challenge: auth("m=unknown," + challenge)),
    "signature-first": instead(lambda challenge: auth("v=" + base64_of(bytes(32)))),
    "empty-challenge": instead(lambda challenge: auth("")),
    "long-challenge": instead(lambda challenge: auth(challenge + "," * (1025 - len(challenge)))),
    "goaway-between": instead(lambda challenge: auth(challenge) + GOAWAY),
    "ping-between": instead(lambda challenge: auth(challenge) + encode("PING", bytes(8))),
    "third-auth": instead(None, lambda message: 2 * auth(message)),
    "late-auth": instead(None, lambda message: auth(message) + WELCOME + auth(message)),
    "unasked-auth": lambda proof, message: auth("r=" + "x" * 48 + ",s=AAAA,i=4096"),
}


def hello(header="n,,", mechanism="SCRAM-SHA-256", name=None, nonce=None, first=lambda message: message):
    """A lie in step 1, and what is the server's answer to it."""

    def lie(client, honest):
        client.proof = proof = ClientProof(*split_token(client.options.token), nonce, header, name)
        client.send("HELLO", {**honest, "auth": {"mechanism": mechanism, "message": first(proof.first)}})
        client.until(lambda: client.over)

    return lie


def final(make):
    """An honest step 1, and a lie in step 3, made from the client and the honest message."""

    def lie(client, honest):
        client.send("HELLO", honest)
        client.on_auth = lambda frame: answer(client, frame)
        client.until(lambda: client.over)

    def answer(client, frame):
        if client.final is None:
            client.final = client.proof.final(frame.body["message"])
            client.out += make(client, client.final)
        else:
            client.proof.check(frame.body["message"])
            client.stage = "answer"

    return lie


def twice(first, then):
    """HELLO and what follows it at once."""

    def lie(client, honest):
        if first is None:
            del honest["auth"]
            client.stage = "answer"
        client.send("HELLO", honest)
        client.out += then(honest)
        client.until(lambda: client.over)

    return lie


def after_welcome(client, honest):
    """A third AUTH of an honest client."""
    client.send("HELLO", honest)
    client.until(lambda: client.admitted)
    client.out += auth(client.final)
    client.until(lambda: client.over)


def replayed(client, message):
    """What another exchange of the same client would have sent."""
    other = ClientProof(*split_token(client.options.token))
    return auth(other.final(f"r={other.nonce}{'x' * 24},s=QSXCR+Q6sek8bf92,i=4096"))


def rest_of(message, of="p="):
    return message[message.index(of) :]


WRONG_PROOF = base64_of(bytes(32))
# How a client lies, from its HELLO on.
CLIENT_AUTH_LIES = {
    "auth-unasked": twice(None, lambda honest: auth("c=biws")),
    "auth-early": twice("", lambda honest: auth("c=biws,r=" + "x" * 36 + ",p=" + WRONG_PROOF)),
    "hello-twice": twice("", lambda honest: encode("HELLO", honest)),
    "goaway-between": final(lambda client, message: GOAWAY + auth(message)),
    "ping-between": final(lambda client, message: encode("PING", bytes(8)) + auth(message)),
    "hello-between": final(lambda client, message: encode("HELLO", {"credit": 1}) + auth(message)),
    "auth-twice": final(lambda client, message: 2 * auth(message)),
    "auth-after-welcome": after_welcome,
    "plus-unencrypted": hello("p=tls-exporter,,", "SCRAM-SHA-256-PLUS"),
    "plus-header": hello("p=tls-exporter,,"),
    "plus-mechanism": hello("n,,", "SCRAM-SHA-256-PLUS"),
    "header-y": hello("y,,"),
    "header-authzid": hello("n,a=root,"),
    "other-mechanism": hello(mechanism="PLAIN"),
    "name-comma": hello(name="a,b"),
    "name-equals": hello(name="a=b"),
    "name-empty": hello(name=""),
    "short-nonce": hello(nonce="x" * 17),
    "extension": hello(first=lambda message: "n,,m=unknown," + message[3:]),
    "first-empty": hello(first=lambda message: ""),
    "first-long": hello(first=lambda message: message + "x" * (1025 - len(message))),
    "first-no-scram": hello(first=lambda message: "AHVzZXIAcGVuY2ls"),
    "unknown-name": hello(name="nobody.here"),
    "wrong-binding": final(lambda client, message: auth("c=eSws," + rest_of(message, "r="))),
    "binding-no-base64": final(lambda client, message: auth("c=%%%%," + rest_of(message, "r="))),
    "wrong-proof": final(lambda client, message: auth(message[: message.index("p=")] + "p=" + WRONG_PROOF)),
    "short-proof": final(lambda client, message: auth(message[: message.index("p=")] + "p=AAAA")),
    "proof-no-base64": final(lambda client, message: auth(message[: message.index("p=")] + "p=%%%%")),
    "no-proof": final(lambda client, message: auth(message[: message.index(",p=")])),
    "other-nonce": final(lambda client, message: auth("c=biws,r=" + "x" * 48 + "," + rest_of(message))),
    "replayed": final(replayed),
    "final-empty": final(lambda client, message: auth("")),
    "final-long": final(lambda client, message: auth(message + "x" * (1025 - len(message)))),
}
