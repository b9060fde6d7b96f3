/** Secrets in files: `NAME_FILE` instead of `NAME` for each secret variable. The files are read again when they change, so that a rotated secret needs no restart. */
import { FollowedFiles, type FollowedNotice, type Texts } from '../files/followed-files.js';
import { WEBHOOK_SECRET_PREFIX } from '../domain/notifications/delivery.js';
import { Secret } from '../servicestage/secret.js';
import { FILE_VARIABLE_NAMES } from './variables.js';

const ENDING = '_FILE';
/** These change together: half of a new key signs nothing. */
const TOGETHER = [['HUAWEICLOUD_SDK_AK', 'HUAWEICLOUD_SDK_SK', 'HUAWEICLOUD_SDK_SECURITY_TOKEN']];

/** The variable whose value is in the file that `name` names; `null` if `name` names no file of a secret. */
export function variableInFile(name: string): string | null {
  const own = name.endsWith(ENDING) ? name.slice(0, -ENDING.length) : '';
  const isWebhookSecret = own.startsWith(WEBHOOK_SECRET_PREFIX) && own !== WEBHOOK_SECRET_PREFIX;
  return isWebhookSecret || FILE_VARIABLE_NAMES.includes(own) ? own : null;
}

/** `HUAWEICLOUD_SDK_SK_FILE` */
export function fileVariable(name: string): string {
  return `${name}${ENDING}`;
}

/** A file of a secret as it was read at the start. */
export interface SecretFile {
  readonly name: string;
  readonly path: string;
  readonly text: string;
}

/** A line for the log about a file, without any secret or path. */
export interface SecretFileNotice {
  readonly level: 'info' | 'warn';
  readonly text: string;
}

/** The secret files of a process. */
export class SecretFiles {
  readonly #groups = new Map<string, FollowedFiles>();
  readonly #checks = new Map<string, (text: string) => boolean>();
  #report: (notice: SecretFileNotice) => void = () => {};

  /** @param problemOf what no variable may hold, as the end of a sentence */
  constructor(files: readonly SecretFile[], problemOf: (name: string, text: string) => string | null) {
    const left = new Map(files.map((file) => [file.name, file]));
    for (const names of [...TOGETHER, ...files.map(({ name }) => [name])]) {
      const group = names.flatMap((name) => left.get(name) ?? []);
      if (group.length === 0) continue;
      const followed = new FollowedFiles(Object.fromEntries(group.map(({ name, text }) => [name, text])), {
        paths: Object.fromEntries(group.map(({ name, path }) => [name, path])),
        problemOf: (name, text) => problemOf(name, text) ?? this.#misfit(name, text),
        report: (notice) => this.#report(noticeOf(notice)),
      });
      for (const { name } of group) {
        this.#groups.set(name, followed);
        left.delete(name);
      }
    }
  }

  /** The variables whose values come from files, sorted. */
  get names(): readonly string[] {
    return [...this.#groups.keys()].sort();
  }

  /** Whether the value of a variable comes from a file. */
  has(name: string): boolean {
    return this.#groups.has(name);
  }

  /** Passes on what happens to the files from now on. Each trouble is reported once, and so is its end. */
  reportTo(report: (notice: SecretFileNotice) => void): void {
    this.#report = report;
  }

  /** Reads files that have changed, so that a new value is reported where nothing uses it at the time. */
  check(): void {
    for (const group of new Set(this.#groups.values())) group.current();
  }

  /** The secret in the file of a variable, as of each use. @param fits whether a later text can be used */
  secret(name: string, fits: (text: string) => boolean = () => true): Secret {
    this.#checks.set(name, fits);
    const text = (texts: Texts | undefined) => texts?.[name] ?? '';
    return new Secret({
      read: () => text(this.#groups.get(name)?.current()),
      readAgain: () => text(this.#groups.get(name)?.readAgain()),
    });
  }

  /** The files of the group that a variable belongs to; `undefined` if its value does not come from a file. */
  together(name: string): FollowedFiles | undefined {
    return this.#groups.get(name);
  }

  #misfit(name: string, text: string): string | null {
    return this.#checks.get(name)?.(text) === false ? 'does not hold such a value' : null;
  }
}

function noticeOf(notice: FollowedNotice): SecretFileNotice {
  if (notice.kind === 'changed')
    return { level: 'info', text: `${notice.names.map(fileVariable).join(', ')}: the new value counts from now on` };
  if (notice.kind === 'readAgain')
    return {
      level: 'info',
      text: `${notice.names.map(fileVariable).join(', ')}: can be read again, and the value has not changed`,
    };
  const name = fileVariable(notice.name);
  return { level: 'warn', text: `${name}: the file ${notice.why}; the value of before still counts` };
}
