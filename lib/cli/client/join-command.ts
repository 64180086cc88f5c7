import { toCommError } from "../../errors.ts";
import { parseInvite } from "../../protocol/invite.ts";
import { looksLikeCode } from "../../protocol/one-time-code.ts";
import { Connector } from "../../trust/connector.ts";
import { type KnownServer, KnownServers } from "../../trust/known-servers.ts";
import { serverOf } from "../../trust/target.ts";
import type { Command } from "../command.ts";
import { isTyped } from "../configuration/origins.ts";
import { type ConsoleIo, paint } from "../console-io.ts";
import { escapeText, toJson } from "../escape.ts";
import { exposedTokenWarning } from "../exposure-words.ts";
import { secondsFlag, stateDirFlag } from "../flag-values.ts";
import type { Flags } from "../flags.ts";
import { interruptible } from "../interruptible.ts";
import { readSecret } from "../secret-source.ts";
import { completeCommand } from "../shown-command.ts";
import { processTrace } from "../trace-file.ts";
import { unlessAborted } from "../unless-aborted.ts";
import { UsageError } from "../usage-error.ts";
import { VERSION } from "../version.ts";
import { type Contact, checkName, joinByCode, serverName } from "./join-code.ts";
import { KNOWN_SERVER_FLAGS } from "./servers-command.ts";

export const join: Command = {
  description: "Remember a server from its invite or a one-time code; then --server NAME is enough",
  args: {
    invite: {
      type: "positional",
      required: false,
      // Copied from a terminal, an invite may be cut into several words.
      valueHint: "…",
      description: "The line, or the 10 digits, from the server; -: from standard input; default: COMMSERVER_INVITE",
    },
    server: {
      type: "string",
      alias: "s",
      valueHint: "SERVER",
      description: "Where the server of a code is; default: COMMSERVER_SERVER, or what announces itself here",
    },
    plaintext: { type: "boolean", description: "The server of a code uses no encryption" },
    name: {
      type: "string",
      alias: "n",
      valueHint: "NAME",
      description: "What to call the server; default: its own name",
    },
    offline: { type: "boolean", description: "Don't connect to the server to see whether it answers" },
    timeout: { type: "string", valueHint: "SECONDS", default: "10", description: "How long connecting may take" },
    overwrite: { type: "boolean", description: "Replace a known server of that name" },
    ...KNOWN_SERVER_FLAGS,
  },
  completes: { server: "server" },
  // Replacing a known identity is decided each time.
  typedOnly: ["name", "overwrite"],
  async run(flags, io) {
    const line = await inviteLine(flags);
    const isJson = flags["json"] === true;
    const known = new KnownServers(stateDirFlag(flags));
    const before = known.list();
    if (looksLikeCode(line)) {
      const { server, contact } = await joinByCode(line, flags, io);
      tellReplaced(before, server, io);
      await show(server, flags, io);
      if (isJson) await io.out(`${toJson({ ...shownOf(server), contact })}\n`);
      else await showContact(contact, io);
      return 0;
    }
    const surplus = ["server", "plaintext"].find((flag) => isTyped(flags, flag));
    if (surplus !== undefined)
      throw new UsageError(`--${surplus} is only for a code: an invite says where its server is.`);
    const invite = parseInvite(line);
    const server = serverOf(invite, serverName(flags) ?? checkName(invite.label));
    known.join(server, { replace: flags["overwrite"] === true });
    tellReplaced(before, server, io);
    await show(server, flags, io);
    const contact = flags["offline"] === true ? undefined : await tryServer(server, flags);
    if (isJson) await io.out(`${toJson({ ...shownOf(server), ...(contact && { contact }) })}\n`);
    else if (contact !== undefined) await showContact(contact, io);
    return 0;
  },
};

/** The facts of a joined server for programs. */
function shownOf({ name, addresses, identity }: KnownServer): object {
  return { name, addresses, identity };
}

/** The token that was kept for the server until now is lost here: its secret is shown nowhere again. */
function tellReplaced(before: readonly KnownServer[], { name, token }: KnownServer, io: ConsoleIo): void {
  const kept = before.find((server) => server.name === name)?.token;
  const [old, now] = [nameOf(kept), nameOf(token)];
  if (old === undefined || now === undefined || kept === token) return;
  const whose = old === now ? `A new secret of the token ${now}` : `The token ${now}`;
  io.note(
    escapeText(`${whose} takes the place of ${old === now ? "the old one" : old}, which is no longer kept here.`),
  );
}

function nameOf(token: string | undefined): string | undefined {
  return token?.split(":", 1)[0];
}

/** What was joined, for people; and a warning when others can read its token. */
async function show(server: KnownServer, flags: Flags, io: ConsoleIo): Promise<void> {
  const exposed = new KnownServers(stateDirFlag(flags)).exposedToken(server);
  if (exposed !== undefined) io.note(escapeText(exposedTokenWarning(exposed)));
  if (flags["json"] === true) return;
  const { name, identity } = server;
  const plaintext = identity === null ? " --plaintext" : "";
  const talk = completeCommand(`commserver-client --server ${escapeText(name)}${plaintext}`, stateDirOf(flags));
  await io.out(`Joined ${escapeText(name)}. Connect to it with: ${talk}\n`);
}

async function showContact(contact: Contact, io: ConsoleIo): Promise<void> {
  if (!contact.reached) return io.note(paint(io, "yellow", `It can't be used now: ${escapeText(contact.message)}`));
  const { address, role } = contact;
  await io.out(`It answers at ${escapeText(address)}, and the token works: its role is ${role}.\n`);
}

/** Connect once with what was joined. A server that can't be reached now is joined all the same. */
async function tryServer({ name, identity }: KnownServer, flags: Flags): Promise<Contact> {
  const connector = new Connector(
    {
      server: name,
      invite: undefined,
      token: undefined,
      ca: undefined,
      isPlaintext: identity === null,
      acceptNew: false,
      wait: false,
      timeoutMs: secondsFlag(flags, "timeout"),
      stateDir: stateDirFlag(flags),
      agent: `commserver-client/${VERSION}`,
      trace: processTrace(),
    },
    // Nobody is asked to trust another identity than that of the invite.
    { confirm: async () => false, warn: () => {}, onQueued: () => {} },
  );
  try {
    return await interruptible(async (signal) => {
      const client = await unlessAborted(connector.connect(signal), signal);
      const { address = "" } = connector.server ?? {};
      const { role } = client;
      await client.close(0);
      return { reached: true, address, role };
    });
  } catch (thrown) {
    const { code, message } = toCommError(thrown);
    if (code === "INTERRUPTED") throw thrown;
    return { reached: false, code, message };
  }
}

/** The flags that the suggested command needs as well. */
function stateDirOf(flags: Flags): string[] {
  return flags["state-dir"] === undefined ? [] : ["--state-dir", String(flags["state-dir"])];
}

async function inviteLine(flags: Flags): Promise<string> {
  const given = flags._.length === 0 ? undefined : flags._.join("");
  const line = given === undefined || given === "-" ? await readSecret(given, "COMMSERVER_INVITE") : given;
  if (line === undefined)
    throw new UsageError("Name an invite or a code: join INVITE, or join - to read it from standard input.");
  return line;
}
