/** Reads calendar files in a thread of their own, one after the other, within a time limit. */
import { Worker } from 'node:worker_threads';
import type { CalendarReading, ReadingRequest } from './calendar-thread.js';

/** Less than the 15 s that a check of a gate may take. Counted work ends a file long before this limit; it is for faults of ours and for busy machines. */
const TIME_LIMIT_MS = 8_000;
/** Enough for a file of 16 MiB. A file that needs more ends the thread, not the worker. */
const MEMORY_MB = 512;
/** Tests run the sources, but a thread needs compiled code. */
const THREAD = new URL(
  import.meta.url.endsWith('.ts') ? '../../dist/calendars/calendar-thread.js' : './calendar-thread.js',
  import.meta.url,
);

interface Job {
  readonly request: ReadingRequest;
  readonly timer: NodeJS.Timeout;
  resolve(reading: CalendarReading): void;
}

/** What a file contained, so that many runs that ask at once cost one reading. */
interface Known {
  readonly text: string;
  readonly reading: Promise<CalendarReading>;
}

const NOT_READ = 'not-read';
const HOUR_MS = 3_600_000;
/** Chosen: some calendars, each asked for by gates and by plans. */
const MOST_KNOWN = 8;

/** The thread is started by the first file, kept for the next, and keeps no process from ending. */
export class CalendarReader {
  #thread: Worker | null = null;
  #current: Job | null = null;
  readonly #waiting = new Set<Job>();
  readonly #known = new Map<string, Known>();

  constructor(
    readonly timeLimitMs = TIME_LIMIT_MS,
    readonly threadFile: URL = THREAD,
    readonly memoryMb = MEMORY_MB,
  ) {}

  /**
   * Never throws: a file that cannot be read in time, or ends the thread, is a problem, and so counts as frozen. The same text is worked out
   * once for each hour that is asked for.
   */
  async read(request: ReadingRequest): Promise<CalendarReading> {
    const { file, text, calendar, fromMs, toMs } = request;
    const hours = { fromMs: Math.floor(fromMs / HOUR_MS) * HOUR_MS, toMs: (Math.floor(toMs / HOUR_MS) + 1) * HOUR_MS };
    const key = JSON.stringify([file, calendar, hours]);
    const known = this.#known.get(key);
    const reading = known?.text === text ? known.reading : this.#ask({ ...request, ...hours });
    this.#remember(key, { text, reading });
    const { freezes, problems } = await reading;
    if (problems.some(({ code }) => code === NOT_READ) && this.#known.get(key)?.reading === reading)
      this.#known.delete(key);
    return {
      freezes: freezes.filter((freeze) => freeze.toMs > fromMs && freeze.fromMs < toMs),
      problems: [...problems],
    };
  }

  #remember(key: string, known: Known): void {
    this.#known.delete(key);
    this.#known.set(key, known);
    const [oldest] = this.#known.keys();
    if (this.#known.size > MOST_KNOWN && oldest !== undefined) this.#known.delete(oldest);
  }

  #ask(request: ReadingRequest): Promise<CalendarReading> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#giveUp(job), this.timeLimitMs);
      const job: Job = { request, timer, resolve };
      this.#waiting.add(job);
      this.#next();
    });
  }

  #next(): void {
    const [job] = this.#waiting;
    if (this.#current !== null || job === undefined) return;
    this.#waiting.delete(job);
    this.#current = job;
    this.#thread ??= this.#start();
    this.#thread.ref();
    this.#thread.postMessage(job.request);
  }

  #start(): Worker {
    const thread = new Worker(this.threadFile, {
      name: 'calendars',
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: this.memoryMb },
    });
    const ended = (why: string) => {
      if (this.#thread !== thread) return;
      this.#thread = null;
      if (this.#current !== null) this.#answer(this.#current, failed(this.#current, why));
    };
    thread.on('message', (reading: CalendarReading) => {
      if (this.#thread === thread && this.#current !== null) this.#answer(this.#current, reading);
    });
    thread.on('error', (error: Error) => ended(`ended the reader (${error.message.slice(0, 200)})`));
    thread.on('exit', () => ended('ended the reader'));
    return thread;
  }

  #giveUp(job: Job): void {
    if (this.#current === job) {
      void this.#thread?.terminate();
      this.#thread = null;
    }
    this.#answer(job, failed(job, `was not read within ${this.timeLimitMs / 1_000} s`));
  }

  #answer(job: Job, reading: CalendarReading): void {
    clearTimeout(job.timer);
    this.#waiting.delete(job);
    if (this.#current === job) this.#current = null;
    job.resolve(reading);
    this.#next();
    if (this.#current === null) this.#thread?.unref();
  }
}

function failed({ request: { file } }: Job, why: string): CalendarReading {
  const remedy = 'Delete events that are over, or split the calendar';
  return { freezes: [], problems: [{ code: NOT_READ, place: file, found: `the calendar ${why}`, remedy }] };
}

/** The reader of this process, which has one thread for calendars. */
export const calendarReader = new CalendarReader();
