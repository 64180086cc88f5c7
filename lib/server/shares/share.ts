import { joinPath } from "../../path.ts";
import type { ServerEvent, ShareOutcome } from "../../protocol/methods.ts";
import type { Storage } from "../../storage/storage.ts";
import { BlockDigestCache } from "../block-digests.ts";
import { DigestCache } from "../digest-cache.ts";
import type { LiveShare, ServerParts } from "../parts.ts";

/** Files of one client for one other, and how far they have come. */
export class Share implements LiveShare {
  readonly id: string;
  /** The token of the client that shares; undefined: it has none. */
  readonly owner: string | undefined;
  readonly endsAt: number;
  readonly parts: ServerParts;
  fetcher: string | undefined;
  /** Files may come until it is offered. */
  isOffered = false;
  #outcome: ShareOutcome | undefined;
  readonly #over = new AbortController();

  constructor(
    facts: Pick<Share, "id" | "owner" | "endsAt">,
    storage: Storage,
    server: ServerParts,
    createSha256: ConstructorParameters<typeof DigestCache>[1],
  ) {
    this.id = facts.id;
    this.owner = facts.owner;
    this.endsAt = facts.endsAt;
    this.parts = {
      ...server,
      storage,
      digests: new DigestCache(storage, createSha256, server.clock),
      transfers: { ...server.transfers, blockDigests: new BlockDigestCache() },
      events: {
        emit: (event) => server.events.emit(this.#inWhole(event)),
        subscribe: () => () => {},
        ended: server.events.ended,
      },
    };
  }

  get isComplete(): boolean {
    return this.isOffered || this.#outcome !== undefined;
  }

  get outcome(): ShareOutcome | undefined {
    return this.#outcome;
  }

  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** Only the first outcome counts. @returns whether this is it */
  end(outcome: ShareOutcome): boolean {
    if (this.#outcome !== undefined) return false;
    this.#outcome = outcome;
    this.#over.abort();
    return true;
  }

  /** The operator sees which share a file belongs to. */
  #inWhole(event: ServerEvent): ServerEvent {
    return event.event === "stored" ? { ...event, path: joinPath(this.id, event.path) } : event;
  }
}
