import { inOneLine } from "../support/turns.ts";
import { commserver, commserverTls } from "./commserver.ts";
import { cp } from "./cp.ts";
import { rsyncLocal, sha256sum } from "./local-programs.ts";
import { nginx, nginxTls } from "./nginx.ts";
import type { OpenPeer, Operation, Peer, PeerOptions } from "./peer.ts";
import { rcloneHttp, rcloneSftp } from "./rclone.ts";
import { rsync } from "./rsync.ts";
import { sftp } from "./sftp.ts";

/** In the order of their turns. */
export const PEERS: readonly Peer[] = [
  commserver,
  commserverTls,
  nginx,
  nginxTls,
  rsync,
  sftp,
  rcloneHttp,
  rcloneSftp,
  cp,
  rsyncLocal,
  sha256sum,
];

/** A peer of the fleet, or why it is left out. */
export type Member = { readonly peer: Peer } & ({ readonly open: OpenPeer } | { readonly absent: string });

/** All peers that support an operation, started for the time of its measurement. */
export class Fleet implements AsyncDisposable {
  readonly members: readonly Member[];

  private constructor(members: readonly Member[]) {
    this.members = members;
  }

  /** A peer that can't be started is left out, with the reason. */
  static async open(operation: Operation, options: PeerOptions, peers: readonly Peer[] = PEERS): Promise<Fleet> {
    const members: Member[] = [];
    for (const peer of peers.filter(({ can }) => can.includes(operation))) {
      members.push({ peer, ...(await openOrTell(peer, options)) });
    }
    return new Fleet(members);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const member of this.members) if ("open" in member) await member.open[Symbol.asyncDispose]();
  }
}

async function openOrTell(peer: Peer, options: PeerOptions): Promise<{ open: OpenPeer } | { absent: string }> {
  const missing = peer.missing();
  if (missing.length > 0) return { absent: `skipped: ${missing.join(", ")} not found on this machine` };
  try {
    return { open: await peer.open(options) };
  } catch (error) {
    return { absent: `failed: ${inOneLine(error)}` };
  }
}
