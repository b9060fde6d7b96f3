/** The log of all workers: each line is JSON with a level by name, and has no secret. */

const LEVELS = new Set(['trace', 'debug', 'info', 'warn', 'error']);
/** The figures of the surviving worker begin with it, as `memory-probe.mjs` prints them. */
const PROBE = '{"probe":true';
const KEPT_PROBLEMS = 5;

export class LogLines {
  readonly #counts = new Map<string, number>();
  /** The first line of each event that is a warning or worse. */
  readonly #examples = new Map<string, string>();
  readonly #problems: string[] = [];
  #lines = 0;

  /** @param secrets may become more */
  constructor(private readonly secrets: readonly string[]) {}

  add(line: string): void {
    if (line.startsWith(PROBE)) return;
    this.#lines++;
    const { level, msg } = parsed(line);
    if (typeof level !== 'string' || !LEVELS.has(level)) this.#problem(`not a line of our log: ${line.slice(0, 200)}`);
    const secret = this.secrets.find((each) => line.includes(each));
    if (secret !== undefined)
      this.#problem(`a line has a secret that begins with ${secret.slice(0, 6)}: ${String(msg)}`);
    const event = `${String(level)} ${String(msg)}`;
    this.#counts.set(event, (this.#counts.get(event) ?? 0) + 1);
    if (!isQuiet(event) && !this.#examples.has(event)) this.#examples.set(event, line);
  }

  problems(): readonly string[] {
    return [...(this.#lines === 0 ? ['the workers logged nothing'] : []), ...this.#problems];
  }

  /** How often what was logged, the warnings first. */
  summary(): string[] {
    const events = [...this.#counts].sort(([left], [right]) => Number(isQuiet(left)) - Number(isQuiet(right)));
    const counts = events.map(([event, count]) => `  ${count} ${event}`);
    return [`${this.#lines} log lines:`, ...counts, 'the first warning of each kind:', ...this.#examples.values()];
  }

  #problem(what: string): void {
    if (this.#problems.length < KEPT_PROBLEMS) this.#problems.push(what);
  }
}

function isQuiet(event: string): boolean {
  return event.startsWith('info') || event.startsWith('debug');
}

function parsed(line: string): { readonly level?: unknown; readonly msg?: unknown } {
  try {
    return JSON.parse(line) as { level?: unknown; msg?: unknown };
  } catch {
    return {};
  }
}
