import { joinPath } from "../../path.ts";
import type { ServerEvent, SessionRow } from "../../protocol/methods.ts";
import type { Storage } from "../../storage/storage.ts";
import type { DigestCache } from "../digest-cache.ts";
import type { Member } from "../member.ts";
import type { ServerParts } from "../parts.ts";

/** The view of one limited token. */
export interface LimitedView {
  /** Its name. */
  readonly token: string;
  /** Its folder, as a path in the whole repository. */
  readonly folder: string;
  /** The tree below that folder. */
  readonly storage: Storage;
  readonly digests: DigestCache;
  /** The paths of files that were stored under others than was asked for, until their events are made. */
  readonly dropped: Map<string, string>;
}

/**
 * A server as the sessions of a limited token see it: as if their folder were all of the repository, and they were alone.
 * Methods can't tell the difference, so none can forget it. Source: PROTOCOL.md, "Limited tokens".
 */
export function limitedParts(
  server: ServerParts,
  { token, folder, storage, digests, dropped }: LimitedView,
): ServerParts {
  const members = {
    get clients() {
      return server.members.clients.filter((member) => member.token === token);
    },
    find(name: string) {
      const found = server.members.find(name);
      return found?.token === token ? found : undefined;
    },
  };
  return {
    ...server,
    storage,
    digests: digests.within(folder, storage),
    transfers: {
      ...server.transfers,
      blockDigests: {
        of: (entry) => server.transfers.blockDigests.of({ ...entry, path: joinPath(folder, entry.path) }),
      },
    },
    members,
    // Rows of the ledger say nothing of their tokens: only the sessions that live are known to be its own.
    ledger: {
      page: (before, limit) => {
        const rows = members.clients.filter(({ id }) => id < before).map(rowOf);
        return rows.sort((one, other) => other.id - one.id).slice(0, limit);
      },
      total: () => members.clients.length,
    },
    seats: {
      max: server.seats.max,
      get taken() {
        return members.clients.length;
      },
      maxWaiting: server.seats.maxWaiting,
      waiting: 0,
    },
    // It learns whether a name has a mailbox from none.
    mail: server.mail,
    events: {
      emit: (event) => server.events.emit(inWhole(asStored(event, dropped), folder)),
      subscribe: () => () => {},
      ended: server.events.ended,
    },
  };
}

/** The event with the path that a dropped file has got. */
function asStored(event: ServerEvent, dropped: Map<string, string>): ServerEvent {
  if (event.event !== "stored") return event;
  const path = dropped.get(event.path) ?? event.path;
  dropped.delete(event.path);
  return { ...event, path };
}

/** The event as the operator has it, with paths in the whole repository. */
function inWhole(event: ServerEvent, folder: string): ServerEvent {
  switch (event.event) {
    case "stored":
    case "removed":
      return { ...event, path: joinPath(folder, event.path) };
    case "renamed":
      return { ...event, from: joinPath(folder, event.from), to: joinPath(folder, event.to) };
    default:
      return event;
  }
}

function rowOf({ id, name, address, startedAt, counters }: Member): SessionRow {
  return { id, name, address, startedAt, endedAt: null, reason: null, ...counters };
}
