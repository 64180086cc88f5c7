"""Encryption: the pipe below a session, TCP or a Unix socket as it is, or TLS 1.3 over TCP."""

import base64
import hashlib
import json
import select
import socket
import ssl

ALPN = "commserver/1"


class WrongIdentity(Exception):
    """Encryption: the server shows another certificate than the one that is expected."""


class Pipe:
    """A socket that does not block."""

    encrypted, pending = False, False

    def __init__(self, sock):
        sock.setblocking(False)
        if sock.family == socket.AF_INET:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = sock
        self.fileno, self.close = sock.fileno, sock.close

    def recv(self):
        return self.sock.recv(262144)

    def send(self, data):
        return self.sock.send(data)

    def half_close(self):
        self.sock.shutdown(socket.SHUT_WR)


class TlsPipe(Pipe):
    """TLS between two buffers, so that a half-close is one and nothing that was decrypted is left behind."""

    encrypted = True

    def __init__(self, sock, context, serving):
        super().__init__(sock)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, serving)
        self.raw, self.met, self.ended = bytearray(), False, False

    @property
    def pending(self):
        return bool(self.raw)

    def push(self):
        """Send what was encrypted; raises BlockingIOError when not all of it is gone."""
        self.raw += self.outgoing.read()
        while self.raw:
            del self.raw[: self.sock.send(self.raw)]

    def meet(self):
        """Go on with the handshake; a side whose peer does not name our protocol ends the connection."""
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            return self.push()
        except ssl.SSLError as error:
            self.push()
            raise tell("tls failed", error) from error
        if self.tls.selected_alpn_protocol() != ALPN:
            raise tell("tls failed", OSError(f"the protocol inside is {self.tls.selected_alpn_protocol()}"))
        self.met = True
        return self.push()

    def recv(self):
        if self.ended:
            return b""
        data = self.sock.recv(262144)
        self.incoming.write(data) if data else self.incoming.write_eof()
        if not self.met:
            self.meet()
        plain = bytearray()
        try:
            while self.met and not self.ended:
                piece = self.tls.read(262144)
                plain += piece
                self.ended = not piece
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.ended = True
        except ssl.SSLEOFError as error:
            self.ended = True
            tell("cut", error)
        if not plain and not self.ended:
            raise BlockingIOError
        return bytes(plain)

    def send(self, data):
        self.push()
        taken = self.tls.write(data[:65536]) if data and self.met else 0
        try:
            self.push()
        except BlockingIOError:
            pass
        return taken

    def half_close(self):
        """close_notify, then the end of TCP's own direction."""
        try:
            self.tls.unwrap()
        except ssl.SSLError:
            pass
        try:
            self.push()
        except BlockingIOError:
            select.select([], [self], [], 2)
            self.push()
        super().half_close()


def tell(event, error):
    """One event, and the error for who wants to raise it."""
    print(json.dumps({"event": event, "message": str(error)}), flush=True)
    return error if isinstance(error, OSError) else OSError(str(error))


def fingerprint(der):
    """Encryption: SHA256: and the digest of a certificate in base64 without padding."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(der).digest()).decode().rstrip("=")


def tls_context(purpose):
    """Encryption: TLS 1.3 alone, with the name of the protocol inside."""
    context = ssl.SSLContext(purpose)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols([ALPN])
    return context


def connect(options):
    """Overview: TLS over TCP (HOST:PORT), TCP alone with --plaintext, or a Unix socket (unix:PATH)."""
    if options.address.startswith("unix:"):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(options.address[5:])
        return Pipe(sock)
    host, port = options.address.rsplit(":", 1)
    source = (options.source, 0) if options.source else None
    sock = socket.create_connection((host.strip("[]"), int(port)), 5, source)
    return connect_tls(sock, options.pin) if options.pin else Pipe(sock)


def connect_tls(sock, pin):
    """Encryption: the certificate is the one that is expected before a byte of HELLO is sent."""
    context = tls_context(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    pipe = TlsPipe(sock, context, False)
    while not pipe.met:
        pipe.meet()
        if not pipe.met:
            select.select([sock], [], [], 5)
            try:
                pipe.incoming.write(sock.recv(65536))
            except BlockingIOError:
                continue
    shown = fingerprint(pipe.tls.getpeercert(True))
    if pin != shown:
        pipe.close()
        raise WrongIdentity(f"the server shows {shown}")
    return pipe


def accept(sock, identity):
    """The server's side of a connection; `identity` is the file of a certificate and its key, or None for no TLS."""
    if identity is None:
        return Pipe(sock)
    context = tls_context(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity)
    return TlsPipe(sock, context, True)
