import { type ErrorCode, toCommError } from "../../errors.ts";
import { parseInvite } from "../../protocol/invite.ts";
import type { Role } from "../../protocol/messages.ts";
import { quote } from "../../quote.ts";
import { Connector } from "../../trust/connector.ts";
import { isServerName, type KnownServer, KnownServers } from "../../trust/known-servers.ts";
import { serverOf } from "../../trust/target.ts";
import type { Command } from "../command.ts";
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
import { KNOWN_SERVER_FLAGS } from "./servers-command.ts";

export const join: Command = {
  description: "Remember a server from its invite; then --server NAME is enough",
  args: {
    invite: {
      type: "positional",
      required: false,
      // Copied from a terminal, an invite may be cut into several words.
      valueHint: "…",
      description: "The line from the server; -: read it from standard input; default: COMMSERVER_INVITE",
    },
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
  // Replacing a known identity is decided each time.
  typedOnly: ["name", "overwrite"],
  async run(flags, io) {
    const invite = parseInvite(await inviteLine(flags));
    const name = String(flags["name"] ?? invite.label);
    if (!isServerName(name))
      throw new UsageError(
        `${quote(name)} can't name a server: use letters, digits, "_" and "-", beginning with a letter.`,
      );
    const known = new KnownServers(stateDirFlag(flags));
    const server = serverOf(invite, name);
    known.join(server, { replace: flags["overwrite"] === true });
    const exposed = known.exposedToken(server);
    if (exposed !== undefined) io.note(escapeText(exposedTokenWarning(exposed)));
    const { addresses, identity } = server;
    const isJson = flags["json"] === true;
    if (!isJson) {
      const plaintext = identity === null ? " --plaintext" : "";
      const talk = completeCommand(`commserver-client --server ${escapeText(name)}${plaintext}`, stateDirOf(flags));
      await io.out(`Joined ${escapeText(name)}. Connect to it with: ${talk}\n`);
    }
    const contact = flags["offline"] === true ? undefined : await tryServer(server, flags, io);
    if (isJson) await io.out(`${toJson({ name, addresses, identity, ...(contact && { contact }) })}\n`);
    return 0;
  },
};

/** What came of connecting to the server once, for programs. */
type Contact =
  | { readonly reached: true; readonly address: string; readonly role: Role }
  | { readonly reached: false; readonly code: ErrorCode; readonly message: string };

/** Connect once with what was joined, and say what works. A server that can't be reached now is joined all the same. */
async function tryServer({ name, identity }: KnownServer, flags: Flags, io: ConsoleIo): Promise<Contact> {
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
  const isJson = flags["json"] === true;
  try {
    return await interruptible(async (signal) => {
      const client = await unlessAborted(connector.connect(signal), signal);
      const { address = "" } = connector.server ?? {};
      const { role } = client;
      await client.close(0);
      if (!isJson) await io.out(`It answers at ${escapeText(address)}, and the token works: its role is ${role}.\n`);
      return { reached: true, address, role };
    });
  } catch (thrown) {
    const { code, message } = toCommError(thrown);
    if (code === "INTERRUPTED") throw thrown;
    if (!isJson) io.note(paint(io, "yellow", `It can't be used now: ${escapeText(message)}`));
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
    throw new UsageError("Name an invite: join INVITE, or join - to read it from standard input.");
  return line;
}
