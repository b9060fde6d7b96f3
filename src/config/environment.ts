/** The environment of a process, cleaned, and the reader of its variables: every problem is collected, so that all come in one message. */
import type { z } from 'zod';
import { describeProblem, type Problem } from '../domain/failures.js';
import { WEBHOOK_SECRET_PREFIX } from '../domain/notifications/delivery.js';
import { didYouMean } from '../domain/text/suggest.js';
import { hasControlCharacters, printable } from '../domain/text/text.js';
import { readTrimmed } from '../files/followed-files.js';
import { Secret } from '../servicestage/secret.js';
import { fileVariable, SecretFiles, variableInFile, type SecretFile } from './secret-files.js';
import { reasonOf, remedyOf } from './values.js';
import { CONFIG_VARIABLE_NAMES, PROXY_VARIABLES } from './variables.js';

/** Variables of a process by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** All problems of the configuration at once; the command line exits with 2. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';

  constructor(readonly problems: readonly Problem[]) {
    super(
      ['The configuration has problems:', ...problems.map((problem) => `- ${describeProblem(problem)}`)].join('\n'),
    );
  }
}

/** What the kubelet puts into each pod for each Service of its namespace: a Service named `runbook-gateway` gives `RUNBOOK_GATEWAY_PORT`. */
const SERVICE_LINK = /_(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)$/;
const LINK = /^(?:tcp|udp|sctp):\/\//;
/** Headers of gRPC, whose names are free: one named `X-Port` is a link only if its value is a URL such as a link has. */
const GRPC_HEADER = 'TEMPORAL_GRPC_META_';
/** PEM, which has lines. */
const OF_SEVERAL_LINES = /^TEMPORAL_TLS_\w+_DATA$/;
/** A password may begin and end with quotes of its own. */
const MAY_BE_QUOTED = ['SERVICESTAGE_IAM_PASSWORD'];

function isServiceLink(name: string, value: string): boolean {
  if (!SERVICE_LINK.test(name)) return false;
  // A Service named `runbook-health` gives one with a name of ours.
  if (CONFIG_VARIABLE_NAMES.includes(name)) return LINK.test(value);
  const isBarePort =
    name.startsWith(GRPC_HEADER) && name.endsWith('_PORT') && !/_(?:SERVICE|TCP|UDP|SCTP)_PORT$/.test(name);
  return !isBarePort || LINK.test(value);
}

function isReadHere(name: string): boolean {
  if (CONFIG_VARIABLE_NAMES.includes(name) || name.toUpperCase() in PROXY_VARIABLES) return true;
  if (variableInFile(name) !== null) return true;
  return name.startsWith('TEMPORAL_') || name.startsWith(WEBHOOK_SECRET_PREFIX);
}

/** Our names, and those of the cloud's and Temporal's own tools, begin differently: `SERVICESTAGE_AK` was meant as `HUAWEICLOUD_SDK_AK`. */
const BEGINNINGS = ['HUAWEICLOUD_SDK_', 'SERVICESTAGE_', 'RUNBOOK_'];

function meantBy(name: string): string {
  const ending = name.replace(/^(RUNBOOK|SERVICESTAGE)_/, '');
  const sameEnding = BEGINNINGS.map((beginning) => `${beginning}${ending}`).filter(isReadHere);
  return sameEnding.length > 0 ? ` Did you mean ${sameEnding.join(' or ')}?` : didYouMean(name, CONFIG_VARIABLE_NAMES);
}

/** The values that the schemas of a table read. */
export type ValuesOf<Table extends Readonly<Record<string, z.ZodType>>> = {
  readonly [Name in keyof Table]: z.output<Table[Name]>;
};

/** Reads variables by their schemas. White space around a value is dropped, and an empty variable counts as absent, as compose files and shells write it. */
export class VariableReader {
  readonly #problems: Problem[] = [];
  readonly #warnings: string[] = [];
  readonly #values = new Map<string, string>();
  /** Variables whose value can mean nothing here: whatever else is wrong with them follows from that. */
  readonly #refused = new Set<string>();
  /** Where secrets come from files: their texts are followed. */
  readonly secretFiles: SecretFiles;

  constructor(env: Environment) {
    const paths = new Map<string, string>();
    for (const [name, raw = ''] of Object.entries(env)) {
      const value = raw.trim();
      // Also for Temporal's own reader, which would send them as headers with every call.
      if (isServiceLink(name, value)) continue;
      const inFile = variableInFile(name);
      if (inFile !== null && value !== '') paths.set(inFile, value);
      if (inFile === null && value !== '') this.#values.set(name, value);
      if (isReadHere(name)) this.#refuseUnreadable(name, value);
      else if (/^(RUNBOOK|SERVICESTAGE)_/.test(name))
        this.problem(name, 'there is no such variable', `Remove it.${meantBy(name)}`);
    }
    const files = [...paths].flatMap(([name, path]) => this.#readSecretFile(name, path) ?? []);
    this.secretFiles = new SecretFiles(files, (name, text) => unreadable(name, text)?.found ?? null);
  }

  /** The path is not shown: someone may have written the secret itself. */
  #readSecretFile(name: string, path: string): SecretFile | null {
    const place = fileVariable(name);
    if (this.#values.has(name)) this.problem(place, `${name} is set as well`, 'Keep one of the two');
    else {
      try {
        const text = readTrimmed(path);
        if (text !== '') {
          this.#values.set(name, text);
          this.#refuseUnreadable(name, text);
          return { name, path, text };
        }
        this.problem(place, 'the file that it names is empty', 'Write the secret into it, and nothing else');
      } catch (error) {
        const remedy = 'Name a file that this process can read; the secret itself goes into the file';
        this.problem(place, `the file that it names ${reasonOf(error)}`, remedy);
      }
      // Whatever else would be missing follows from this, and the configuration is refused for it.
      this.#values.set(name, 'unread');
      this.#refused.add(name);
    }
    return null;
  }

  /** Adds a problem. @param place the variable, as it was written; @param found must not show a secret */
  problem(place: string, found: string, remedy: string): void {
    if (this.#refused.has(place)) return;
    this.#problems.push({ code: 'configuration', place: printable(place), found, remedy });
  }

  /** Adds what the environment asks for and cannot be had, in words; nothing is refused for it. */
  warn(text: string): void {
    this.#warnings.push(text);
  }

  /** All warnings so far. */
  get warnings(): readonly string[] {
    return this.#warnings;
  }

  /** @throws ConfigurationError with every problem so far, if there is one */
  throwProblems(): void {
    if (this.#problems.length > 0) throw new ConfigurationError(this.#problems);
  }

  /** The value as it was written; `undefined` for a variable that is absent or empty. */
  text(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** Every variable that is not empty: for readers of others. */
  all(): Record<string, string> {
    return Object.fromEntries(this.#values);
  }

  /** Reads each variable of a table. One that is refused counts as absent after its problems were added. */
  read<Table extends Readonly<Record<string, z.ZodType>>>(table: Table): ValuesOf<Table> {
    const values = Object.entries(table).map(([name, schema]) => [
      name,
      this.#followed(name, schema, this.check(name, this.text(name), schema) ?? schema.parse(undefined)),
    ]);
    return Object.fromEntries(values) as ValuesOf<Table>;
  }

  /** A secret in a file is not the text that the start has read, but whatever the file holds. */
  #followed(name: string, schema: z.ZodType, value: unknown): unknown {
    if (!this.secretFiles.has(name)) return value;
    const secret = this.secretFiles.secret(name, (text) => schema.safeParse(text).success);
    return value instanceof Secret ? secret : value;
  }

  /** Reads one value. @returns `undefined` if the schema refuses it, after its problems were added */
  check<Schema extends z.ZodType>(
    place: string,
    value: string | undefined,
    schema: Schema,
  ): z.output<Schema> | undefined {
    const read = schema.safeParse(value);
    if (read.success) return read.data;
    for (const issue of read.error.issues) this.problem(place, issue.message, remedyOf(issue));
    return undefined;
  }

  /** Adds what no variable may hold. The value is not shown: it may be a secret. */
  #refuseUnreadable(name: string, value: string): void {
    const odd = unreadable(name, value);
    if (odd === null) return;
    this.problem(name, `it ${odd.found}`, odd.remedy);
    this.#refused.add(name);
  }
}

/** What no value may hold; `found` is the end of a sentence, and shows nothing of the value. */
function unreadable(name: string, value: string): { readonly found: string; readonly remedy: string } | null {
  const lines = OF_SEVERAL_LINES.test(name) ? value.split(/\r?\n/) : [value];
  const odd = lines.flatMap((line) => Array.from(line)).find((character) => hasControlCharacters(character));
  if (odd !== undefined) {
    const what = /[\r\n]/.test(odd) ? 'a line break' : `the invisible character ${printable(odd)}`;
    return { found: `contains ${what}`, remedy: 'Remove it; a value is one line of visible characters' };
  }
  const isQuoted = /^(["'])[^]*\1$/.test(value) && value.length > 1 && !MAY_BE_QUOTED.includes(name);
  return isQuoted ? { found: 'is in quotes', remedy: 'Remove them: here they are part of the value' } : null;
}
