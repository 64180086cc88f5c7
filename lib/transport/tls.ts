import type { Socket, TLSOptions } from "bun";
import { TransportError } from "../errors.ts";

/**
 * TLS 1.3 for sockets: the options of both ends, and the identity of the other end. Source: PROTOCOL.md, "Encryption".
 */

const ALPN = "commserver/1";
/** The name that a server offers if it also speaks HTTP. */
const ALPN_HTTP = "http/1.1";

/** The format of the handshake (RFC 7301): each name with its length before it, the preferred one first. */
function alpnList(...names: string[]): string {
  return names.map((name) => `${String.fromCharCode(name.length)}${name}`).join("");
}

const TLS_1_3 = 0x304;

/** Source: RFC 9266, section 2. */
const EXPORTER = { label: "EXPORTER-Channel-Binding", bytes: 32, context: "" };

/** A certificate chain and its key, both PEM. */
export interface Credentials {
  readonly cert: string;
  readonly key: string;
}

/** How a server encrypts. */
export interface ServerCredentials extends Credentials {
  /** Whether it also speaks HTTP, even with peers that name no protocol. */
  readonly withHttp?: boolean;
}

/** The certificate that a server has presented, and proven to own. */
export interface TlsPeer {
  /** `SHA256:` and the digest of the certificate (DER) in base64 without padding. */
  readonly fingerprint: string;
  /** Why its chain or name is not valid; undefined when both are. */
  readonly fault: string | undefined;
}

/** How a client verifies the server. */
export interface Trust {
  /** Certificates of authorities, PEM, instead of those that browsers trust. */
  readonly ca?: string | undefined;
  /** Called before the first byte is sent. @throws CommError when it is the wrong server */
  verify(peer: TlsPeer): void;
}

/** `minVersion` is missing in Bun's types. */
type Options = TLSOptions & { readonly minVersion: number };

// Every option is set here, since Bun takes missing ones from the environment.

export function serverTls({ cert, key, withHttp = false }: ServerCredentials): Options {
  const names = withHttp ? alpnList(ALPN, ALPN_HTTP) : alpnList(ALPN);
  return { cert, key, ALPNProtocols: names, minVersion: TLS_1_3, requestCert: false, rejectUnauthorized: false };
}

/** `at`: where the client connects, if it is a host. */
export function clientTls({ ca }: Trust, at?: { readonly host: string; readonly ip?: string }): Options {
  // Trust.verify() knows the pins, so it decides, and not Bun.
  return {
    ALPNProtocols: alpnList(ALPN),
    minVersion: TLS_1_3,
    rejectUnauthorized: false,
    ...(ca !== undefined && { ca }),
    // Otherwise Bun compares the certificate with the address.
    ...(at?.ip !== undefined && { serverName: at.host }),
  };
}

/** The result of a handshake. */
export interface Agreed {
  /** The protocol of ALPN; "" if the other end named none. */
  readonly protocol: string;
  /** `tls-exporter` (RFC 9266). */
  readonly binding: Uint8Array;
}

/**
 * The result of a socket's handshake, after its end; `error` is set when it failed. `withHttp`: HTTP may have been
 * agreed on.
 *
 * @throws TransportError TLS_FAILED when there is no TLS 1.3 session for a protocol that we speak
 */
export function agreedOn(socket: Socket<unknown>, error: Error | null, withHttp: boolean): Agreed {
  if (error !== null) throw new TransportError("TLS_FAILED", `No TLS: ${handshakeFault(error)}.`, { cause: error });
  // Typed as null for none.
  const protocol = socket.alpnProtocol || "";
  if (protocol !== ALPN && !withHttp) {
    throw new TransportError("TLS_FAILED", "No TLS: the other end speaks none of this program's protocols.");
  }
  // Typed as void.
  const binding = socket.exportKeyingMaterial(EXPORTER.bytes, EXPORTER.label, EXPORTER.context) as unknown;
  return { protocol, binding: binding as Uint8Array };
}

/** True when a client's handshake is complete, and `error` is only about the server's certificate. */
export function isVerdict(error: Error | null): boolean {
  return error !== null && "code" in error && !/^(E[A-Z]+|ERR_SSL_.*)$/.test(String(error.code));
}

/** The identity that the other end of a client's socket has proven; `error` is Bun's verdict on chain and name. */
export function peerOf(socket: Socket<unknown>, error: Error | null): TlsPeer {
  const { fingerprint256 } = socket.getPeerCertificate();
  const digest = Buffer.from(fingerprint256.replaceAll(":", ""), "hex");
  return { fingerprint: formatFingerprint(digest), fault: error?.message };
}

export function formatFingerprint(digest: Uint8Array): string {
  return `SHA256:${Buffer.from(digest).toString("base64").replace(/=+$/, "")}`;
}

/** OpenSSL's names for the mistakes of other programs. */
const FAULTS: Readonly<Record<string, string>> = {
  HTTP_REQUEST: "the other end sends HTTP without encryption",
  HTTPS_PROXY_REQUEST: "the other end sends HTTP without encryption",
  WRONG_VERSION_NUMBER: "the other end does not speak TLS",
  UNSUPPORTED_PROTOCOL: "the other end does not offer TLS 1.3",
  TLSV1_ALERT_PROTOCOL_VERSION: "the other end does not offer TLS 1.3",
  NO_APPLICATION_PROTOCOL: "the other end wants another protocol inside it",
  TLSV1_ALERT_NO_APPLICATION_PROTOCOL: "the other end wants another protocol inside it",
};

function handshakeFault(error: Error): string {
  const name = /[A-Z0-9_]{6,}$/.exec(error.message)?.[0];
  if (name === undefined) return "the other end closed during the handshake";
  return FAULTS[name] ?? `the handshake failed with ${name}`;
}
