/** Where schedules are played: a dev server with a database file, worker processes, the simulator, and breakable links between them. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, type Connection } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { ClosableConnection } from '../../src/temporal/connection.js';
import { RunbookClient } from '../../src/client/runbook-client.js';
import { withHeartbeatTimeout, type Limits } from '../../src/domain/once/limits.js';
import { findTemporalProgram } from '../../src/embedded/find-temporal.js';
import { startTemporalServer, type TemporalServer } from '../../src/embedded/temporal-server.js';
import { startSimulator, type RunningSimulator } from '../../src/simulator/server.js';
import { newSeed } from '../support/stack.js';
import { controlOf, type Control } from '../support/simulator.js';
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process.js';
import { BreakableLink } from './link.js';
import { slowCodec } from './slow-codec.mjs';
import type { Disturbance } from './evidence.js';
import { Audience } from './audience.js';
import type { Link } from './schedule.js';

/** What workers have beside the settings of every storm. */
export interface WorkerExtras {
  /** The client's. */
  readonly dataConverter: DataConverter | undefined;
  /** Environment variables, which count more than the others. */
  readonly env: (worker: number, simulator: RunningSimulator) => Promise<Readonly<Record<string, string>>>;
  /** Receives each line that a worker prints. */
  readonly onLine: (worker: number, line: string) => void;
}

export interface ArenaOptions {
  readonly workers: number;
  readonly withCodec: boolean;
  /** The compiled product, or a mutant of it when the checker itself is checked. */
  readonly dist: string;
  /** Environment variables of the workers. Default: about a fifteenth of the product's own limits. */
  readonly times?: Readonly<Record<string, string>>;
  /** This worker answers SIGHUP with its memory figures. */
  readonly probe?: number;
  readonly extras?: WorkerExtras | undefined;
  readonly say: (line: string) => void;
}

/** Limits of the workers: the defaults, from a fiftieth (quiet period) to two fifths (lease) of them. The simulator's late answers stay well inside the window. */
const WORKER_TIMES = {
  RUNBOOK_READ_TIMEOUT: '300ms',
  RUNBOOK_POST_TIMEOUT: '1s',
  RUNBOOK_QUIET_PERIOD: '100ms',
  RUNBOOK_OPERATOR_WAIT: '0s',
  RUNBOOK_VISIBILITY_WINDOW: '1400ms',
  RUNBOOK_LIMITS: 'budgetWait=300ms,credentialsWait=300ms,lease=800ms,margin=700ms,lateStart=2s',
};

export const ARENA_LIMITS: Limits = withHeartbeatTimeout({
  readTimeoutMs: 300,
  postTimeoutMs: 1_000,
  quietMs: 100,
  visibilityWindowMs: 1_400,
  budgetWaitMs: 300,
  credentialsWaitMs: 300,
  clockSkewMs: 5_000,
  lateStartMs: 2_000,
  leaseMs: 800,
  marginMs: 700,
});

const RUNBOOK_FOLDERS = ['./runbooks', '../workflows/runbooks'].map((folder) =>
  fileURLToPath(new URL(folder, import.meta.url)),
);
const TASK_QUEUE = 'chaos';
const SERVER_TRIES = 30;

interface Crew {
  readonly links: Record<Link, BreakableLink>;
  process: WorkerProcess | null;
  /** True while it should run: a worker that ends by itself is started again, as by a supervisor. */
  wanted: boolean;
}

export class Arena {
  readonly #crews: Crew[] = [];
  #incidents: Disturbance[] = [];
  #closing = false;
  #server: TemporalServer | undefined;
  #connection: Connection | undefined;
  #client: Client | undefined;

  private constructor(
    private readonly options: ArenaOptions,
    readonly folder: string,
    readonly simulator: RunningSimulator,
    readonly control: Control,
    readonly temporalProgram: string,
    readonly audience: Audience,
  ) {}

  static async open(options: ArenaOptions): Promise<Arena> {
    const folder = await mkdtemp(join(tmpdir(), 'runbooks-chaos-'));
    const simulator = await startSimulator({
      world: 'empty',
      seed: newSeed(),
      switches: { durationsMs: { start: 300, stop: 250, restart: 350, scale: 300, rollback: 350 } },
    });
    const program = await findTemporalProgram({ env: process.env, say: options.say });
    const audience = await Audience.open();
    await writeFile(join(folder, 'notifications.yaml'), notificationsTo(audience));
    const arena = new Arena(options, folder, simulator, controlOf(simulator), program, audience);
    await arena.startServer();
    for (let worker = 0; worker < options.workers; worker++) await arena.#addWorker();
    return arena;
  }

  get client(): Client {
    if (this.#client === undefined) throw new Error('The arena is not open');
    return this.#client;
  }

  get runbooks(): RunbookClient {
    return new RunbookClient({ client: this.client, taskQueue: TASK_QUEUE });
  }

  get temporalAddress(): string {
    return this.#server?.address ?? '';
  }

  get withCodec(): boolean {
    return this.options.withCodec;
  }

  get dataConverter(): DataConverter | undefined {
    return this.options.withCodec ? { payloadCodecs: [slowCodec] } : this.options.extras?.dataConverter;
  }

  link(worker: number, link: Link): BreakableLink {
    return this.#crew(worker).links[link];
  }

  worker(worker: number): WorkerProcess | null {
    return this.#crew(worker).process;
  }

  async startServer(): Promise<void> {
    const port = this.#server === undefined ? {} : { port: Number(this.#server.address.split(':')[1]) };
    this.#server = await this.#serverOn(port);
    if (this.#client !== undefined) return;
    this.#connection = await ClosableConnection.connect({ address: this.#server.address });
    const { dataConverter } = this;
    this.#client = new Client({
      connection: this.#connection,
      ...(dataConverter === undefined ? {} : { dataConverter }),
    });
  }

  /** Retried, because an outgoing connection of any process may use the port for a moment. */
  async #serverOn(port: { readonly port?: number }): Promise<TemporalServer> {
    for (let tries = 1; ; tries++) {
      try {
        return await startTemporalServer({
          env: { ...process.env, TEMPORAL_ADDRESS: '', TEMPORAL_CLI_PATH: this.temporalProgram },
          say: this.options.say,
          databaseFile: join(this.folder, 'temporal.db'),
          ...port,
        });
      } catch (error) {
        if (tries === SERVER_TRIES) throw error;
        await delay(1_000);
      }
    }
  }

  /** Its state stays in its database file. */
  async stopServer(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    await this.#server?.close(signal);
  }

  /** Does nothing for a worker that is not running. */
  async killWorker(worker: number, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const crew = this.#crew(worker);
    const { process: running } = crew;
    crew.wanted = false;
    crew.process = null;
    await running?.kill(signal);
  }

  /** Does nothing for a worker that is running. Retried while its connections are broken. */
  async startWorker(worker: number): Promise<void> {
    const crew = this.#crew(worker);
    crew.wanted = true;
    while (crew.process === null && crew.wanted && !this.#closing) {
      try {
        const started = await this.#spawn(worker, crew);
        if (crew.process !== null || !crew.wanted) await started.kill('SIGKILL');
        else crew.process = started;
        void started.ended.then(() => this.#endedByItself(worker, crew, started));
      } catch (error) {
        this.options.say(`worker ${worker} did not come up: ${String(error).slice(0, 300)}`);
      }
    }
  }

  async #endedByItself(worker: number, crew: Crew, ended: WorkerProcess): Promise<void> {
    if (crew.process !== ended) return;
    crew.process = null;
    const nowMs = Date.now();
    this.#incidents.push({ kind: 'workerEnded', atMs: nowMs, untilMs: nowMs });
    this.options.say(`worker ${worker} ended by itself and is started again: ${ended.lastWords()}`);
    await this.startWorker(worker);
  }

  /** Unplanned events since the last call. */
  drainIncidents(): Disturbance[] {
    return this.#incidents.splice(0);
  }

  /** After the storm: restores links, lifts the rate limit, and starts missing workers. */
  async heal(): Promise<void> {
    for (const { links } of this.#crews) for (const link of Object.values(links)) link.restore();
    await this.control.switches({ rateLimit: null });
    for (const [worker] of this.#crews.entries()) await this.startWorker(worker);
  }

  async #spawn(worker: number, crew: Crew): Promise<WorkerProcess> {
    const { extras } = this.options;
    return startWorkerProcess({
      ...(extras === undefined ? {} : { onLine: (line: string) => extras.onLine(worker, line) }),
      address: `127.0.0.1:${crew.links.temporal.port}`,
      taskQueue: TASK_QUEUE,
      simulator: { ...this.simulator, url: `http://127.0.0.1:${crew.links.serviceStage.port}` },
      program: this.options.withCodec ? CODEC_WORKER : join(this.options.dist, 'worker.js'),
      env: {
        ...(this.options.times ?? WORKER_TIMES),
        RUNBOOK_DIR: RUNBOOK_FOLDERS.join(':'),
        RUNBOOK_CHECK_INTERNAL_HOSTS: this.audience.host,
        RUNBOOK_NOTIFICATIONS: join(this.folder, 'notifications.yaml'),
        RUNBOOK_NOTIFY_STORM_SECRET: `whsec_${Buffer.alloc(32, 1).toString('base64')}`,
        CHAOS_DIST: this.options.dist,
        ...(worker === this.options.probe ? { NODE_OPTIONS: `--import=${MEMORY_PROBE}` } : {}),
        // One of two workers signs its requests; the other has a token that expires.
        ...(worker % 2 === 0 ? {} : withPassword(this.simulator)),
        ...(await extras?.env(worker, this.simulator)),
      },
    });
  }

  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all(this.#crews.map((_crew, worker) => this.killWorker(worker, 'SIGKILL')));
    await this.#connection?.close();
    await this.stopServer('SIGKILL');
    for (const { links } of this.#crews) await Promise.all(Object.values(links).map((link) => link.close()));
    await this.audience.close();
    await this.simulator.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  #crew(worker: number): Crew {
    const crew = this.#crews[worker];
    if (crew === undefined) throw new RangeError(`There is no worker ${worker}`);
    return crew;
  }

  async #addWorker(): Promise<void> {
    const temporal = await BreakableLink.open(Number(this.temporalAddress.split(':')[1]));
    const serviceStage = await BreakableLink.open(Number(new URL(this.simulator.url).port));
    this.#crews.push({ links: { temporal, serviceStage }, process: null, wanted: false });
    await this.startWorker(this.#crews.length - 1);
  }
}

/** Runbooks that name it get all their events; it listens to no other run, apart from pauses. */
function notificationsTo({ host }: Audience): string {
  return `webhooks:
  storm:
    kind: webhook
    url: http://${host}/storm
    allowHttp: true
    secretEnvs: [RUNBOOK_NOTIFY_STORM_SECRET]
    on: [paused]
`;
}

const MEMORY_PROBE = new URL('./memory-probe.mjs', import.meta.url).href;
const CODEC_WORKER = fileURLToPath(new URL('./codec-worker.mjs', import.meta.url));

function withPassword({ iamUser, iamPassword, iamDomain }: RunningSimulator): Record<string, string> {
  return {
    HUAWEICLOUD_SDK_AK: '',
    HUAWEICLOUD_SDK_SK: '',
    SERVICESTAGE_IAM_USER: iamUser,
    SERVICESTAGE_IAM_PASSWORD: iamPassword,
    SERVICESTAGE_IAM_DOMAIN: iamDomain,
  };
}
