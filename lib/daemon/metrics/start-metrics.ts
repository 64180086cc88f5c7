import type { CommServer } from "../../server/server.ts";
import type { DaemonSettings } from "../settings.ts";

/** Loaded only for those who want it. */
export async function startMetrics(
  server: CommServer,
  repository: string,
  { metrics }: Pick<DaemonSettings, "metrics">,
  closeFrom: number | undefined,
): Promise<{ readonly port: number; stop(): void } | undefined> {
  if (metrics === undefined) return undefined;
  const { openMetrics } = await import("./open-metrics.ts");
  return openMetrics(server, repository, metrics, closeFrom);
}
