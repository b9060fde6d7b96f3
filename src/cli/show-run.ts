/** Shows a run live: drawn again in place on a terminal, one line for each event in a pipe, one JSON object a line with `--json`. */
import type { RunSnapshot } from '../client/report-snapshot.js';
import type { RunbookClient } from '../client/runbook-client.js';
import { accompanied } from './accompany.js';
import { hint, print, printJsonLine } from './output.js';
import { paintFor } from './paint.js';
import { eventsBetween, renderProgress } from './render-progress.js';
import { printablePainted } from './terminal-text.js';

/** @returns false when the signal ended the watching before the run ended; the run goes on */
export async function showUntilItEnds(
  client: RunbookClient,
  workflowId: string,
  asJson: boolean,
  signal: AbortSignal,
): Promise<boolean> {
  const view = await createView(asJson);
  try {
    return await accompanied(
      { client, awaited: 'run', workflowId: () => workflowId, show: (lines) => view.note(lines) },
      () => follow(client, workflowId, view, signal),
    );
  } finally {
    view.end();
  }
}

async function follow(client: RunbookClient, workflowId: string, view: View, signal: AbortSignal): Promise<boolean> {
  let before: RunSnapshot | null = null;
  for await (const snapshot of client.watch(workflowId, { signal, everySnapshot: view.isDrawnAgain })) {
    view.update(before, snapshot);
    before = snapshot;
    if (snapshot.run.phase === 'finished') return true;
  }
  return false;
}

interface View {
  /** What is drawn again in place shows how long it has taken by now. */
  readonly isDrawnAgain: boolean;
  update(before: RunSnapshot | null, after: RunSnapshot): void;
  /** Why nothing happens; no lines: it goes on. */
  note(lines: readonly string[]): void;
  end(): void;
}

/** On standard error, so that what a pipe reads stays what it was. */
export function hintNote(lines: readonly string[]): void {
  hint(lines.length === 0 ? 'It goes on' : lines.join('\n'));
}

async function createView(asJson: boolean): Promise<View> {
  if (asJson || !process.stdout.isTTY) {
    const update: View['update'] = asJson
      ? (_before, after) => printJsonLine(after)
      : (before, after) => eventsBetween(before, after).forEach(print);
    return { isDrawnAgain: false, update, note: hintNote, end: () => {} };
  }
  const { default: logUpdate } = await import('log-update');
  const paint = paintFor(process.env['NO_COLOR'] === undefined);
  let snapshot: RunSnapshot | null = null;
  let note: readonly string[] = [];
  const draw = () => {
    const run = snapshot === null ? '' : renderProgress(snapshot, Date.now(), paint);
    logUpdate(
      printablePainted([run, ...note.map((line) => paint.warn(line))].filter((part) => part !== '').join('\n')),
    );
  };
  return {
    isDrawnAgain: true,
    update: (_before, after) => {
      snapshot = after;
      draw();
    },
    note: (lines) => {
      note = lines;
      draw();
    },
    end: () => logUpdate.done(),
  };
}
