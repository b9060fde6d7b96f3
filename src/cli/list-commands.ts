/** `runbook ls`: lists runs, those that need a person first. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { ListOptions } from '../client/list-runs.js';
import type { RunbookClient } from '../client/runbook-client.js';
import { OUTCOMES, type Outcome } from '../domain/report/report.js';
import { UNSUCCESSFUL_OUTCOMES } from '../domain/run/attention.js';
import { createColors } from './colors.js';
import { integerBetween, moment, withSessionOptions, type SessionOptions } from './options.js';
import { printJson, printPainted } from './output.js';
import { renderRuns, type ShownRuns } from './render-runs.js';
import { withSession } from './session.js';

interface LsOptions extends SessionOptions {
  readonly open?: boolean;
  readonly runbook?: string;
  readonly target?: string;
  readonly outcome?: readonly Outcome[];
  readonly requestedBy?: string;
  /** Epoch milliseconds. */
  readonly since?: number;
  readonly limit: number;
}

const LIMIT = 50;
const MOST = 1_000;
/** How many runs that need a person are shown first. Chosen: they fit on a screen. */
const MOST_NEED_YOU = 10;

/** Adds `ls`. */
export function addListCommands(program: Command): void {
  withSessionOptions(program.command('ls'))
    .description('list runs, those that need you first, then open ones, then those that ended last')
    .option('--open', 'only runs that have not ended')
    .option('--runbook <name>', 'only runs of this runbook')
    .option('--target <application/component/instance>', 'only runs on this instance, by names')
    .addOption(new Option('--outcome <outcome>', 'only runs that ended so; may be repeated').argParser(collectOutcome))
    .option('--requested-by <name>', 'only runs that this person or service asked for')
    .option('--since <time>', 'only runs started since, such as 24h, 7d or 2026-11-30T02:00:00Z', sinceMs)
    .option('--limit <number>', 'list at most this many', integerBetween(1, MOST), LIMIT)
    .action((options: LsOptions) =>
      withSession(options, async ({ runbooks }) => {
        const shown = await runsOf(runbooks, options);
        if (options.json === true) printJson(shown);
        else printPainted(renderRuns(shown, Date.now(), createColors()));
      }),
    );
}

async function runsOf(client: RunbookClient, options: LsOptions): Promise<ShownRuns> {
  const { open, runbook, target, outcome: outcomes, requestedBy, since, limit } = options;
  const asked: ListOptions = { open, runbook, target, outcomes, requestedBy, sinceMs: since, limit };
  // If only outcomes that never need a person are wanted, one listing is enough.
  const mayNeedYou = outcomes === undefined || outcomes.some((each) => UNSUCCESSFUL_OUTCOMES.includes(each));
  const [first, list] = await Promise.all([
    mayNeedYou ? client.list({ ...asked, limit: MOST_NEED_YOU, needsAttention: true }) : { runs: [], more: false },
    client.list(asked),
  ]);
  const shown = new Set(first.runs.map(({ runId }) => runId));
  const others = list.runs.filter(({ runId }) => !shown.has(runId));
  // Paused in Temporal itself, which no query finds on every server.
  const paused = others.filter(({ open: isOpen, attention }) => isOpen && attention !== null);
  return {
    needsYou: [...paused, ...first.runs],
    moreNeedYou: first.more,
    runs: others.filter((run) => !paused.includes(run)),
    more: list.more,
  };
}

function collectOutcome(value: string, earlier: readonly Outcome[] = []): readonly Outcome[] {
  const outcome = OUTCOMES.find((each) => each === value);
  if (outcome === undefined) throw new InvalidArgumentError(`Write one of ${OUTCOMES.join(', ')}.`);
  return [...earlier, outcome];
}

const sinceMs = moment(
  'ago',
  'Write how long ago, such as 24h or 7d, or a time with its offset, such as 2026-11-30T02:00:00Z.',
);
