/** Which commands an operator can give to a run from the live view, by which key, and what each of them leads to. Pure. */
import type { RunSnapshot } from '../../client/report-snapshot.js';
import { COMMAND_WORDS, type CommandName } from '../../domain/steering/command-names.js';

/** A command, bound to what the operator saw when they pressed its key: the run refuses it if that has changed. */
export interface Order {
  readonly command: CommandName;
  /** What it is about, for the question; empty for the run itself. */
  readonly about: string;
  readonly target?: string;
  readonly step?: string;
  readonly planHash?: string;
}

/** How the view offers a command. */
interface Offer {
  readonly key: string;
  /** What follows from it. */
  readonly means: string;
  /** The operator must type `y` as well. A pause is not confirmed: nothing is sent to an instance because of it. */
  readonly isConfirmed: boolean;
}

const OFFERS: Readonly<Record<CommandName, Offer>> = {
  approve: { key: 'a', means: 'it may continue', isConfirmed: true },
  reject: { key: 'n', means: 'the run does not begin, or the step fails', isConfirmed: true },
  retryStep: {
    key: 't',
    means: 'the instance is read, then the step is carried out once more',
    isConfirmed: true,
  },
  skipStep: {
    key: 's',
    means: 'the instance is read, then the target continues without the step',
    isConfirmed: true,
  },
  markSucceeded: {
    key: 'm',
    means: 'you have seen that the action was carried out; the target continues',
    isConfirmed: true,
  },
  pause: {
    key: 'p',
    means: 'no further step begins; what is in flight is finished',
    isConfirmed: false,
  },
  resume: { key: 'r', means: 'the run continues', isConfirmed: true },
  abort: {
    key: 'x',
    means: 'what is in flight is finished, then the run follows onCancel of its runbook',
    isConfirmed: true,
  },
};

/** The key of a command, its word on the command line, and what follows from it. */
export function offerOf({ command }: Pick<Order, 'command'>): Offer & { readonly word: string } {
  return { ...OFFERS[command], word: COMMAND_WORDS[command] };
}

/** What can be commanded now, as far as the snapshot shows; the run decides. What waits for a person comes first. */
export function possibleOrders({ run, targets }: RunSnapshot): Order[] {
  if (run.phase === 'finished' || run.abort !== undefined) return [];
  const plain = (command: CommandName): Order => ({ command, about: '' });
  const isPaused = run.pause !== undefined;
  return [
    ...approvalOrders(run, targets),
    ...(isPaused ? [] : blockedOrders(targets)),
    plain(isPaused ? 'resume' : 'pause'),
    plain('abort'),
  ];
}

function approvalOrders(run: RunSnapshot['run'], targets: RunSnapshot['targets']): Order[] {
  const asking = targets.find(({ approval }) => approval !== undefined);
  const approval = run.approval ?? asking?.approval;
  if (approval === undefined || run.planHash === null) return [];
  const { step, title } = approval;
  const where = step === null || asking === undefined ? {} : { step, target: asking.path };
  const about = step === null ? title : `${step} of ${asking?.path ?? ''}: ${title}`;
  return (['approve', 'reject'] as const).map((command) => ({
    command,
    about,
    planHash: run.planHash ?? '',
    ...where,
  }));
}

function blockedOrders(targets: RunSnapshot['targets']): Order[] {
  const target = targets.find(({ blocked }) => blocked !== undefined);
  if (target?.blocked === undefined) return [];
  const { path, blocked } = target;
  const { step } = blocked;
  return (['retryStep', 'skipStep', 'markSucceeded'] as const).map((command) => ({
    command,
    about: `${step} of ${path}`,
    target: path,
    step,
  }));
}
