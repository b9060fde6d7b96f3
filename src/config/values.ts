/** The kinds of values that variables hold, as zod schemas: each reads the text of a variable, or reports what is wrong and what would be right. */
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { readApprovers, readKeys } from '../approvers/approvers.js';
import { describeDuration, durationMs, DURATION_REMEDY } from '../domain/time/duration.js';
import { didYouMean } from '../domain/text/suggest.js';
import { clipText, printable } from '../domain/text/text.js';
import { readSmallFileSync } from '../files/read-file.js';
import { allowedHost } from '../network/allowed-hosts.js';
import { isHostOfUrl } from '../network/host-and-port.js';
import { Secret } from '../servicestage/secret.js';

/** What the documentation shows of a variable beside its description. */
interface VariableMeta {
  /** As one would write it; absent: the variable has no default. */
  readonly default?: string;
  /** What its value looks like, in a few words, with the unit. */
  readonly form?: string;
  /** No message and no log shows the value, and it may come from a file (`secret-files.ts`). */
  readonly secret?: boolean;
  /** No secret, but it may come from a file as well, because it changes together with one. */
  readonly fromFile?: boolean;
}

declare module 'zod' {
  interface GlobalMeta extends VariableMeta {}
}

const LONGEST_SHOWN_BYTES = 200;

/** A value for a message: printable, on one line, at most 200 bytes. */
function shown(text: string): string {
  return printable(clipText(text, LONGEST_SHOWN_BYTES));
}

/** Adds a problem of the value that is read; what it returns is never used. */
type Refuse = (found: string, remedy: string) => never;

/** A schema that reads the text of a variable. @param form what a value looks like, for the documentation */
export function kind<Value>(form: string, read: (value: string, refuse: Refuse) => Value) {
  return z
    .string()
    .transform((value, context) =>
      read(value, (found, remedy) => {
        context.addIssue({ code: 'custom', message: found, params: { remedy } });
        return z.NEVER;
      }),
    )
    .meta({ form });
}

/** What would be right instead of the value that an issue is about; the message of the issue is what was found. */
export function remedyOf(issue: z.core.$ZodIssue): string {
  const remedy: unknown = issue.code === 'custom' ? issue.params?.['remedy'] : undefined;
  return typeof remedy === 'string' ? remedy : 'Correct the value';
}

/** Any text. */
export const text = z.string().meta({ form: 'text' });

/** Text of a form. Messages show the value. @param noun what a wrong value is not, such as `a project id` */
export function formed(form: RegExp | ((value: string) => boolean), noun: string, remedy: string) {
  const fits = typeof form === 'function' ? form : (value: string) => form.test(value);
  return kind(noun.replace(/^(?:an?|the) /, ''), (value, refuse) =>
    fits(value) ? value : refuse(`"${shown(value)}" is not ${noun}`, remedy),
  );
}

/** Text that can be sent in an HTTP or gRPC header, unchanged. No message shows it. */
export const headerText = kind('text', (value, refuse) =>
  /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value)
    ? value
    : refuse('it contains a character that no header can hold', 'Copy it again; it is plain ASCII'),
);

/** A secret that is sent in a header. */
export const headerSecret = headerText.transform((value) => new Secret(value)).meta({ form: 'text', secret: true });

/** A secret of any characters. */
export const secret = kind('text', (value) => new Secret(value)).meta({ secret: true });

/** A duration in milliseconds, above zero. */
export function duration(defaultMs: number) {
  return kind('duration, such as 90s', (value, refuse) => {
    const ms = durationMs(value);
    return ms === null || ms <= 0 ? refuse(`"${shown(value)}" is not a duration`, DURATION_REMEDY) : ms;
  })
    .default(defaultMs)
    .meta({ default: describeDuration(defaultMs) });
}

/** A time to wait in milliseconds, from zero to a longest one. */
export function waiting(defaultMs: number, longestMs: number, remedy: string) {
  return kind('duration, such as 90s', (value, refuse) => {
    const ms = durationMs(value);
    if (ms === null) return refuse(`"${shown(value)}" is not a duration`, DURATION_REMEDY);
    return ms > longestMs ? refuse(`"${shown(value)}" is too long`, remedy) : ms;
  })
    .default(defaultMs)
    .meta({ default: describeDuration(defaultMs) });
}

/** Durations by key, in milliseconds, which may be zero: `start=45s,stop=10s`. @returns those that are written */
export function durations<Key extends string>(keys: readonly Key[]) {
  return kind('name=duration, …', (value, refuse) => {
    const read: Partial<Record<Key, number>> = {};
    for (const pair of value.split(',')) {
      const [left = '', right = ''] = pair.split('=').map((part) => part.trim());
      const key = keys.find((candidate) => candidate === left);
      const ms = durationMs(right);
      if (key === undefined)
        refuse(`"${shown(left)}" is not known`, `Use ${keys.join(', ')}.${didYouMean(left, keys)}`);
      else if (ms === null) refuse(`"${shown(right)}" is not a duration`, DURATION_REMEDY);
      else read[key] = ms;
    }
    return read;
  }).optional();
}

/** A number above zero. */
export function positive(byDefault: number) {
  return kind('number', (value, refuse) => {
    const number = Number(value);
    return Number.isFinite(number) && number > 0
      ? number
      : refuse(`"${shown(value)}" is not a positive number`, 'Write a number such as 5');
  })
    .default(byDefault)
    .meta({ default: String(byDefault) });
}

/** A whole number within bounds, or none. */
export function count(least: number, most: number) {
  return kind('whole number', (value, refuse) => {
    const number = Number(value);
    return /^\d+$/.test(value) && number >= least && number <= most
      ? number
      : refuse(`"${shown(value)}" is not a number from ${least} to ${most}`, `Write a number such as ${least}`);
  }).optional();
}

/** One of some words. */
export function oneOf<Value extends string>(values: readonly Value[], byDefault: Value) {
  const isOne = (value: string) => values.find((candidate) => candidate === value);
  return kind(
    values.join(', '),
    (value, refuse) => isOne(value) ?? refuse(`"${shown(value)}" is not known`, `Use one of: ${values.join(', ')}`),
  )
    .prefault(byDefault)
    .meta({ default: byDefault });
}

/** Folders, separated as in `PATH`. @param byDefault a folder below the working directory, which counts where it exists */
export function folders(byDefault: string) {
  const separator = process.platform === 'win32' ? ';' : ':';
  return z
    .string()
    .optional()
    .transform((value): readonly string[] =>
      value === undefined
        ? [byDefault].filter((folder) => existsSync(folder))
        : value.split(separator).filter((folder) => folder !== ''),
    )
    .meta({ form: 'folders', default: `./${byDefault} where it exists` });
}

/** Hosts that may be asked, each with an optional port, separated by commas; empty by default. */
export const allowedHosts = kind('hosts', (value, refuse) => {
  const entries = value.split(/[,\s]+/).filter((entry) => entry !== '');
  for (const entry of entries)
    if (allowedHost(entry) === null)
      refuse(
        `"${shown(entry)}" is not a host`,
        'Write names such as shop.example.com, *.example.com or shop.example.com:8443, separated by commas',
      );
  return entries;
}).default([]);

/** The address of a service. No message shows the value, since it may hold a password. */
export const serviceUrl = kind('URL', (value, refuse) => {
  const url = urlOf(value);
  if (url === null || !['https:', 'http:'].includes(url.protocol))
    return refuse('it is not a URL', 'Write it with its scheme, such as https://servicestage.example.com');
  if (`${url.username}${url.password}` !== '')
    refuse('it contains a user name or password', 'Remove it; credentials have variables of their own');
  // An empty one too, which the parts of a URL do not show: the path of each request is written behind it.
  if (/[?#]/.test(value))
    refuse('it contains a query or a fragment', 'Write the address alone, such as https://servicestage.example.com');
  return url;
});

/** The address of a proxy; a scheme may be left out. No message shows the value, since it may hold a password. */
export const proxyUrl = kind('URL', (value, refuse) => {
  const url = urlOf(value.includes('://') ? value : `http://${value}`);
  const example = 'Write it such as http://proxy.example.com:3128';
  if (url === null || !hasReadableUser(url)) return refuse('it is not a URL', example);
  if (!['http:', 'https:'].includes(url.protocol))
    return refuse(`it names a proxy of the kind ${url.protocol}//`, 'Give an HTTP proxy: http:// or https://');
  return `${url.search}${url.hash}` !== '' || url.pathname.replace(/^\/$/, '') !== ''
    ? refuse('it contains more than scheme, host and port', example)
    : url;
});

function urlOf(value: string): URL | null {
  const url = URL.canParse(value) ? new URL(value) : null;
  return url !== null && isHostOfUrl(url) ? url : null;
}

function hasReadableUser({ username, password }: URL): boolean {
  try {
    decodeURIComponent(`${username}${password}`);
    return true;
  } catch {
    return false;
  }
}

/** Certificates with all that they are signed by, and profiles of many servers, are far smaller. */
const LARGEST_FILE_BYTES = 256 * 1024;

/** A file that a variable or a profile names. Temporal's own reader would wait for ever for a named pipe. @throws Error with the path and the reason */
export function readNamedFile(path: string): Buffer {
  try {
    return readSmallFileSync(path, LARGEST_FILE_BYTES);
  } catch (error) {
    throw new Error(`"${path}" ${reasonOf(error)}`, { cause: error });
  }
}

/** The path of a file that can be read. */
export const readableFile = kind('file', (value, refuse) => {
  try {
    readNamedFile(value);
    return value;
  } catch (error) {
    return refuse(reasonOf(error), 'Name a file that this process can read');
  }
});

/** Whose signatures count for approvals. */
export const approvers = kind('file or JSON', (value, refuse) => {
  const remedy = 'Write it as docs/approvals.md shows';
  try {
    const read = value.startsWith('{')
      ? readApprovers(value, process.cwd())
      : readApprovers(readNamedFile(value).toString('utf8'), dirname(resolve(value)));
    if (typeof read === 'string') return refuse(read, remedy);
    const keys = 'file' in read.jwks ? readKeys(readNamedFile(read.jwks.file).toString('utf8')) : null;
    return typeof keys === 'string' ? refuse(`the file of keys: ${keys}`, remedy) : read;
  } catch (error) {
    return refuse(reasonOf(error), 'Name a file that this process can read');
  }
});

/** The message of an error. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
