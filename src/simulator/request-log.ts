/** One request that arrived, without secrets. */
export interface LoggedRequest {
  readonly atMs: number;
  readonly method: string;
  readonly path: string;
  readonly route: string;
  /** HTTP status, or what was done instead of answering. */
  readonly answer: string;
}

const KEPT = 5_000;

/** Counts requests by route and status, and keeps the newest ones. */
export class RequestLog {
  readonly #newest: LoggedRequest[] = [];
  readonly #counts = new Map<string, number>();
  #unexpected = 0;

  constructor(private readonly print: ((line: string) => void) | undefined) {}

  add(request: LoggedRequest, remark: string | undefined): void {
    this.#newest.push(request);
    if (this.#newest.length > KEPT) this.#newest.shift();
    const key = `${request.route} ${request.answer}`;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    if (request.route === 'unknown') this.#unexpected++;
    this.print?.(
      `${new Date(request.atMs).toISOString()} ${request.method} ${request.path} ${request.answer}${remark === undefined ? '' : ` ${remark}`}`,
    );
  }

  summary(): object {
    return { counts: Object.fromEntries(this.#counts), unexpected: this.#unexpected, requests: this.#newest };
  }
}
