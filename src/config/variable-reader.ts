/** Reads variables one by one, all by the same rules, and collects every problem, so that all come in one message. */
import { CONFIG_VARIABLE_NAMES, PROXY_VARIABLES } from './variables.js';
import { durationMs, DURATION_REMEDY } from '../domain/time/duration.js';
import { describeProblem, type Problem } from '../domain/failures.js';
import { didYouMean } from '../domain/text/suggest.js';
import { clipText, hasControlCharacters, printable } from '../domain/text/text.js';
import { Secret } from '../servicestage/secret.js';

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

/** What the kubelet puts into each pod for each Service of its namespace; a Service named `runbook-gateway` gives `RUNBOOK_GATEWAY_PORT`. */
const SERVICE_LINK = /_(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)$/;
/** Headers of gRPC, whose names are free: one named `X-Port` is no link, unless it holds the URL that a link holds. */
const GRPC_HEADER = 'TEMPORAL_GRPC_META_';
/** PEM, which has lines. */
const OF_SEVERAL_LINES = /^TEMPORAL_TLS_\w+_DATA$/;
/** A password may begin and end with quotes of its own. */
const MAY_BE_QUOTED = ['SERVICESTAGE_IAM_PASSWORD'];
const LONGEST_SHOWN_BYTES = 200;

/** A form that a value must have. */
export interface Form {
  readonly pattern: RegExp;
  /** What the value is not, such as `a project id`. */
  readonly noun: string;
  readonly remedy: string;
}

function isServiceLink(name: string, value: string): boolean {
  if (!SERVICE_LINK.test(name) || CONFIG_VARIABLE_NAMES.includes(name)) return false;
  const isBarePort =
    name.startsWith(GRPC_HEADER) && name.endsWith('_PORT') && !/_(?:SERVICE|TCP|UDP|SCTP)_PORT$/.test(name);
  return !isBarePort || /^(?:tcp|udp|sctp):\/\//.test(value);
}

export class Reader {
  readonly #problems: Problem[] = [];
  readonly #warnings: string[] = [];
  readonly #values = new Map<string, string>();
  /** Variables whose value was refused at first sight: whatever else is wrong with them follows from that. */
  readonly #refused = new Set<string>();

  constructor(env: Environment) {
    for (const [name, raw = ''] of Object.entries(env)) {
      const value = raw.trim();
      // Also for Temporal's own reader, which would send them as headers with every call.
      if (isServiceLink(name, value)) continue;
      if (value !== '') this.#values.set(name, value);
      if (CONFIG_VARIABLE_NAMES.includes(name) || PROXY_VARIABLES.includes(name.toUpperCase()))
        this.#check(name, value);
      else if (name.startsWith('TEMPORAL_')) this.#check(name, value);
      else if (/^(RUNBOOK|SERVICESTAGE)_/.test(name))
        this.problem(name, 'this variable is not known', `Take it out.${didYouMean(name, CONFIG_VARIABLE_NAMES)}`);
    }
  }

  problem(place: string, found: string, remedy: string): void {
    if (this.#refused.has(place)) return;
    this.#problems.push({ code: 'configuration', place: printable(place), found, remedy });
  }

  /** What the environment asks for and cannot be had, in words; nothing is refused for it. */
  warn(text: string): void {
    this.#warnings.push(text);
  }

  get warnings(): readonly string[] {
    return this.#warnings;
  }

  throwProblems(): void {
    if (this.#problems.length > 0) throw new ConfigurationError(this.#problems);
  }

  /** Without the white space around it, line ends of Windows among it. An empty variable counts as absent, as compose files and shells write it. */
  text(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** Text of a form; the problem shows the value. */
  formed(name: string, form: Form): string | undefined {
    const value = this.text(name);
    if (value !== undefined) this.checkForm(name, value, form);
    return value;
  }

  /** @returns whether it has the form */
  checkForm(name: string, value: string, { pattern, noun, remedy }: Form): boolean {
    if (pattern.test(value)) return true;
    this.problem(name, `"${shown(value)}" is not ${noun}`, remedy);
    return false;
  }

  /** Text that is sent in an HTTP header; no problem shows it. */
  secret(name: string): Secret | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    this.checkHeader(name, value);
    return new Secret(value);
  }

  /** No problem shows the value. */
  checkHeader(place: string, value: string): void {
    if (!/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value))
      this.problem(place, 'it holds a character that cannot stand in a header', 'Copy it again; it is plain ASCII');
  }

  /** Any text but control characters; no problem shows it. */
  password(name: string): Secret | undefined {
    const value = this.text(name);
    return value === undefined ? undefined : new Secret(value);
  }

  duration(name: string, defaultMs: number): number {
    const text = this.text(name);
    const ms = text === undefined ? defaultMs : durationMs(text);
    if (ms === null || ms <= 0) this.problem(name, `"${shown(text ?? '')}" is no duration`, DURATION_REMEDY);
    return ms ?? defaultMs;
  }

  positive(name: string, byDefault: number): number {
    const text = this.text(name);
    const value = text === undefined ? byDefault : Number(text);
    if (!(Number.isFinite(value) && value > 0))
      this.problem(name, `"${shown(text ?? '')}" is no positive number`, 'Write a number such as 5');
    return value;
  }

  oneOf<Value extends string>(name: string, values: readonly Value[], byDefault: Value): Value {
    const text = this.text(name) ?? byDefault;
    const value = values.find((candidate) => candidate === text);
    if (value === undefined) this.problem(name, `"${shown(text)}" is not known`, `Use one of: ${values.join(', ')}`);
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
        this.problem(name, `"${shown(left)}" is not known`, `Use ${keys.join(', ')}.${didYouMean(left, keys)}`);
      else if (ms === null) this.problem(name, `"${shown(right)}" is no duration`, DURATION_REMEDY);
      else found[key] = ms;
    }
    return found;
  }

  /** Every variable that is not empty, as `text` gives it: for readers of others. */
  all(): Record<string, string> {
    return Object.fromEntries(this.#values);
  }

  /** What no variable may hold. The value is not shown: it may be a secret. */
  #check(name: string, value: string): void {
    const lines = OF_SEVERAL_LINES.test(name) ? value.split(/\r?\n/) : [value];
    const odd = lines.flatMap((line) => Array.from(line)).find((character) => hasControlCharacters(character));
    if (odd !== undefined) {
      const what = /[\r\n]/.test(odd) ? 'a line break' : `the invisible character ${printable(odd)}`;
      this.problem(name, `it holds ${what}`, 'Take it out; a value is one line of visible characters');
    } else if (/^(["'])[^]*\1$/.test(value) && value.length > 1 && !MAY_BE_QUOTED.includes(name)) {
      this.problem(name, 'it stands in quotes', 'Take them out: here they are part of the value');
    } else return;
    this.#refused.add(name);
  }
}

function shown(text: string): string {
  return printable(clipText(text, LONGEST_SHOWN_BYTES));
}
