/**
 * The lists of names that were read a moment ago. Plans that are made at about the same time share one listing: each would
 * otherwise cost three calls of the request budget.
 */
import type { ListedInstance, NamedEntity, ReadOptions, ServiceStage } from '../servicestage/service-stage.js';
import { orAborted } from '../time/pause.js';

/** How long a list is believed, milliseconds. Chosen: longer than a burst of starts takes, shorter than people need to start a run after they created its target. */
export const KEPT_MS = 30_000;
/** In all lists together; some 200 bytes each. Chosen: 4 MB, and more instances than any project is known to have. */
const MOST_ROWS = 20_000;
/** Chosen: each is a component, most have a few instances. */
const MOST_LISTS = 1_000;

type Lister = Pick<ServiceStage, 'listApplications' | 'listComponents' | 'listInstances'>;

/** How new a list must be, and what ends the wait for it. */
export interface Wanted {
  /** A list whose reading began before this is read again. Default: lists of the last 30 s will do. */
  readonly sinceMs?: number;
  readonly signal: AbortSignal;
}

/** The lists of one worker. */
export class RecentLists {
  /** In the order in which they were begun. */
  readonly #readings = new Map<string, Reading>();

  /**
   * @param timeoutMs limit of each GET
   * @param nowMs milliseconds of a monotonic clock; tests pass their own
   */
  constructor(
    private readonly serviceStage: Lister,
    private readonly timeoutMs: number,
    readonly nowMs: () => number = () => performance.now(),
  ) {}

  /** @throws ServiceStageError, or the signal's reason */
  applications(wanted: Wanted): Promise<readonly NamedEntity[]> {
    return this.#list('', wanted, (options) => this.serviceStage.listApplications(options));
  }

  /** @throws ServiceStageError, or the signal's reason */
  components(applicationId: string, wanted: Wanted): Promise<readonly NamedEntity[]> {
    return this.#list(applicationId, wanted, (options) => this.serviceStage.listComponents(applicationId, options));
  }

  /** @throws ServiceStageError, or the signal's reason */
  instances(applicationId: string, componentId: string, wanted: Wanted): Promise<readonly ListedInstance[]> {
    return this.#list(`${applicationId}/${componentId}`, wanted, (options) =>
      this.serviceStage.listInstances(applicationId, componentId, options),
    ) as Promise<readonly ListedInstance[]>;
  }

  async #list(key: string, { sinceMs, signal }: Wanted, read: Read): Promise<Rows> {
    for (;;) {
      const known = this.#readings.get(key);
      if (known === undefined || known.isGivenUp) return this.#begin(key, read).rowsFor(signal);
      const isNewEnough =
        sinceMs === undefined ? known.isUnderWay || this.#isRecent(known) : known.beganAtMs >= sinceMs;
      if (isNewEnough) return known.rowsFor(signal);
      // All who need a newer one wait for the one under way and then share the next.
      if (known.isUnderWay) await known.rowsFor(signal).catch(() => signal.throwIfAborted());
      else this.#readings.delete(key);
    }
  }

  #isRecent({ beganAtMs }: Reading): boolean {
    return this.nowMs() - beganAtMs < KEPT_MS;
  }

  #begin(key: string, read: Read): Reading {
    const reading = new Reading(this.nowMs(), (signal) => read({ timeoutMs: this.timeoutMs, signal }));
    this.#readings.delete(key);
    this.#readings.set(key, reading);
    reading.ended.then(
      () => this.#makeRoom(),
      () => {
        if (this.#readings.get(key) === reading) this.#readings.delete(key);
      },
    );
    return reading;
  }

  /** Forgets what is too old, and the oldest lists if there are too many. */
  #makeRoom(): void {
    let rows = 0;
    for (const reading of this.#readings.values()) rows += reading.rowCount;
    for (const [key, reading] of this.#readings) {
      const isTooMuch = rows > MOST_ROWS || this.#readings.size > MOST_LISTS;
      if (reading.isUnderWay || (this.#isRecent(reading) && !isTooMuch)) continue;
      this.#readings.delete(key);
      rows -= reading.rowCount;
    }
  }
}

type Rows = readonly NamedEntity[];
type Read = (options: ReadOptions) => Promise<Rows>;

/** One listing, for all who wait for it. It ends early only once no plan waits for it any more. */
class Reading {
  readonly ended: Promise<Rows>;
  readonly #abandoned = new AbortController();
  #waiting = 0;
  #rows: Rows | null = null;

  constructor(
    readonly beganAtMs: number,
    read: (signal: AbortSignal) => Promise<Rows>,
  ) {
    this.ended = read(this.#abandoned.signal).then((rows) => (this.#rows = rows));
  }

  get isUnderWay(): boolean {
    return this.#rows === null;
  }

  get isGivenUp(): boolean {
    return this.#abandoned.signal.aborted;
  }

  get rowCount(): number {
    return this.#rows?.length ?? 0;
  }

  async rowsFor(signal: AbortSignal): Promise<Rows> {
    if (this.#rows !== null) return this.#rows;
    this.#waiting++;
    try {
      return await orAborted(this.ended, signal);
    } finally {
      this.#waiting--;
      if (this.#waiting === 0 && this.isUnderWay) this.#abandoned.abort(new Error('no plan waits for this list'));
    }
  }
}
