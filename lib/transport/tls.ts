import type { Socket, TLSOptions } from "bun";
import { TransportError } from "../errors.ts";

/** TLS 1.3 for sockets: what both ends ask for, and who the other end is. Source: PROTOCOL.md, "Encryption". */

const ALPN = "commserver/1";
/** What a server that speaks it as well calls it. */
const ALPN_HTTP = "http/1.1";

/** As the handshake carries them (RFC 7301): the length before each name, the preferred one first. */
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
  /** Whether it speaks HTTP as well, also with peers that name no protocol. */
  readonly withHttp?: boolean;
}

/** The certificate that a server has shown, and proven to own. */
export interface TlsPeer {
  /** `SHA256:` and the digest of the certificate (DER) in base64 without padding. */
  readonly fingerprint: string;
  /** Why its chain or its name does not hold; undefined when both do. */
  readonly fault: string | undefined;
}

/** How a client verifies the server. */
export interface Trust {
  /** Certificates of authorities, PEM, in place of those that browsers trust. */
  readonly ca?: string | undefined;
  /** Called before the first byte is sent. @throws CommError when this is not the right server */
  verify(peer: TlsPeer): void;
}

/** `minVersion` is missing in Bun's types. */
type Options = TLSOptions & { readonly minVersion: number };

// Every option is set here: Bun takes the others from the environment.

export function serverTls({ cert, key, withHttp = false }: ServerCredentials): Options {
  const names = withHttp ? alpnList(ALPN, ALPN_HTTP) : alpnList(ALPN);
  return { cert, key, ALPNProtocols: names, minVersion: TLS_1_3, requestCert: false, rejectUnauthorized: false };
}

export function clientTls({ ca }: Trust): Options {
  // Trust.verify() refuses, and not Bun: it knows the pins.
  return {
    ALPNProtocols: alpnList(ALPN),
    minVersion: TLS_1_3,
    rejectUnauthorized: false,
    ...(ca !== undefined && { ca }),
  };
}

/** What a handshake has agreed on. */
export interface Agreed {
  /** The name of ALPN; "" where the other end named none. */
  readonly protocol: string;
  /** `tls-exporter` (RFC 9266). */
  readonly binding: Uint8Array;
}

/**
 * What a socket's handshake that has ended, with `error` when it failed, has agreed on. `withHttp`: not only on this protocol.
 *
 * @throws TransportError TLS_FAILED when there is no session of TLS 1.3 for a protocol that is spoken here
 */
export function agreedOn(socket: Socket<unknown>, error: Error | null, withHttp: boolean): Agreed {
  if (error !== null) throw new TransportError("TLS_FAILED", `No TLS: ${handshakeFault(error)}.`, { cause: error });
  // Typed as null for none.
  const protocol = socket.alpnProtocol || "";
  if (protocol !== ALPN && !withHttp) {
    throw new TransportError("TLS_FAILED", "No TLS: the other end offers no protocol of ours.");
  }
  // Typed as void.
  const binding = socket.exportKeyingMaterial(EXPORTER.bytes, EXPORTER.label, EXPORTER.context) as unknown;
  return { protocol, binding: binding as Uint8Array };
}

/** True when a client's handshake is whole, and `error` only says what is wrong with the server's certificate. */
export function isVerdict(error: Error | null): boolean {
  return error !== null && "code" in error && !/^(E[A-Z]+|ERR_SSL_.*)$/.test(String(error.code));
}

/** Whom the other end of a client's socket has shown to be; `error` is Bun's judgement of chain and name. */
export function peerOf(socket: Socket<unknown>, error: Error | null): TlsPeer {
  const { fingerprint256 } = socket.getPeerCertificate();
  const digest = Buffer.from(fingerprint256.replaceAll(":", ""), "hex");
  return { fingerprint: formatFingerprint(digest), fault: error?.message };
}

export function formatFingerprint(digest: Uint8Array): string {
  return `SHA256:${Buffer.from(digest).toString("base64").replace(/=+$/, "")}`;
}

/** OpenSSL's names of what strangers do. */
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
