/** Numbers of the wire, version 1. Source: PROTOCOL.md, "Frames" and "Limits". */

/** The names of optional features. Source: PROTOCOL.md, "Handshake". */
export const WORKING_CAPABILITY = "working";

/** FILE of a `get` may have the SHA-256. Source: PROTOCOL.md, "get". */
export const DIGESTS_CAPABILITY = "digests";

/** FILE may announce holes. Source: PROTOCOL.md, "Holes". */
export const HOLES_CAPABILITY = "holes";

/** Blocks of a file may come as what has changed in them. Source: PROTOCOL.md, "Patches". */
export const PATCHES_CAPABILITY = "patches";

/** Paths may have backslashes, and begin with a letter and a colon. Source: PROTOCOL.md, "Methods". */
export const NAMES_CAPABILITY = "names";

/** Messages may be kept for names that are not here. Source: PROTOCOL.md, "Mailbox". */
export const MAILBOX_CAPABILITY = "mailbox";

export const CAPABILITIES: readonly string[] = [
  WORKING_CAPABILITY,
  DIGESTS_CAPABILITY,
  HOLES_CAPABILITY,
  PATCHES_CAPABILITY,
  NAMES_CAPABILITY,
  MAILBOX_CAPABILITY,
];

export const PROTOCOL_VERSION = 1;

/** First byte of every frame. Not ASCII and not a TLS record type, so that another protocol is recognised at once. */
export const MAGIC = 0xc5;
export const HEADER_BYTES = 16;

/** Largest JSON payload of any control frame. */
export const MAX_CONTROL_BYTES = 64 * 1024;
/** Largest HELLO and WELCOME: the most that a peer may make the other side keep before there is a session. */
export const MAX_HELLO_BYTES = 4 * 1024;
/** Largest REFUSE, GOAWAY and RESET payload. */
export const MAX_REASON_BYTES = 4 * 1024;
/** Largest DATA payload that a receiver takes. */
export const MAX_DATA_BYTES = 1024 * 1024;
/** Deepest nesting of a JSON payload. */
export const MAX_JSON_DEPTH = 32;

/** Largest balance of credit that a stream may reach (as HTTP/2's window, RFC 9113 section 6.9.1). */
export const MAX_CREDIT = 0x7fff_ffff;
export const MAX_STREAM_ID = 0xffff_ffff;

/** Longest text of one message, in UTF-16 code units; fits a control frame in any script. */
export const MAX_TEXT_LENGTH = 8 * 1024;

/** The header before every chunk of a transfer. Source: PROTOCOL.md, "Chunks". */
export const CHUNK_HEADER_BYTES = 24;
/** Largest JSON payload of a chunk: it holds a path of 4096 bytes, escaped. */
export const MAX_FACTS_BYTES = 64 * 1024;
