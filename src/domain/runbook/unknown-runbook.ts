/** What a caller reads when no runbook has the name: near misses, the known names, and the folders that were read. */
import { didYouMean } from '../text/suggest.js';

/** The folders that were read for runbooks, and what is there. */
export interface KnownRunbooks {
  readonly known: readonly string[];
  /** Absolute, on the machine that read them; the built-in catalogue first. */
  readonly folders: readonly string[];
}

/** `There is no runbook "recoverr". Did you mean recover? Known runbooks: …; read from /srv/runbooks` */
export function describeUnknownRunbook(name: string, runbooks: KnownRunbooks): string {
  return `${startOf(name, '', runbooks)}; read from ${runbooks.folders.join(', ')}`;
}

/** The same for a worker: it may read other folders than the command line that asked. */
export function describeUnknownToWorker(name: string, runbooks: KnownRunbooks): string {
  const start = startOf(name, ': the worker does not know it', runbooks);
  return `${start}; it reads ${runbooks.folders.join(', ')}. If it is in another folder, set RUNBOOK_DIR for the worker and restart it`;
}

function startOf(name: string, more: string, { known }: KnownRunbooks): string {
  return `There is no runbook "${name.slice(0, 80)}"${more}.${didYouMean(name, known)} Known runbooks: ${known.join(', ')}`;
}
