import { readFileSync } from "node:fs";
import { toCommError } from "../../errors.ts";
import { formatToken, type Token } from "../../protocol/token.ts";
import { quote } from "../../quote.ts";
import { Access } from "../../server/access/access.ts";
import { createSecret, type KnownToken, LOCAL_TOKEN, TokenStore } from "../../server/access/token-store.ts";
import { createVerifier } from "../../server/access/verifier.ts";
import { type Identity, openIdentity, parseIdentity } from "../../server/identity.ts";
import { Ledger } from "../../server/ledger.ts";
import { memoryLimits } from "../../server/memory-limits.ts";
import { CommServer } from "../../server/server.ts";
import { systemClock } from "../../session/clock.ts";
import { serverWarnings } from "../../state/exposed-state.ts";
import { noteState } from "../../state/known-states.ts";
import { leaveLocalInvite } from "../../state/local-invite.ts";
import { privatePlaces } from "../../state/private.ts";
import { identityFile, ledgerFile, makeStateDir, tokensFile } from "../../state/state-dir.ts";
import { BoundedStorage } from "../../storage/bounded.ts";
import { digest64 } from "../../storage/digest64.ts";
import { readError } from "../../storage/disk-error.ts";
import { FewFilesStorage } from "../../storage/few-files.ts";
import { LocalStorage } from "../../storage/local/local.ts";
import { missingLocks } from "../../storage/local/locks/lock-probe.ts";
import { writeFault } from "../../storage/local/write-probe.ts";
import type { Storage } from "../../storage/storage.ts";
import { processTrace } from "../trace-file.ts";
import { VERSION } from "../version.ts";
import type { Serving } from "./banner.ts";
import { type Invitation, identityOf, inviteFor, ownAddresses, saveInvitation } from "./invitation.ts";
import { listenOperator, listenPublic } from "./listeners.ts";
import { roomFor } from "./room.ts";
import type { ServeSettings } from "./serve-flags.ts";

/** Streams that a client may have, and its credit on each before the stream has its turn: enough for a few requests. */
const MAX_STREAMS = 128;
const FIRST_CREDIT_BYTES = 2 * 1024;
/** What may be under way on a stream that has its turn. */
const MAX_WINDOW_BYTES = 4 * 1024 * 1024;
const MIN_WINDOW_BYTES = 64 * 1024;
const HEARTBEAT_MS = 15_000;
export const HANDSHAKE_MS = 10_000;

export interface Started {
  readonly server: CommServer;
  readonly serving: Serving;
  /** Listen no more. */
  close(): void;
}

export interface StartOptions {
  /** Whether the secret of a first token can be shown to somebody. */
  readonly canShowInvite: boolean;
  onStopRequest(): void;
}

/** Everything that can fail, before anything is shown. @throws CommError with what to do */
export async function start(settings: ServeSettings, options: StartOptions): Promise<Started> {
  const { cert, key } = settings.certificate ?? {};
  const places = privatePlaces(
    settings.stateDir,
    [cert, key].filter((file) => file !== undefined),
  );
  let notice = (_message: string) => {};
  const storage = await LocalStorage.at(settings.repository, { places, onNotice: (message) => notice(message) });
  const stateDir = makeStateDir(settings.stateDir);
  const ledger = Ledger.open(ledgerFile(stateDir));
  try {
    const started = await startIn(stateDir, ledger, storage, settings, options);
    notice = (message) => started.server.events.emit({ event: "warning", message });
    return started;
  } catch (error) {
    ledger.close();
    throw error;
  }
}

async function startIn(
  stateDir: string,
  ledger: Ledger,
  storage: LocalStorage,
  settings: ServeSettings,
  { canShowInvite, onStopRequest }: StartOptions,
): Promise<Started> {
  const { host, isPlaintext, certificate, bandwidth } = settings;
  const trace = processTrace();
  const cannotWrite = settings.isWritable ? writeFault(storage.location) : undefined;
  const identity = isPlaintext ? undefined : await findIdentity(stateDir, certificate);
  const tokens = TokenStore.open(tokensFile(stateDir));
  tokens.keepSalts();
  const local: Token = { name: LOCAL_TOKEN, secret: createSecret() };
  const { maxClients, maxWaiting, maxFiles, closeFrom, warning, ...room } = roomFor(settings);
  // Set when the port is known.
  let invitation: Invitation = { addresses: [], identity: identityOf(identity, certificate !== undefined) };
  const server = new CommServer({
    agent: `commserver-server/${VERSION}`,
    clock: systemClock,
    storage: bounded(maxFiles === undefined ? storage : new FewFilesStorage(storage, maxFiles), settings),
    ledger,
    tokens,
    access: new Access({ clock: systemClock, tokens, open: settings.isOpen, local: localToken(local, tokens) }),
    invite: (token, addresses = invitation.addresses) => inviteFor(token, { ...invitation, addresses }),
    maxClients,
    maxWaiting,
    maxPerAddress: settings.maxPerAddress,
    ...room,
    callRates: settings.callRates,
    bandwidth,
    idleMs: settings.idleMs,
    handshakeMs: HANDSHAKE_MS,
    heartbeatMs: HEARTBEAT_MS,
    limits: { credit: FIRST_CREDIT_BYTES, maxStreams: MAX_STREAMS },
    maxWindow: windowFor(bandwidth.perSession ?? bandwidth.total),
    memory: memoryLimits(settings.maxMemory),
    collect: () => Bun.gc(false),
    graceMs: settings.graceMs,
    writable: settings.isWritable,
    digest64,
    createSha256: () => new Bun.CryptoHasher("sha256"),
    onStopRequest,
  });
  storage.tellLosses((message) => server.events.emit({ event: "warning", message }));
  const listening = listenPublic(
    host,
    settings.port,
    (transport) => server.accept(trace(transport)),
    identity,
    closeFrom?.clients,
  );
  const { port } = listening;
  invitation = { ...invitation, addresses: settings.advertised ?? ownAddresses(host, port) };
  const operator = listenOperator(
    stateDir,
    (transport) => server.accept(trace(transport), "operator"),
    closeFrom?.operators,
  );
  saveInvitation(stateDir, invitation);
  // On this machine there is no name that an authority could have vouched for.
  const fingerprint = identityOf(identity, false);
  noteState(stateDir);
  const localInvite = tryLocalInvite(port, { identity: fingerprint, token: local });
  return {
    server,
    serving: {
      ...settings,
      maxClients,
      maxWaiting,
      port,
      stateDir,
      repository: storage.location,
      canWrite: cannotWrite === undefined,
      identity: invitation.identity,
      fingerprint,
      invite: canShowInvite && !tokens.hasIssued ? firstInvite(server) : undefined,
      warnings: [
        ...storage.privateBelow.map(keptOut),
        ...serverWarnings(stateDir, keyFile(stateDir, settings)),
        warning,
        operator.warning,
        localInvite.warning,
        cannotWrite && `Clients may write (--writable), but nothing can be written to the repository: ${cannotWrite}`,
        locksWarning(storage, settings),
      ].filter((warning) => warning !== undefined),
    },
    close() {
      listening.stop();
      operator.stop();
      localInvite.remove();
    },
  };
}

async function findIdentity(stateDir: string, given: { cert: string; key: string } | undefined): Promise<Identity> {
  if (given === undefined) return openIdentity(identityFile(stateDir));
  return parseIdentity(readPem(given.cert), readPem(given.key), given.cert);
}

function keyFile(stateDir: string, { isPlaintext, certificate }: ServeSettings): string | undefined {
  return isPlaintext ? undefined : (certificate?.key ?? identityFile(stateDir));
}

function keptOut(place: string): string {
  return `The repository holds ${quote(place)}, which is CommServer's own: it is neither listed nor served nor changed.`;
}

function readPem(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw readError(cause, quote(file), "user");
  }
}

function bounded(storage: Storage, { budget, isWritable }: ServeSettings): Storage {
  if (!isWritable || (budget.quotaBytes === undefined && budget.keepFreeBytes === 0)) return storage;
  return new BoundedStorage(storage, budget, () => systemClock.now());
}

function locksWarning(storage: LocalStorage, { isWritable }: ServeSettings): string | undefined {
  return isWritable ? missingLocks(storage.location) : undefined;
}

/** No more under way than a second's worth of a limited rate. */
function windowFor(bytesPerSecond = MAX_WINDOW_BYTES): number {
  return Math.min(MAX_WINDOW_BYTES, Math.max(MIN_WINDOW_BYTES, bytesPerSecond));
}

function localToken({ name, secret }: Token, tokens: TokenStore): KnownToken {
  const verifier = createVerifier(secret, tokens.saltOf(name));
  return { name, role: "write", createdAt: systemClock.wallTime(), expiresAt: null, verifier };
}

/** A server whose user has no folder of its own still serves: its clients join it as those of other machines do. */
function tryLocalInvite(
  port: number,
  { identity, token }: { identity: string | null; token: Token },
): { warning?: string; remove(): void } {
  try {
    return { remove: leaveLocalInvite(port, { pid: process.pid, identity, token: formatToken(token) }) };
  } catch (thrown) {
    return { warning: `No invite for this machine: ${toCommError(thrown).message}`, remove() {} };
  }
}

const FIRST_TOKEN = "default";

/** The invite of the first start could not be shown: nobody has its token. @returns false when it is there all the same */
export function takeFirstInviteBack({ tokens }: CommServer): boolean {
  try {
    tokens.unissue(FIRST_TOKEN);
    return true;
  } catch {
    return false;
  }
}

/** The token of the first start, in an invite: it is the only time that anyone sees it. */
function firstInvite(server: CommServer): string {
  const createdAt = systemClock.wallTime();
  return server.invite(server.tokens.add({ name: FIRST_TOKEN, role: "write", createdAt, expiresAt: null }));
}
