/** What the metrics of a soak are compared with. */
import type { Control } from '../../support/simulator.js';
import type { Figure } from './agreement.js';
import { series, type Pages, type Selects } from './pages.js';
import type { Receiver } from './receiver.js';

/** What the soak itself has seen. */
export interface Seen {
  /** Ids of runs. */
  readonly endedRuns: readonly string[];
  readonly kills: number;
}

const ACTIONS_OF_A_RUN = 4;
const APPROVALS_OF_A_RUN = 2;
const LOST = 'action acted, then reset';

/** Kinds of requests as the metrics name them, by the simulator's names. */
const KINDS = {
  action: 'action',
  job: 'cloudJob',
  instance: 'instance',
  snapshots: 'snapshots',
  applications: 'applications',
  components: 'components',
  instances: 'instances',
  token: 'token',
  credential: 'user',
} as const;

/** @returns every figure that has to agree (`disagreements`) */
export async function figuresOf(
  { control }: { readonly control: Control },
  pages: Pages,
  { messages }: Pick<Receiver, 'messages'>,
  { endedRuns }: Seen,
): Promise<Figure[]> {
  const { counts } = await control.requests();
  const runs = endedRuns.length;
  const lost = counts[LOST] ?? 0;
  const figure = (name: string, selects: Selects, seen: number, mayRepeat = false): Figure => {
    const { value: counted, largestIncrease } = pages.sum(selects);
    return { name, counted, seen, largestIncrease, mayRepeat };
  };
  const adoptions = figure('lost answers whose cloud jobs were found', series('runbook_adoptions_total'), lost);
  const succeeded = { result: 'succeeded' };
  return [
    ...Object.entries(KINDS).map(([route, kind]) =>
      // The simulator logs an answer that it loses twice: once as it acted, once as it hung up.
      requestsOf(kind, pages, ofRoute(counts, route) - (kind === 'action' ? lost : 0)),
    ),
    figure('answers 429', series('runbook_servicestage_throttled_total'), withStatus(counts, '429')),
    // A killed worker's cloud jobs are found by reading as well.
    { ...adoptions, counted: Math.min(adoptions.counted, lost) },
    figure('runs', series('runbook_runs_total'), runs, true),
    figure('steps that act', actionSteps(succeeded), runs * ACTIONS_OF_A_RUN, true),
    figure('approvals', series('runbook_approvals_total', { result: 'approved' }), runs * APPROVALS_OF_A_RUN, true),
    figure('notifications', series('runbook_notifications_total', { result: 'delivered' }), messages.length),
  ];
}

/** Whether a request without an answer arrived is not known to the worker. */
function requestsOf(kind: string, pages: Pages, seen: number): Figure {
  const all = series('runbook_servicestage_calls_total', { kind });
  const without = (status: string): Selects => series('runbook_servicestage_calls_total', { kind, status });
  const unclear = pages.sum(without('none')).value;
  const counted = pages.sum(all).value - unclear - pages.sum(without('notSent')).value;
  return { name: `requests (${kind})`, counted, unclear, seen, largestIncrease: pages.sum(all).largestIncrease };
}

function actionSteps(labels: Readonly<Record<string, string>>): Selects {
  const actions = ['stop', 'start', 'scale'].map((action) => series('runbook_steps_total', { action, ...labels }));
  return (name) => actions.some((selects) => selects(name));
}

function ofRoute(counts: Readonly<Record<string, number>>, route: string): number {
  return sumOf(counts, (key) => key.startsWith(`${route} `));
}

function withStatus(counts: Readonly<Record<string, number>>, status: string): number {
  return sumOf(counts, (key) => key.endsWith(` ${status}`));
}

function sumOf(counts: Readonly<Record<string, number>>, selects: (key: string) => boolean): number {
  return Object.entries(counts).reduce((sum, [key, count]) => sum + (selects(key) ? count : 0), 0);
}
