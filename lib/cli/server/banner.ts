import type { Serving } from "../../daemon/daemon.ts";
import { networkAddresses } from "../../daemon/own-addresses.ts";
import { formatBytes } from "../../format-bytes.ts";
import { DEFAULT_PORT, formatHostPort, isLoopback } from "../../transport/address.ts";
import { type ConsoleIo, paint } from "../console-io.ts";
import { escapeText } from "../escape.ts";
import { plural } from "../format.ts";
import { breakWords } from "../line-breaks.ts";
import { stateDirWords } from "../shown-command.ts";
import { VERSION } from "../version.ts";
import { isBlockedByBrowsers } from "./browser-ports.ts";

/** The first JSON line of --json. */
export function listeningRecord(serving: Serving): object {
  const {
    host,
    port,
    repository,
    isWritable,
    isOpen,
    isPlaintext,
    maxClients,
    maxWaiting,
    maxMemory,
    stateDir,
    metrics,
    announced,
  } = serving;
  return {
    at: Date.now(),
    event: "listening",
    host: host ?? "::",
    port,
    tls: !isPlaintext,
    fingerprint: serving.fingerprint,
    invite: serving.invite ?? null,
    open: isOpen,
    web: serving.web,
    metrics: metrics === undefined ? null : formatHostPort(metrics.host, metrics.port),
    pin: serving.pin,
    announced: announced ?? null,
    repository,
    writable: isWritable,
    maxClients,
    maxWaiting,
    maxMemory,
    mailbox: serving.mailbox !== undefined,
    sharing: serving.sharing !== undefined,
    stateDir,
    pid: process.pid,
  };
}

/** The banner for people: what is served, where, for whom, and what to type on the other side. */
export function bannerText(serving: Serving, warnings: readonly string[], io: ConsoleIo): string {
  const { repository, isWritable, host, port, stateDir, fingerprint, budget } = serving;
  const row = (label: string, text: string) => rowText(label, text, io);
  const quota = budget.quotaBytes === undefined ? "" : `, ${formatBytes(budget.quotaBytes)} at most`;
  let text = `${paint(io, "bold", `CommServer ${VERSION}`)}\n`;
  const writing = serving.canWrite
    ? "clients may write"
    : "clients may write, but the folder can't be written: see below";
  text += row("Serving", `${escapeText(repository)} (${isWritable ? writing + quota : "read-only"})`);
  text += row("Listening", host === undefined ? `all addresses, port ${port}` : formatHostPort(host, port));
  text += row("Access", accessOf(serving));
  if (serving.web !== "off") {
    text += row("Web", webOf(serving));
    for (const hint of webHints(serving)) text += row("", paint(io, "dim", hint));
  }
  if (serving.metrics !== undefined) {
    text += row("Metrics", `http://${formatHostPort(serving.metrics.host, serving.metrics.port)}/metrics`);
  }
  if (fingerprint !== null) text += row("Identity", fingerprint);
  if (serving.announced !== undefined) {
    text += row("Announced", `as ${serving.announced}, for commserver-client find on these networks`);
  }
  text += row("Seats", `${plural(serving.maxClients, "client")}, and ${serving.maxWaiting} may wait`);
  if (serving.mailbox !== undefined) text += row("Mailbox", mailboxOf(serving.mailbox));
  if (serving.sharing !== undefined) {
    const { folder, bytes } = serving.sharing;
    text += row("Sharing", `by codes, ${formatBytes(bytes)} at most, kept in ${escapeText(folder)}`);
  }
  text += row("State", escapeText(stateDir));
  for (const beware of dangers(serving)) text += row("Beware", paint(io, "yellow", beware));
  for (const warning of warnings) text += row("Warning", paint(io, "yellow", escapeText(warning)));
  text += "\n";
  for (const [label, command, note] of connectLines(serving)) {
    text += row(label, paint(io, "cyan", command));
    if (note !== undefined) text += row("", paint(io, "dim", note));
  }
  return `${text}\n`;
}

/** A text beside its label, or in a narrow window below it. */
function rowText(label: string, text: string, io: ConsoleIo): string {
  const columns = io.outColumns ?? Number.POSITIVE_INFINITY;
  const isNarrow = columns < NARROW;
  const margin = " ".repeat(isNarrow ? 4 : 15);
  const lines = breakWords(text, columns - margin.length).join(`\n${margin}`);
  const before = isNarrow ? (label === "" ? "" : `  ${label}\n`) + margin : `  ${label.padEnd(12)} `;
  return `${before === margin ? before : paint(io, "dim", before)}${lines}\n`;
}

/** Fewer columns have no room for two columns of text. */
const NARROW = 60;

function accessOf({ isOpen }: Serving): string {
  return isOpen ? "anyone may read, without a token (--open)" : "with a token";
}

/** The address for a browser on this machine, or the one that the server listens on. */
function webOf({ host, port, isPlaintext, web, isWritable }: Serving): string {
  const address = `${isPlaintext ? "http" : "https"}://${formatHostPort(host ?? "localhost", port)}/files/`;
  return web === "on" && isWritable ? address : `${address} (read-only)`;
}

/** How people without the client log in, and how curl knows the server. */
function webHints({ isOpen, pin, stateDir }: Serving): string[] {
  const login = `for a login (NAME:SECRET): commserver-server token add web --role read${stateDirWords(stateDir)}`;
  const user = isOpen ? "" : "--user NAME:SECRET ";
  const curl = `for curl: ${user}--insecure --pinnedpubkey ${pin}`;
  return [...(isOpen ? [] : [login]), ...(pin === null ? [] : [curl])];
}

function mailboxOf({ messages, bytes, ms }: NonNullable<Serving["mailbox"]>): string {
  return `${plural(messages, "message")} for a name that is not here, ${formatBytes(bytes)} in all, for ${plural(ms / 86_400_000, "day")}`;
}

/** What the operator should know about how open the server is. */
export function dangers({ isPlaintext, isOpen, host, port, web }: Serving): string[] {
  const dangers: string[] = [];
  if (isPlaintext && (host === undefined || !isLoopback(host))) {
    const others = isOpen ? "read it all" : "read what crosses the wire, and change it";
    dangers.push(`nothing is encrypted (--plaintext): anyone who can listen on the network can ${others}`);
  }
  if (web !== "off" && isBlockedByBrowsers(port)) dangers.push(`browsers refuse port ${port}: choose another --port`);
  return dangers;
}

/** What to type, here and elsewhere. */
function connectLines(serving: Serving): [label: string, command: string, note?: string][] {
  const { host, port, isOpen, isPlaintext, invite, stateDir } = serving;
  const lines: [string, string, string?][] = [];
  const plain = isPlaintext ? " --plaintext" : "";
  const to = (address: string) => ` --server ${formatHostPort(address, port)}`;
  const isHere = host === undefined || isLoopback(host);
  if (isHere) {
    const isDefault = port === DEFAULT_PORT && host === undefined;
    lines.push(["Connect", `commserver-client${isDefault ? "" : to(host ?? "localhost")}${plain}`]);
  }
  const label = isHere ? "elsewhere" : "Connect";
  const outside = host === undefined ? networkAddresses()[0] : isLoopback(host) ? undefined : host;
  const another = `commserver-server token add NAME${stateDirWords(stateDir)}`;
  if (invite !== undefined) {
    const note = `This invite holds a token and is shown once. For another: ${another}`;
    lines.push([label, `commserver-client join ${invite}`, note]);
  } else if (!isOpen) lines.push([label, "commserver-client join INVITE", `Make an invite: ${another}`]);
  if (isOpen && outside !== undefined) lines.push(["anyone", `commserver-client${to(outside)}${plain}`]);
  return lines;
}
