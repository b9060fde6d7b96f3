/** What a caller reads when no runbook has the name: near misses, the known names, and the folders that were read. */
import { didYouMean } from './nearest.js';

/** Where runbooks were looked for, and what is there. */
export interface KnownRunbooks {
  readonly known: readonly string[];
  /** Absolute, on the machine that looked; the built-in catalogue first. */
  readonly folders: readonly string[];
}

/** `There is no runbook "recoverr". Did you mean recover? Known runbooks: …; read from /srv/runbooks` */
export function describeUnknownRunbook(name: string, { known, folders }: KnownRunbooks): string {
  return `There is no runbook "${name.slice(0, 80)}".${didYouMean(name, known)} Known runbooks: ${known.join(', ')}; read from ${folders.join(', ')}`;
}
