import * as v from "valibot";
import type { EventCode } from "../event-codes.ts";
import type { Role } from "../messages.ts";

/** `events`. Source: PROTOCOL.md, "events". */

/** The server's events, for its operator: the body records of `events`, and the log. */
export type ServerEvent =
  | { event: "listening"; address: string }
  | { event: "joined"; name: string; address: string; role: Role; token?: string; nick?: string; link?: string }
  | {
      event: "left";
      name: string;
      address: string;
      role: Role;
      reason: string;
      message: string;
      bytesIn: number;
      bytesOut: number;
      messagesIn: number;
      messagesOut: number;
    }
  | { event: "waiting"; address: string; position: number }
  /** `count`: the number of refusals of one address and code that it stands for. */
  | { event: "refused"; address: string; code: EventCode; message: string; count?: number }
  | { event: "message"; from: string; token?: string; nick?: string; to: string; text: string }
  /** A message is kept for a token's name; `collected`: its holder has taken this many; `dropped`: nobody will. */
  | { event: "kept"; from: string; token?: string; nick?: string; to: string }
  | { event: "collected"; name: string; token: string; messages: number }
  | { event: "dropped"; token: string; messages: number; reason: "cleared" | "expired" | "revoked" }
  /** `count`: the number of failures of one session and code that it stands for. */
  | { event: "failed"; name: string; method: string; code: EventCode; message: string; count?: number }
  /** Of HTTP. `target`: as it came, without secrets; `bytes`: of the answer. */
  | {
      event: "request";
      name: string;
      method: string;
      target: string;
      status: number;
      bytes: number;
      outcome: "whole" | "cut";
    }
  | { event: "stored"; name: string; path: string; size: number }
  | { event: "removed"; name: string; path: string }
  | { event: "renamed"; name: string; from: string; to: string }
  | { event: "away"; name: string; address: string; message: string }
  | { event: "returned"; name: string; address: string }
  | { event: "cleaned"; path: string; size: number }
  | {
      event: "issued";
      name: string;
      token: string;
      role: Role;
      folder?: string | undefined;
      quotaBytes?: number | undefined;
      drop?: boolean | undefined;
      uses?: number | undefined;
    }
  /** A code was made; the token is issued when a client proves it. */
  | { event: "offered"; name: string; token: string; role: Role; endsAt: number }
  | { event: "revoked"; name: string; token: string }
  | { event: "linked"; name: string; link: string; path: string; expiresAt: number }
  | { event: "unlinked"; name: string; link: string }
  /** Files are offered to the client that proves a code; and what came of it. */
  | { event: "shared"; name: string; share: string; endsAt: number }
  | {
      event: "unshared";
      share: string;
      outcome: "fetched" | "ended" | "expired" | "spoilt";
      address?: string | undefined;
    }
  /** `changed`: what was read again and is another now: "certificate", "tokens", and names of settings. */
  | { event: "reloaded"; changed: string[] }
  | { event: "draining"; on: boolean }
  | { event: "stopping"; message: string }
  | { event: "warning"; message: string };

/** The only member that a reader of `events` may rely on; newer servers may send other events. */
export const EventRecord = v.looseObject({ event: v.string() });
export type EventRecord = v.InferOutput<typeof EventRecord>;
