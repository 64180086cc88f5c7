import type { Duplex } from "node:stream";
import type { HttpConnection } from "./http-connection.ts";

/** Refuse bytes that node:http could not parse as a request, and end the connection. */
export function refuseRaw(connection: Duplex, status: string): void {
  if (connection.destroyed || !connection.writable) return;
  const body = `${status}\n`;
  connection.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
}

/** The same, when the requests before have been answered. */
export function refuseInTurn(connection: HttpConnection, status: string): void {
  void connection.inTurn(async () => refuseRaw(connection, status)).catch(() => connection.destroy());
}

/** The status line for a head that can't be read. */
export function statusOfFault(error: Error): string {
  const code = "code" in error ? String(error.code) : "";
  return code === "HPE_HEADER_OVERFLOW" ? "431 Request Header Fields Too Large" : "400 Bad Request";
}
