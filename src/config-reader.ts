/** Reads variables one by one and collects every problem, so that all come in one message. */
import { configVariables } from './config-variables.js';
import { durationMs, DURATION_REMEDY } from './domain/duration.js';
import { describeProblem, type Problem } from './domain/failures.js';
import { didYouMean } from './domain/nearest.js';
import { Secret } from './servicestage/secret.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** All problems at once; the command line exits with 2. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';

  constructor(readonly problems: readonly Problem[]) {
    super(
      ['The configuration has problems:', ...problems.map((problem) => `- ${describeProblem(problem)}`)].join('\n'),
    );
  }
}

export class Reader {
  readonly #problems: Problem[] = [];

  constructor(readonly env: Environment) {
    const known = configVariables.map(({ name }) => name);
    for (const name of Object.keys(env).filter((key) => /^(RUNBOOK|SERVICESTAGE)_/.test(key) && !known.includes(key))) {
      this.problem(name, 'this variable is not known', `Take it out.${didYouMean(name, known)}`);
    }
  }

  problem(place: string, found: string, remedy: string): void {
    this.#problems.push({ code: 'configuration', place, found, remedy });
  }

  throwProblems(): void {
    if (this.#problems.length > 0) throw new ConfigurationError(this.#problems);
  }

  /** An empty variable counts as absent, as compose files and shells write it. */
  text(name: string): string | undefined {
    const value = this.env[name]?.trim();
    return value === '' ? undefined : value;
  }

  secret(name: string): Secret | undefined {
    const value = this.text(name);
    return value === undefined ? undefined : new Secret(value);
  }

  duration(name: string, defaultMs: number): number {
    const text = this.text(name);
    const ms = text === undefined ? defaultMs : durationMs(text);
    if (ms === null || ms <= 0) this.problem(name, `"${text}" is no duration`, DURATION_REMEDY);
    return ms ?? defaultMs;
  }

  positive(name: string, byDefault: number): number {
    const text = this.text(name);
    const value = text === undefined ? byDefault : Number(text);
    if (!(Number.isFinite(value) && value > 0))
      this.problem(name, `"${text}" is no positive number`, 'Write a number such as 5');
    return value;
  }

  oneOf<Value extends string>(name: string, values: readonly Value[], byDefault: Value): Value {
    const text = this.text(name) ?? byDefault;
    const value = values.find((candidate) => candidate === text);
    if (value === undefined) this.problem(name, `"${text}" is not known`, `Use one of: ${values.join(', ')}`);
    return value ?? byDefault;
  }

  /** `key=duration` pairs, separated by commas. */
  durations<Key extends string>(name: string, keys: readonly Key[]): Partial<Record<Key, number>> {
    const found: Partial<Record<Key, number>> = {};
    for (const pair of this.text(name)?.split(',') ?? []) {
      const [left = '', right = ''] = pair.split('=').map((part) => part.trim());
      const key = keys.find((candidate) => candidate === left);
      const ms = durationMs(right);
      if (key === undefined)
        this.problem(name, `"${left}" is not known`, `Use ${keys.join(', ')}.${didYouMean(left, keys)}`);
      else if (ms === null) this.problem(name, `"${right}" is no duration`, DURATION_REMEDY);
      else found[key] = ms;
    }
    return found;
  }
}
