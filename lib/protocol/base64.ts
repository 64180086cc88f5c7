import { ProtocolError } from "../errors.ts";

export function encodeBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

/** `what`: the subject of the error's message. @throws ProtocolError BAD_PAYLOAD */
export function decodeBase64(text: string, what: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch (cause) {
    throw new ProtocolError("BAD_PAYLOAD", `${what} is not base64.`, { cause });
  }
}
