import { Client } from "../client/client.ts";
import { Operator } from "../client/operator.ts";
import type { CommServer } from "../server/server.ts";
import { systemClock } from "../session/clock.ts";
import type { Transport } from "../session/transport.ts";
import { stateWarnings } from "../state/exposed-state.ts";
import { noteState } from "../state/known-states.ts";
import { identityFile, makeStateDir } from "../state/state-dir.ts";
import { memoryPair } from "../transport/memory-transport.ts";
import { type Announcing, announceWarnings, startAnnouncing } from "./announcing.ts";
import { createServer } from "./create-server.ts";
import { budgetDescriptors } from "./descriptor-budget.ts";
import { makeFirstInvite, takeFirstInviteBack } from "./first-invite.ts";
import { findIdentity, type Identity, publicKeyPin } from "./identity.ts";
import { type Invitation, identityOf, inviteFor, saveInvitation } from "./invitation.ts";
import { HANDSHAKE_MS } from "./limits.ts";
import { listenClients } from "./listeners.ts";
import { LocalAccess } from "./local-access.ts";
import { startMetrics } from "./metrics/start-metrics.ts";
import { listenOperators } from "./operator-listener.ts";
import { ownAddresses } from "./own-addresses.ts";
import { Reload } from "./reload.ts";
import { Repository } from "./repository.ts";
import type { DaemonSettings } from "./settings.ts";
import { openShareArea } from "./share-area.ts";
import { openRecords, type Records } from "./state-records.ts";
import type { DaemonWarning } from "./warnings.ts";
import { clientDoor, webAddress } from "./web-door.ts";

export interface DaemonOptions {
  /** Program and version, for clients. */
  readonly agent: string;
  /** Wraps each transport, to trace its frames. */
  readonly trace: (transport: Transport) => Transport;
  /** Whether a person or program can see the secret of the first token. */
  readonly canShowInvite: boolean;
  /** Called when an operator asks the server to stop. */
  onStopRequest(): void;
}

/** The settings of a server that has started, with what it found out. */
export interface Serving extends DaemonSettings {
  /** The identity that clients see: fingerprint, "authority", or null without encryption. */
  readonly identity: string | null;
  readonly fingerprint: string | null;
  /** The public key's digest, as curl takes it; null without encryption. */
  readonly pin: string | null;
  /** Whether a test write to the repository succeeded at the start, if clients may write. */
  readonly canWrite: boolean;
  /** The name that the server is announced by; undefined when it is not announced. */
  readonly announced: string | undefined;
  /** The invite of the first token: only at the first start, and only if it can be shown. */
  readonly invite: string | undefined;
}

/** A server with all its parts: repository, records, identity, listeners, invitation. Views depend on it. */
export class Daemon {
  readonly server: CommServer;
  readonly serving: Serving;
  readonly warnings: readonly DaemonWarning[];
  readonly #close: () => void;
  readonly #reload: Reload;
  readonly #announcing: Announcing | undefined;
  /** Ends what may last until all sessions have ended. */
  readonly #abort: () => void;
  #stopTimeoutMs: number;

  private constructor(
    server: CommServer,
    abort: () => void,
    serving: Serving,
    warnings: DaemonWarning[],
    close: () => void,
    reload: Reload,
    announcing: Announcing | undefined,
  ) {
    this.server = server;
    this.serving = serving;
    this.warnings = warnings;
    this.#close = close;
    this.#reload = reload;
    this.#announcing = announcing;
    this.#abort = abort;
    this.#stopTimeoutMs = serving.stopTimeoutMs;
  }

  /** Does everything that can fail before anything is shown. @throws CommError when a part can't be opened */
  static async start(settings: DaemonSettings, options: DaemonOptions): Promise<Daemon> {
    let onNotice = (_message: string) => {};
    const repository = await Repository.open(settings, (message) => onNotice(message));
    const stateDir = makeStateDir(settings.stateDir);
    const records = openRecords(stateDir, settings.mailbox);
    try {
      const daemon = await Daemon.#startIn({ ...settings, stateDir }, { repository, records, options });
      onNotice = (message) => daemon.server.events.emit({ event: "warning", message });
      return daemon;
    } catch (error) {
      records.mailbox?.close();
      records.ledger.close();
      throw error;
    }
  }

  static async #startIn(
    settings: DaemonSettings,
    { repository, records, options }: { repository: Repository; records: Records; options: DaemonOptions },
  ): Promise<Daemon> {
    const { agent, trace, canShowInvite, onStopRequest } = options;
    const { stateDir, certificate } = settings;
    const identity = settings.isPlaintext ? undefined : await findIdentity(stateDir, certificate);
    const { tokens } = records;
    tokens.keepSalts();
    const local = new LocalAccess(tokens);
    const descriptors = budgetDescriptors(settings);
    const shareArea = await openShareArea(settings, repository.location);
    // The addresses are set when the port is known.
    let invitation: Invitation = { addresses: [], identity: identityOf(identity, certificate !== undefined) };
    const server = createServer(settings, {
      agent,
      ...repository.storage(descriptors.maxFiles),
      records,
      local,
      descriptors,
      shareArea,
      invite: (token, addresses = invitation.addresses) => inviteFor(token, { ...invitation, addresses }),
      reach: ([address = ""] = invitation.addresses) => ({
        address,
        isPlaintext: invitation.identity === null,
        isAnnounced: settings.announce !== undefined,
      }),
      linkAddress: (place) => (settings.web === "off" ? undefined : webAddress(place, invitation)),
      onStopRequest,
    });
    const { closeFrom } = descriptors;
    const door = await clientDoor(server, settings, descriptors, (transport) => server.accept(trace(transport)));
    const stops: (() => void)[] = [];
    let metricsDoor: Awaited<ReturnType<typeof startMetrics>>;
    const close = () => {
      for (const stop of stops) stop();
    };
    try {
      const credentials = identity && { ...identity, withHttp: settings.web !== "off" };
      const clients = listenClients(settings, (transport) => door.take(transport), {
        credentials,
        closeFrom: closeFrom?.clients,
      });
      stops.push(() => clients.stop());
      const { host, port } = clients;
      invitation = { ...invitation, addresses: settings.advertised ?? ownAddresses(host, port) };
      const onOperator = (transport: Transport) => server.accept(trace(transport), "operator");
      const operators = listenOperators(stateDir, onOperator, closeFrom?.operators);
      stops.push(() => operators.stop());
      metricsDoor = await startMetrics(server, repository.location, settings, closeFrom?.clients);
      saveInvitation(stateDir, invitation);
      // On this machine clients use no name that an authority has certified, so they pin the fingerprint.
      const fingerprint = identityOf(identity, false);
      noteState(stateDir);
      let localInvite = local.leaveInvite(port, fingerprint);
      stops.push(() => localInvite.remove());
      const { maxClients } = descriptors;
      const announcing = await startAnnouncing(server, settings, { host, port, fingerprint, seats: maxClients });
      const serving: Serving = {
        ...settings,
        host,
        port,
        ...(settings.metrics && { metrics: { ...settings.metrics, port: metricsDoor?.port ?? 0 } }),
        repository: repository.location,
        maxClients,
        maxWaiting: descriptors.maxWaiting,
        canWrite: repository.canWrite,
        identity: invitation.identity,
        fingerprint,
        pin: identity === undefined ? null : publicKeyPin(identity),
        announced: announcing?.name,
        invite: canShowInvite && !tokens.hasIssued ? makeFirstInvite(server) : undefined,
      };
      const warnings = [
        ...repository.privateWarnings(),
        ...stateWarnings(stateDir, settings.isPlaintext ? undefined : (certificate?.keyFile ?? identityFile(stateDir))),
        ...descriptors.warnings,
        ...operators.warnings,
        ...localInvite.warnings,
        ...repository.writeWarnings(),
        ...announceWarnings(settings, host, announcing?.name),
      ];
      const onIdentity = (renewed: Identity) => {
        invitation = { ...invitation, identity: identityOf(renewed, certificate !== undefined) };
        saveInvitation(stateDir, invitation);
        localInvite.remove();
        localInvite = local.leaveInvite(port, identityOf(renewed, false));
        announcing?.renew(identityOf(renewed, false));
      };
      const reload = new Reload({ settings, server, clients, identity, onIdentity });
      const abort = () => {
        metricsDoor?.stop();
        door.abort();
      };
      return new Daemon(server, abort, serving, warnings, close, reload, announcing);
    } catch (error) {
      close();
      metricsDoor?.stop();
      await server.shutdown(0);
      door.abort();
      throw error;
    }
  }

  /** An operator in this process. @throws as Client.connect() */
  async connectOperator(): Promise<Operator> {
    const [ours, theirs] = memoryPair({ a: "server", b: "terminal" });
    this.server.accept(ours, "operator");
    const { agent } = this.server.about;
    const terms = { clock: systemClock, agent, wait: false, timeoutMs: HANDSHAKE_MS };
    return new Operator(await Client.connect({ transport: theirs, ...terms }));
  }

  /** Called when the first invite could not be shown. @returns false when its token could not be removed */
  takeFirstInviteBack(): boolean {
    return takeFirstInviteBack(this.server);
  }

  /** Take these settings from now on; the rates hold for sessions that begin later. */
  change({ bandwidth, stopTimeoutMs }: Pick<DaemonSettings, "bandwidth" | "stopTimeoutMs">): void {
    this.server.bandwidth.change(bandwidth);
    this.#stopTimeoutMs = stopTimeoutMs;
  }

  /**
   * Read certificate and tokens again; sessions stay, except those whose token is gone. An event says what changed, with
   * the names of changed `settings` first.
   */
  reload(settings: readonly string[] = []): Promise<void> {
    return this.#reload.run(settings);
  }

  /** How long transfers may continue when the server stops. */
  get stopTimeoutMs(): number {
    return this.#stopTimeoutMs;
  }

  /** Stop listening, and end all sessions: transfers have `stopTimeoutMs` to finish. */
  async stop(): Promise<void> {
    const isWithdrawn = this.#announcing?.stop();
    this.#close();
    await this.server.shutdown(this.#stopTimeoutMs);
    this.#abort();
    await isWithdrawn;
  }
}
