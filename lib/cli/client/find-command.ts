import type { FoundServer } from "../../discovery/service.ts";
import { CommError } from "../../errors.ts";
import { findLocalInvite } from "../../state/local-invite.ts";
import { formatHostPort } from "../../transport/address.ts";
import { type KnownServer, KnownServers } from "../../trust/known-servers.ts";
import { type Recognised, recognise } from "../../trust/recognise.ts";
import type { Command } from "../command.ts";
import { type ConsoleIo, paint } from "../console-io.ts";
import { escapeText, toJson } from "../escape.ts";
import { secondsFlag, stateDirFlag } from "../flag-values.ts";
import { formatTable } from "../format.ts";
import { interruptible } from "../interruptible.ts";
import { completeCommand, quoteWord } from "../shown-command.ts";
import { unlessAborted } from "../unless-aborted.ts";
import { KNOWN_SERVER_FLAGS } from "./servers-command.ts";

export const find: Command = {
  description: "Find the servers that announce themselves on this machine's networks",
  args: {
    listen: {
      type: "string",
      valueHint: "SECONDS",
      default: "3",
      description: "How long to listen for answers",
    },
    ...KNOWN_SERVER_FLAGS,
  },
  async run(flags, io) {
    const listenMs = secondsFlag(flags, "listen");
    const isJson = flags["json"] === true;
    const known = new KnownServers(stateDirFlag(flags)).list();
    if (!isJson && io.noteIsTty) io.note(`Listening for ${listenMs / 1000} s …`);
    // Loaded for this alone: it makes every start longer.
    const { findServers } = await import("../../discovery/find-servers.ts");
    const found = await interruptible((signal) => unlessAborted(findServers(listenMs, signal), signal));
    if (found.length === 0) throw new CommError("NO_SUCH_SERVER", "No server announces itself on these networks.");
    const seen = found.map((server) => ({ server, ...recognise(server, withLocal(known, server)) }));
    if (isJson) await io.out(`[\n${seen.map((each) => toJson(recordOf(each))).join(",\n")}\n]\n`);
    else await show(seen, io);
    return 0;
  },
};

interface Seen extends Recognised {
  readonly server: FoundServer;
}

/** The server that this user runs on this machine is known without being joined. */
function withLocal(known: readonly KnownServer[], { port }: FoundServer): KnownServer[] {
  const local = findLocalInvite(port);
  if (local === undefined) return [...known];
  const address = formatHostPort("localhost", port);
  return [{ name: address, addresses: [address], identity: local.identity }, ...known];
}

async function show(seen: readonly Seen[], io: ConsoleIo): Promise<void> {
  const rows = seen.map((each) => cellsOf(each, io.outColumns));
  await io.out(`${formatTable(["NAME", "ADDRESS", "SEATS", "KNOWN AS", "IDENTITY"], rows, io.outColumns)}\n`);
  for (const each of seen) {
    if (each.differs !== undefined) io.note(paint(io, "yellow", warningOf(each.server, each.differs)));
  }
  for (const [what, command] of nextSteps(seen)) io.note(`${what}\n  ${command}`);
}

/** What to type next, with an example of each kind. */
function nextSteps(seen: readonly Seen[]): [what: string, command: string][] {
  const known = seen.find((each) => each.known.length > 0);
  const strangers = seen.filter((each) => each.known.length === 0 && each.differs === undefined);
  const stranger = strangers.find(({ server }) => server.isEncrypted !== false) ?? strangers[0];
  const steps: [string, string][] = [];
  if (known !== undefined) steps.push(["Connect to a known server:", connectTo(known)]);
  if (stranger === undefined) return steps;
  steps.push(["Join another, with its invite:", completeCommand("commserver-client join INVITE")]);
  const isPlain = stranger.server.isEncrypted === false;
  return [...steps, [isPlain ? "Or without encryption:" : "Or see its identity at first sight:", connectTo(stranger)]];
}

/** No line is wider than the window. */
function cellsOf({ server, known, differs }: Seen, columns = Number.POSITIVE_INFINITY): string[] {
  const knownAs = differs === undefined ? known.map(({ name }) => name).join(", ") || "-" : "NOT AS KNOWN";
  const identity = server.isEncrypted === false ? "not encrypted" : (server.fingerprint ?? "not told");
  const cells = [server.name, addressesOf(server)[0] ?? "", String(server.seats ?? "?"), knownAs, identity];
  return cells.map((cell) => cut(escapeText(cell), columns - 4));
}

function cut(text: string, columns: number): string {
  if (Bun.stringWidth(text) <= columns) return text;
  let short = "";
  for (const character of text) {
    if (Bun.stringWidth(`${short}${character}…`) > columns) break;
    short += character;
  }
  return `${short}…`;
}

function warningOf(server: FoundServer, { name, identity }: KnownServer): string {
  const shown = server.isEncrypted === false ? "no encryption" : (server.fingerprint ?? "none");
  return [
    `Warning: ${server.name} is not the server known as ${name}, or has a new identity.`,
    "Somebody may be imitating it!",
    `  known      ${identity}`,
    `  announced  ${shown}`,
  ]
    .map(escapeText)
    .join("\n");
}

/** For programs. */
function recordOf(seen: Seen): object {
  const { server, known, differs } = seen;
  const { name, isEncrypted, fingerprint, seats } = server;
  return {
    name,
    addresses: addressesOf(server),
    tls: isEncrypted ?? null,
    fingerprint: fingerprint ?? null,
    seats: seats ?? null,
    known: known.map((each) => each.name),
    ...(differs === undefined
      ? { connect: connectTo(seen) }
      : { differs: { name: differs.name, identity: differs.identity } }),
  };
}

/** The command that connects to it. */
function connectTo({ server, known }: Seen): string {
  const name = known[0]?.name ?? addressesOf(server)[0] ?? "";
  const plain = server.isEncrypted === false ? " --plaintext" : "";
  return completeCommand(`commserver-client --server ${quoteWord(escapeText(name))}${plain}`);
}

function addressesOf({ hosts, port }: FoundServer): string[] {
  return hosts.map((host) => formatHostPort(host, port));
}
