import type { ErrorCode } from "../errors.ts";
import type { Role } from "../protocol/messages.ts";
import type { Side } from "./asks.ts";

/** What the application tells every page that is open: `{"event": "job", …}`. Plain data, as JSON carries it. */
export type AppEvent =
  | { readonly event: "link"; readonly link: LinkFacts }
  | { readonly event: "job"; readonly job: JobFacts }
  | { readonly event: "dismissed"; readonly job: number }
  | { readonly event: "message"; readonly message: MessageFacts }
  /** What the folder that `follow` named holds may have changed. */
  | { readonly event: "changed"; readonly side: Side; readonly path: string };

/** The session with the server. */
export interface LinkFacts {
  /** `over`: it ended, and nothing brings it back by itself. */
  readonly state: "connecting" | "queued" | "up" | "lost" | "over";
  /** The place in the queue, from 1. */
  readonly position?: number | undefined;
  readonly error?: ErrorFacts | undefined;
  /** The server's name for this session, and how others see it. */
  readonly name?: string | undefined;
  readonly token?: string | undefined;
  readonly role?: Role | undefined;
}

export interface ErrorFacts {
  readonly code: ErrorCode;
  /** What happened, and to what. The page has the words for what to do about the code. */
  readonly message: string;
}

/** An entry of a folder. */
export interface EntryFacts {
  /** Its name in the folder; of what a search finds, its path below the folder. */
  readonly name: string;
  readonly kind: "file" | "folder" | "link" | "other";
  /** Bytes; 0 for anything but a file. */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modifiedAt: number;
}

/** The end of a list. */
export interface Listing {
  /** The path of the folder as its side writes it. */
  readonly path: string;
  /** The path of the folder above; absent for the top. */
  readonly parent?: string | undefined;
  readonly entries: number;
  /** Entries that can't be shown: unreadable, or with names that can't be served. */
  readonly leftOut: number;
  /** There may be more: the search ended early. */
  readonly isCut?: boolean | undefined;
}

export type JobState = "waiting" | "running" | "paused" | "asking" | "done" | "failed" | "cancelled";

/** A transfer. Counts are of files; bytes are of their contents. */
export interface JobFacts {
  readonly id: number;
  /** The side that it moves from. */
  readonly from: Side;
  readonly paths: readonly string[];
  readonly into: string;
  readonly state: JobState;
  readonly files: {
    readonly planned: number;
    readonly done: number;
    readonly failed: number;
    readonly skipped: number;
  };
  readonly bytes: { readonly planned: number; readonly done: number };
  /** False while there is more to plan. */
  readonly isPlanned: boolean;
  /** The file that moves at present. */
  readonly current?: string | undefined;
  /** Bytes a second over the last seconds; 0 while nothing moves. */
  readonly rate: number;
  /** When it began and ended, in milliseconds since 1970. */
  readonly startedAt?: number | undefined;
  readonly endedAt?: number | undefined;
  /** Why it ended early. */
  readonly error?: ErrorFacts | undefined;
  /** The first of what failed or was left out. */
  readonly troubles: readonly { readonly path: string; readonly error: ErrorFacts }[];
  /** In the state `asking`: the first files that exist at the target, and how many there are. */
  readonly conflicts?: { readonly count: number; readonly paths: readonly string[] } | undefined;
}

/** A message of the conversation, in either direction. */
export interface MessageFacts {
  readonly id: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** True for one that we sent. */
  readonly isOurs: boolean;
  /** Of one that we received: who sent it. */
  readonly from?: string | undefined;
  readonly token?: string | undefined;
  readonly nick?: string | undefined;
  /** A name, "all", or "" for the server. */
  readonly to: string;
  readonly text: string;
  /** It was kept for us while we were away. */
  readonly wasKept?: boolean | undefined;
  /** Of one that we sent. */
  readonly delivery?: "sending" | "delivered" | "kept" | "failed" | undefined;
  /** Why it was not delivered, or the server's answer. */
  readonly note?: string | undefined;
}
