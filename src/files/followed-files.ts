/**
 * Texts of small files that somebody else replaces while we run, such as mounted secrets. They are read again at the
 * time of use, at most once a second: a watcher would miss the folders of links that Kubernetes swaps. Files of one
 * group belong together, such as an access key and its secret key, and change together.
 */
import { FileError } from './file-access.js';
import { readSmallFileSync } from './read-file.js';

/** Chosen: a secret is used some times a second at most, and files of secrets are in memory or on a local disk. */
const CHECK_EVERY_MS = 1_000;
/** Far more than any key, token or PEM file has. */
const LARGEST_FOLLOWED_BYTES = 64 * 1024;
/** Readings until two that follow each other agree. A folder is swapped in one step, so the second pair agrees. */
const READINGS = 4;
/** Chosen: anyone who replaces the files of a group one after the other takes some seconds. A correction of one file alone counts after that. */
const TOGETHER_WITHIN_MS = 30_000;
/** Chosen: a replacement by hand takes no longer. The rest of a group counts at once for as long after a part of it, because the mixture signs wrongly. */
const COMPLETED_WITHIN_MS = 600_000;

/** Texts by name. */
export type Texts = Readonly<Record<string, string>>;

/** What happened to a group, for the log. No text of a file is in it. */
export type FollowedNotice =
  /** Another text counts from now on. */
  | { readonly kind: 'changed'; readonly names: readonly string[] }
  /** Something is wrong with the file of a name, and the texts of before still count. Reported once for each reason. */
  | { readonly kind: 'kept'; readonly name: string; readonly why: string }
  /** After trouble all files of the group can be read again, and the texts of before are still theirs. */
  | { readonly kind: 'readAgain'; readonly names: readonly string[] };

/** How files are followed. */
export interface FollowOptions {
  /** Path of the file of each name. */
  readonly paths: Readonly<Record<string, string>>;
  /** What is wrong with a text, as the end of a sentence about its file; `null`: nothing. */
  readonly problemOf: (name: string, text: string) => string | null;
  readonly report: (notice: FollowedNotice) => void;
  /** Milliseconds of a monotonic clock: a wall clock that jumps would let half of a group count early, or late. Default: the process's own. */
  readonly nowMs?: () => number;
  /** Default: from disk. @throws FileError */
  readonly read?: (path: string) => string;
}

/** The text of a file without white space around it, as variables are read. @throws FileError */
export function readTrimmed(path: string): string {
  return new TextDecoder().decode(readSmallFileSync(path, LARGEST_FOLLOWED_BYTES)).trim();
}

/** What is wrong with a reading. */
interface Trouble {
  readonly name: string;
  readonly why: string;
}

/** A group in which some files were replaced and others were not. */
interface Half {
  /** Since when the changed files wait for the others; `null`: none waits. */
  readonly waitsSinceMs: number | null;
  /** The files that others began to count without, and since when; `null`: none counts alone. */
  readonly left: { readonly names: readonly string[]; readonly sinceMs: number } | null;
}

/** The files of one group. */
export class FollowedFiles {
  #texts: Texts;
  #checkedAtMs: number;
  #reported: string | null = null;
  #half: Half | null = null;

  /** @param first the texts that the start has read and checked */
  constructor(
    first: Texts,
    private readonly options: FollowOptions,
  ) {
    this.#texts = first;
    this.#checkedAtMs = this.#nowMs();
  }

  /** The texts that count, all of one moment; at most a second old. Reads without waiting, so a file system that does not answer holds up the process. */
  current(): Texts {
    return this.#nowMs() - this.#checkedAtMs < CHECK_EVERY_MS ? this.#texts : this.readAgain();
  }

  /** Reads now: for a credential that was just refused. */
  readAgain(): Texts {
    this.#checkedAtMs = this.#nowMs();
    const found = this.#readTogether();
    if ('why' in found) this.#keep(found);
    else this.#accept(found.texts);
    return this.#texts;
  }

  #accept(texts: Texts): void {
    const changed = Object.keys(texts).filter((name) => texts[name] !== this.#texts[name]);
    const half = this.#halfOf(changed);
    if (half !== null) return this.#keep(half);
    const hadTrouble = this.#reported !== null;
    this.#reported = null;
    this.#texts = texts;
    if (changed.length > 0) this.options.report({ kind: 'changed', names: changed });
    else if (hadTrouble) this.options.report({ kind: 'readAgain', names: Object.keys(texts) });
  }

  /** Some files are replaced and the others not yet: half of a new key signs nothing, and the API locks a key that signs wrongly. */
  #halfOf(changed: readonly string[]): Trouble | null {
    const [name] = changed;
    const { waitsSinceMs = null, left = null } = this.#half ?? {};
    if (name === undefined) {
      this.#half = { waitsSinceMs: null, left };
      return null;
    }
    const missing = this.#missing();
    if (missing.every((each) => changed.includes(each))) {
      this.#half = null;
      return null;
    }
    const nowMs = this.#nowMs();
    const others = Object.keys(this.#texts).filter((each) => !changed.includes(each));
    if (waitsSinceMs !== null && nowMs - waitsSinceMs >= TOGETHER_WITHIN_MS) {
      const names = others.filter((each) => missing.includes(each));
      this.#half = { waitsSinceMs: null, left: { names, sinceMs: nowMs } };
      return null;
    }
    this.#half = { waitsSinceMs: waitsSinceMs ?? nowMs, left };
    return { name, why: `has changed, and those that belong to it have not yet (${others.join(', ')})` };
  }

  /** The files whose change makes the group whole: those that others lately began to count without, or else all. */
  #missing(): readonly string[] {
    const left = this.#half?.left ?? null;
    return left !== null && this.#nowMs() - left.sinceMs < COMPLETED_WITHIN_MS ? left.names : Object.keys(this.#texts);
  }

  #keep({ name, why }: Trouble): void {
    const reason = `${name} ${why}`;
    if (reason !== this.#reported) this.options.report({ kind: 'kept', name, why });
    this.#reported = reason;
  }

  /** A changed reading counts once the next one is the same: between the files of one reading a folder may have been swapped. */
  #readTogether(): { readonly texts: Texts } | Trouble {
    let before: Texts = this.#texts;
    for (let reading = 1; reading <= READINGS; reading++) {
      const found = this.#readOnce();
      if ('why' in found || isSame(before, found.texts)) return found;
      before = found.texts;
    }
    return { name: Object.keys(before).join(', '), why: 'changes while it is read' };
  }

  #readOnce(): { readonly texts: Texts } | Trouble {
    const { paths, problemOf, read = readTrimmed } = this.options;
    const texts: Record<string, string> = {};
    for (const [name, path] of Object.entries(paths)) {
      try {
        texts[name] = read(path);
      } catch (error) {
        if (!(error instanceof FileError)) throw error;
        return { name, why: error.message };
      }
      const why = texts[name] === '' ? 'is empty' : problemOf(name, texts[name] ?? '');
      if (why !== null) return { name, why };
    }
    return { texts };
  }

  #nowMs(): number {
    return this.options.nowMs?.() ?? performance.now();
  }
}

function isSame(left: Texts, right: Texts): boolean {
  return Object.keys(right).every((name) => left[name] === right[name]);
}
