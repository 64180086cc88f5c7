import { stat } from "node:fs/promises";
import type { EventFeed } from "../../server/event-feed.ts";
import type { Health } from "./metrics-door.ts";

/** A network disk may not answer at all. */
const LOOK_MS = 2_000;

/** Whether a server can serve: it does not stop, and its repository is there. Draining is what its operator wants. */
export function healthOf(events: Pick<EventFeed, "subscribe">, repository: string): () => Promise<Health> {
  let isDraining = false;
  let isStopping = false;
  events.subscribe((event) => {
    if (event.event === "draining") isDraining = event.on;
    if (event.event === "stopping") isStopping = true;
  });
  return async () => {
    if (isStopping) return { status: "stopping", isHealthy: false };
    if (!(await isFolder(repository))) return { status: "no repository", isHealthy: false };
    return { status: isDraining ? "draining" : "ok", isHealthy: true };
  };
}

async function isFolder(path: string): Promise<boolean> {
  const look = stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  return Promise.race([look, Bun.sleep(LOOK_MS).then(() => false)]);
}
