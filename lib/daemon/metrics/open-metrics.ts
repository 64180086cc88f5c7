import type { CommServer } from "../../server/server.ts";
import { healthOf } from "./health.ts";
import { openMetricsDoor } from "./metrics-door.ts";
import { ServerMetrics } from "./server-metrics.ts";

/** Serve the metrics and the health of a server. @throws as openMetricsDoor() */
export function openMetrics(
  server: CommServer,
  repository: string,
  at: { readonly host: string; readonly port: number },
  closeFrom: number | undefined,
): { readonly port: number; stop(): void } {
  const metrics = new ServerMetrics(server);
  const health = healthOf(server.events, repository);
  return openMetricsDoor(at, { metrics: () => metrics.collect(), health }, closeFrom);
}
