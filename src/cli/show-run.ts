/** Shows a run live: drawn again in place on a terminal, one line for each event in a pipe, one JSON object a line with `--json`. */
import type { RunSnapshot } from '../client/report-snapshot.js';
import type { RunbookClient } from '../client/runbook-client.js';
import { print, printJsonLine } from './output.js';
import { paintFor } from './paint.js';
import { eventsBetween, renderProgress } from './render-progress.js';
import { printablePainted } from './terminal-text.js';

/** @returns false when Ctrl-C ended the watching before the run ended; the run goes on */
export async function showUntilItEnds(client: RunbookClient, workflowId: string, asJson: boolean): Promise<boolean> {
  const stop = new AbortController();
  const onInterrupt = () => stop.abort();
  process.once('SIGINT', onInterrupt);
  const show = await shower(asJson);
  try {
    let before: RunSnapshot | null = null;
    // What is drawn again in place shows how long it has taken by now.
    const everyLook = !asJson && process.stdout.isTTY;
    for await (const snapshot of client.watch(workflowId, { signal: stop.signal, everyLook })) {
      show.update(before, snapshot);
      before = snapshot;
      if (snapshot.run.phase === 'finished') return true;
    }
    return false;
  } finally {
    process.removeListener('SIGINT', onInterrupt);
    show.end();
  }
}

interface Shower {
  update(before: RunSnapshot | null, after: RunSnapshot): void;
  end(): void;
}

async function shower(asJson: boolean): Promise<Shower> {
  const { stdout } = process;
  if (asJson) return { update: (_before, after) => printJsonLine(after), end: () => {} };
  if (!stdout.isTTY) {
    return {
      update: (before, after) => eventsBetween(before, after).forEach(print),
      end: () => {},
    };
  }
  const { default: logUpdate } = await import('log-update');
  const paint = paintFor(process.env['NO_COLOR'] === undefined);
  return {
    update: (_before, after) => logUpdate(printablePainted(renderProgress(after, Date.now(), paint))),
    end: () => logUpdate.done(),
  };
}
