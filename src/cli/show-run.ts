/**
 * Shows a run live: redrawn in place on a terminal, with keys to steer it; one line per event in a pipe; one JSON object per
 * line with `--json`.
 */
import type { RunSnapshot } from '../client/report-snapshot.js';
import type { RunbookClient } from '../client/runbook-client.js';
import { withExplanations } from './explain-wait.js';
import { hint, print, printJsonLine } from './output.js';
import { createColors } from './colors.js';
import { sendOrder } from './live/send-order.js';
import { eventsBetween, lateEvents } from './render-events.js';

/** How to show a run. */
interface ShowOptions {
  readonly asJson: boolean;
  /** Who commands by the keys of the live view. */
  readonly actor: string;
}

/** Shows snapshots until the run ends. @returns false if the signal ended the watching first; the run continues */
export async function showUntilItEnds(
  client: RunbookClient,
  workflowId: string,
  options: ShowOptions,
  signal: AbortSignal,
): Promise<boolean> {
  const view = await createView(client, workflowId, options);
  try {
    return await withExplanations(
      { client, awaited: 'run', workflowId: () => workflowId, show: (lines) => view.note(lines) },
      () => follow(client, workflowId, view, signal),
    );
  } finally {
    view.end();
  }
}

async function follow(client: RunbookClient, workflowId: string, view: View, signal: AbortSignal): Promise<boolean> {
  let before: RunSnapshot | null = null;
  for await (const snapshot of client.watch(workflowId, { signal, everySnapshot: view.needsEverySnapshot })) {
    view.update(before, snapshot);
    before = snapshot;
    if (snapshot.run.phase === 'finished') return true;
  }
  return false;
}

interface View {
  /** Views for people also show the time that passes, so they need snapshots that are like the one before. */
  readonly needsEverySnapshot: boolean;
  update(before: RunSnapshot | null, after: RunSnapshot): void;
  /** Explains why nothing happens; no lines mean that the run continues. */
  note(lines: readonly string[]): void;
  end(): void;
}

/** Prints an explanation to standard error, so that pipes get only the result. */
export function hintNote(lines: readonly string[]): void {
  hint(lines.length === 0 ? 'The run continues' : lines.join('\n'));
}

async function createView(client: RunbookClient, workflowId: string, { asJson, actor }: ShowOptions): Promise<View> {
  if (asJson)
    return {
      needsEverySnapshot: false,
      update: (_before, after) => printJsonLine(after),
      note: hintNote,
      end: () => {},
    };
  // Such a terminal cannot move its cursor.
  if (!process.stdout.isTTY || process.env['TERM'] === 'dumb') return createLines();
  const { LiveView } = await import('./live/live-view.js');
  const live = new LiveView({
    output: process.stdout,
    input: process.stdin.isTTY ? process.stdin : null,
    colors: createColors(),
    actor,
    send: (order, reason) => sendOrder(client, workflowId, order, { actor, reason }),
    leave: () => process.kill(process.pid, 'SIGINT'),
    suspend: () => process.kill(process.pid, 'SIGTSTP'),
  });
  return {
    needsEverySnapshot: true,
    update: (_before, after) => live.update(after),
    note: (lines) => live.note(lines),
    end: () => {
      if (live.end()) hint('The command was not answered yet, and may still be carried out');
    },
  };
}

/** One line per event, among them that a step becomes unusually late. */
function createLines(): View {
  let shownAtMs: number | null = null;
  return {
    needsEverySnapshot: true,
    update: (before, after) => {
      const nowMs = Date.now();
      [...eventsBetween(before, after), ...lateEvents(after, shownAtMs, nowMs)].forEach(print);
      shownAtMs = nowMs;
    },
    note: hintNote,
    end: () => {},
  };
}
