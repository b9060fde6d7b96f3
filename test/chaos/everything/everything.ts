/**
 * `npm run chaos -- --soak --everything`: what a soak has beside runs and killed workers. Metrics are scraped, traces and notifications
 * received, payloads encrypted, secrets in files, workers of two versions; keys, secrets and the current version change while runs are under way.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { DataConverter } from '@temporalio/common';
import { loadClientConfig } from '../../../src/config/config.js';
import { dataConverterOf } from '../../../src/config/data-converter.js';
import { freePorts } from '../../../src/embedded/ports.js';
import type { RunningSimulator } from '../../../src/simulator/server.js';
import type { Arena, WorkerExtras } from '../arena.js';
import { patiently, reasonOf } from '../patiently.js';
import { describeFigure, disagreements } from './agreement.js';
import { changeEverything, DEPLOYMENT, setVersion } from './changes.js';
import { figuresOf, type Seen } from './figures.js';
import { LogLines } from './log-lines.js';
import { pageOf, Pages, type Page } from './pages.js';
import { Receiver, type Message } from './receiver.js';
import { SecretFiles } from './secret-files.js';

/** The runbook that uses everything. */
export const EVERYTHING_RUNBOOK = 'soak-everything';
/** In each start and each decision. It is encrypted before it leaves a process, so the server's database must not have it. */
export const CANARY = 'canary-that-only-runs-may-read';

const SCRAPED_EVERY_MS = 5_000;
const FAULT_EVERY_MS = 15_000;
/** What docs/monitoring.md promises: about 1,300 series, and 8 for each runbook beside the built-in ones. */
const SERIES_OF_A_WORKER = 1_300;
const SERIES_OF_A_RUNBOOK = 8;
const BUILT_IN_RUNBOOKS = 11;
/** Series of a process that has done everything once may not become more by repetition. */
const MOST_NEW_SERIES = 1.1;
/** The first access key expires after this part of the time, and the seconds that the start takes. */
const FIRST_KEY_PART = 0.6;
const START_SECONDS = 30;

type Say = (line: string) => void;

export interface EverythingOptions {
  readonly workers: number;
  /** The worker that is never killed. */
  readonly survivor: number;
  readonly minutes: number;
  readonly say: Say;
}

export class Everything {
  readonly #pages = new Pages();
  readonly #lines: LogLines;
  readonly #problems: string[] = [];
  /** Series on the newest page of the survivor, and on the one of half time, by which it has done everything. */
  #series = { now: 0, atHalfTime: 0, runbooks: 0 };

  private constructor(
    private readonly files: SecretFiles,
    private readonly ports: readonly number[],
    private readonly receiver: Receiver,
    private readonly dataConverter: DataConverter | undefined,
    private readonly survivor: number,
    private readonly say: Say,
  ) {
    this.#lines = new LogLines(files.secrets);
  }

  static async open({ workers, survivor, minutes, say }: EverythingOptions): Promise<Everything> {
    // `changeEverything` replaces the first access key before.
    const files = await SecretFiles.open(minutes * 60 * FIRST_KEY_PART + START_SECONDS);
    const env = { RUNBOOK_ENCRYPTION_KEYS: files.encryptionKeysFile };
    const { dataConverter } = await dataConverterOf(loadClientConfig(env).codec, ({ text }) => say(text));
    let everything: Everything | undefined;
    const receiver = await Receiver.open({
      secrets: () => files.webhookSecrets,
      onMessage: (message) => everything?.approve(message),
      onSpans: (body) => everything?.searchFor(body, 'a trace', CANARY),
      onNotification: (body) => everything?.searchFor(body, 'a notification'),
    });
    everything = new Everything(files, await freePorts(workers), receiver, dataConverter, survivor, say);
    return everything;
  }

  #arena: Arena | undefined;

  /** What workers and client of the arena have in addition. */
  get extras(): WorkerExtras {
    return {
      dataConverter: this.dataConverter,
      onLine: (_worker, line) => this.#lines.add(line),
      env: (worker, simulator) => this.#env(worker, simulator),
    };
  }

  async #env(worker: number, simulator: RunningSimulator): Promise<Record<string, string>> {
    return {
      ...(await this.files.env(worker, simulator)),
      RUNBOOK_HEALTH_PORT: String(this.ports[worker]),
      RUNBOOK_HEALTH_HOST: '127.0.0.1',
      RUNBOOK_LOG_FORMAT: 'json',
      RUNBOOK_ENCRYPTION_KEYS: this.files.encryptionKeysFile,
      RUNBOOK_NOTIFICATIONS: await this.files.notificationsFile(this.receiver.origin),
      OTEL_EXPORTER_OTLP_ENDPOINT: this.receiver.origin,
      TEMPORAL_WORKER_DEPLOYMENT_NAME: DEPLOYMENT,
      TEMPORAL_WORKER_BUILD_ID: worker === this.survivor ? '1' : String((worker % 2) + 1),
      SERVICESTAGE_REQUESTS_PER_SECOND: '20',
      SERVICESTAGE_BURST: '20',
    };
  }

  /** Before the first run: without a current version its tasks wait. */
  async begin(arena: Arena): Promise<void> {
    this.#arena = arena;
    await setVersion(arena, 'set-current-version', '1');
  }

  /** Resolves once the soak is over. */
  async during(endsAtMs: number): Promise<void> {
    await Promise.all([
      this.#scrapeAll(endsAtMs),
      changeEverything({ arena: this.#running, files: this.files, say: this.say }, endsAtMs),
      this.#disturb(endsAtMs),
    ]);
  }

  /** What a process counted until now is lost with it. */
  async beforeKill(worker: number): Promise<void> {
    await this.#scrape(worker);
  }

  /** @returns what does not agree, what leaked, and what grew. Call it when everything has ended, while the workers still run */
  async problems(seen: Seen): Promise<string[]> {
    await this.#each((worker) => this.#scrape(worker));
    const figures = await figuresOf(this.#running, this.#pages, this.receiver, seen);
    for (const figure of figures) this.say(describeFigure(figure));
    this.say(`${this.#pages.count} pages of ${this.#pages.processes} worker processes`);
    this.say(`spans: ${[...this.receiver.spans].map(([name, count]) => `${count} ${name}`).join(', ')}`);
    for (const line of this.#lines.summary()) this.say(line);
    return [
      ...this.#problems,
      ...disagreements(figures, seen.kills),
      ...this.receiver.problems,
      ...this.#lines.problems(),
      ...this.#untraced(seen),
      ...this.#grownSeries(),
      ...(await this.#unready()),
      ...(await this.#databaseProblems()),
    ];
  }

  async close(): Promise<void> {
    await this.receiver.close();
    await this.files.close();
  }

  /** Somebody reads the notification and votes. A message that comes again has the same key, so it counts once. */
  approve({ id, type, runId }: Message): void {
    if (type !== 'run.waiting') return;
    const approval = { actor: 'receiver', reason: CANARY, key: id };
    patiently(this.say, () => this.#running.runbooks.approve(runId, approval)).catch((error: unknown) =>
      this.#problems.push(`approval of ${runId}: ${reasonOf(error)}`),
    );
  }

  searchFor(body: Buffer, where: string, ...more: readonly string[]): void {
    const found = [...this.files.secrets, ...more].find((secret) => body.includes(secret));
    if (found !== undefined) this.#problems.push(`${where} has a secret that begins with ${found.slice(0, 6)}`);
  }

  get #running(): Arena {
    if (this.#arena === undefined) throw new Error('The soak has not begun');
    return this.#arena;
  }

  async #scrapeAll(endsAtMs: number): Promise<void> {
    const halfTimeMs = (Date.now() + endsAtMs) / 2;
    while (Date.now() < endsAtMs) {
      await delay(SCRAPED_EVERY_MS);
      await this.#each((worker) => this.#scrape(worker));
      if (Date.now() < halfTimeMs) this.#series.atHalfTime = this.#series.now;
    }
  }

  /** A worker that is being killed or started again has no page. */
  async #scrape(worker: number): Promise<void> {
    const answer = await fetch(`http://127.0.0.1:${this.ports[worker]}/metrics`).catch(() => null);
    const text = await answer?.text().catch(() => null);
    if (text === null || text === undefined) return;
    this.searchFor(Buffer.from(text), 'a page of metrics', CANARY);
    const page = pageOf(text);
    if (!page.has('process_start_time_seconds')) return;
    this.#pages.add(String(worker), page);
    if (worker === this.survivor) this.#series = { ...this.#series, now: page.size, runbooks: runbooksOf(page) };
  }

  async #each(act: (worker: number) => Promise<void>): Promise<void> {
    await Promise.all(this.ports.map((_port, worker) => act(worker)));
  }

  /** Answers that are lost after ServiceStage has acted, and one request in a while that is too many. */
  async #disturb(endsAtMs: number): Promise<void> {
    for (let round = 0; Date.now() + FAULT_EVERY_MS < endsAtMs; round++) {
      await delay(FAULT_EVERY_MS);
      await this.#running.control.fault({
        on: { route: 'action' },
        fault: { kind: 'actThenReset', visibleLateMs: 1_000 },
      });
      if (round % 4 === 3) await this.#running.control.fault({ fault: { kind: 'throttle', retryAfterSeconds: 1 } });
    }
  }

  #untraced({ endedRuns, kills }: Seen): string[] {
    const { tracedRuns } = this.receiver;
    const missing = endedRuns.filter((id) => !tracedRuns.has(id)).length;
    // Spans leave a worker every five seconds, as often as its page is read.
    const { largestIncrease } = this.#pages.sum((name) => name.startsWith('runbook_runs_total'));
    this.say(`traces: ${tracedRuns.size} runs, ${missing} of those that ended have none`);
    return missing > kills * largestIncrease ? [`${missing} of ${endedRuns.length} runs have no trace`] : [];
  }

  #grownSeries(): string[] {
    const { now, atHalfTime, runbooks } = this.#series;
    this.say(`series: ${atHalfTime} of the survivor at half time, ${now} at the end, with ${runbooks} runbooks`);
    const most = SERIES_OF_A_WORKER + SERIES_OF_A_RUNBOOK * (runbooks - BUILT_IN_RUNBOOKS);
    return [
      ...(now > most ? [`a page has ${now} series, at most ${most} are promised`] : []),
      ...(now > atHalfTime * MOST_NEW_SERIES ? [`the series grew from ${atHalfTime} to ${now}`] : []),
    ];
  }

  async #unready(): Promise<string[]> {
    const problems: string[] = [];
    await this.#each(async (worker) => {
      const answer = await fetch(`http://127.0.0.1:${this.ports[worker]}/readyz`);
      if (answer.status !== 200) problems.push(`worker ${worker} is not ready: ${await answer.text()}`);
    });
    return problems;
  }

  /** The server has what is encrypted with both keys, and neither a secret nor what only runs may read. */
  async #databaseProblems(): Promise<string[]> {
    const { folder } = this.#running;
    const names = (await readdir(folder)).filter((name) => name.startsWith('temporal.db'));
    const contents = await Promise.all(names.map((name) => readFile(join(folder, name))));
    const isThere = (text: string) => contents.some((content) => content.includes(text));
    const readable = [...this.files.secrets, CANARY].filter(isThere);
    const unused = ['key-1', 'key-2'].filter((id) => !isThere(id));
    return [
      ...readable.map((secret) => `the database has what begins with ${secret.slice(0, 6)}`),
      ...unused.map((id) => `nothing in the database is encrypted with ${id}`),
    ];
  }
}

function runbooksOf(page: Page): number {
  const names = [...page.keys()].map((name) => /^runbook_runs_total\{runbook="([^"]+)"/.exec(name)?.[1]);
  return new Set(names.filter((name) => name !== undefined)).size;
}
