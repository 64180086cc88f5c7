import type { Conversation } from "../conversation.ts";
import { ClientSite } from "./client-site.ts";
import { DecoderSite } from "./decoder.ts";
import { MemorySite } from "./memory-site.ts";
import type { Site, SiteOptions } from "./site.ts";
import { SocketSite } from "./socket-site.ts";
import { WebTarget } from "./web-site.ts";

export type TargetName = "decoder" | "memory" | "client" | "socket" | "web";

export interface TargetRule {
  /** Cases that are played at once. */
  readonly group: number;
  /** Cases until everything is made anew, and looked over. */
  readonly perSite: number;
  /** Which conversations fit it; all in frames when absent. */
  readonly plays?: Conversation["plays"];
  /** Runs that a finding is worth. */
  readonly minimisingRuns: number;
}

export const TARGETS: Readonly<Record<TargetName, TargetRule>> = {
  decoder: { group: 1, perSite: 10_000, minimisingRuns: 400 },
  memory: { group: 6, perSite: 600, plays: "client", minimisingRuns: 400 },
  client: { group: 6, perSite: 1_200, plays: "server", minimisingRuns: 400 },
  socket: { group: 32, perSite: 1_600, plays: "client", minimisingRuns: 60 },
  web: { group: 48, perSite: 2_400, plays: "web", minimisingRuns: 60 },
};

export async function openTarget(target: TargetName, options: SiteOptions): Promise<Site> {
  switch (target) {
    case "decoder":
      return new DecoderSite(options);
    case "memory":
      return MemorySite.open(options);
    case "client":
      return new ClientSite(options);
    case "socket":
      return SocketSite.open(options);
    case "web":
      return WebTarget.open(options);
  }
}
