/** Commands to the run at every moment of it: pause, resume and abort, each also repeated, and two at once. */
import type { RunCommandName } from '../../src/domain/steering/command-names.js';
import { requestName, type Untouched } from './exhaustive-cases.js';
import { playCase, type Asked, type InjectedFault, type PlayedRun } from './exhaustive-play.js';
import { UNTOUCHED, type SteeredCase, type SteeredGroup } from './exhaustive-steered.js';
import type { RunCommand } from './scenario.js';
import { Transcript } from './transcript.js';
import { BEGIN_MS } from './virtual-time.js';
import type { Machine } from './world.js';

/** How long after it a pause is ended. */
const ENDED_AFTER_MS = 60_000;
/** At once, and while a pause lasts. */
export const AGAIN_AFTER_MS = [0, 30_000] as const;
/** An order reaches the target at once, or waits for a worker. */
const PASSED_ON_MS = [1, 20_000] as const;

/** A time at which something happens in a run. */
export interface Moment {
  /** `rollback/instance#2 +11 ms`: after the newest request. */
  readonly name: string;
  /** Since the run began. */
  readonly atMs: number;
  /** How many things the time lies directly before or after. */
  readonly weight: number;
}

/** Each command right before and right after everything that happens in the run: a request, its answer, a task, the end of a cloud job. */
export function commandsOf({ id, run, played }: Untouched, machine?: Machine): SteeredGroup[] {
  return momentsOf(run, [], machine).map(({ name, atMs, weight }) => ({
    id: `${id}/${name}`,
    run,
    faults: [],
    weight,
    lines: { [UNTOUCHED]: played.line },
    cases: PASSED_ON_MS.flatMap((passedOnMs) => casesAt(atMs, passedOnMs)),
  }));
}

/** A pause at every moment, and what ends it at every later one. */
export function pausesOf({ id, run, played }: Untouched, machine?: Machine): SteeredGroup[] {
  return momentsOf(run, [], machine).flatMap((first) => {
    const paused = { ...run, plan: { ...run.plan, commands: [commandAt('pause', first.atMs)] } };
    const later = momentsOf(paused, [], machine).filter(({ atMs }) => atMs > first.atMs);
    return later.map((second) => ({
      id: `${id}/pause at ${first.name}, ${second.name}`,
      run,
      faults: [],
      weight: first.weight * second.weight,
      lines: { [UNTOUCHED]: played.line },
      cases: endsOfPause(first.atMs, second.atMs),
    }));
  });
}

function endsOfPause(fromMs: number, atMs: number): SteeredCase[] {
  const pause = commandAt('pause', fromMs);
  const [resume, secondPause, secondResume, abort] = [
    commandAt('resume', atMs),
    commandAt('pause', atMs),
    commandAt('resume', atMs + ENDED_AFTER_MS),
    commandAt('abort', atMs),
  ];
  const ended = (name: string, as: string | null, commands: readonly RunCommand[]): SteeredCase => ({
    ...{ name, as, given: { commands }, repeats: null, over: null },
  });
  const again = { ...pause, againAfterMs: atMs + 1 - fromMs };
  return [
    ended('resume', UNTOUCHED, [pause, resume]),
    { ...ended('resume, the first pause again', 'resume', [again, resume]), repeats: 'pause' },
    ended('resume + another pause', UNTOUCHED, [pause, resume, secondPause, secondResume]),
    ended('abort', null, [pause, abort]),
  ];
}

/** Reaches the target at once. */
export function commandAt(command: RunCommandName, afterMs: number): RunCommand {
  return { command, afterMs, againAfterMs: null, passedOnMs: PASSED_ON_MS[0] };
}

class Times extends Transcript {
  readonly times: number[] = [];

  override add(atMs: number): void {
    this.times.push(atMs - BEGIN_MS);
  }
}

/** @returns the times right before and right after everything that happens in a run */
export function momentsOf(run: PlayedRun, faults: readonly InjectedFault[], machine?: Machine): Moment[] {
  const seen = new Times();
  const { commands = [] } = run.plan;
  const { asked } = playCase({ ...run, plan: { ...run.plan, commands } }, faults, machine, seen);
  const weights = new Map<number, number>();
  for (const atMs of [...seen.times, ...asked.map((one) => one.atMs)].flatMap((one) => [one, one + 1]))
    weights.set(atMs, (weights.get(atMs) ?? 0) + 1);
  const sorted = [...weights].sort(([left], [right]) => left - right);
  return sorted.map(([atMs, weight]) => ({ name: momentName(asked, atMs), atMs, weight }));
}

function momentName(asked: readonly Asked[], atMs: number): string {
  const index = asked.findLastIndex((one) => one.atMs < atMs);
  const newest = asked[index];
  return newest === undefined ? `begin +${atMs} ms` : `${requestName(asked, index, newest)} +${atMs - newest.atMs} ms`;
}

interface Given {
  readonly command: RunCommandName;
  /** After the moment. */
  readonly afterMs: number;
}

interface Planned {
  readonly name: string;
  readonly given: readonly Given[];
  /** As in `SteeredCase`. */
  readonly as: string | null;
  /** The number of the command that comes again. */
  readonly repeated: number;
}

const now = (command: RunCommandName): Given => ({ command, afterMs: 0 });
const RESUME_LATER: Given = { command: 'resume', afterMs: ENDED_AFTER_MS };

/** A pause that is taken back leads where the run leads without it, and so does a command that is refused. */
const PLANNED: readonly Planned[] = [
  { name: 'pause', given: [now('pause'), RESUME_LATER], as: UNTOUCHED, repeated: 0 },
  {
    name: 'pause, then abort',
    given: [now('pause'), { command: 'abort', afterMs: ENDED_AFTER_MS }],
    as: null,
    repeated: 0,
  },
  { name: 'abort', given: [now('abort')], as: null, repeated: 0 },
  { name: 'pause + resume', given: [now('pause'), now('resume')], as: UNTOUCHED, repeated: 0 },
  { name: 'resume + pause', given: [now('resume'), now('pause'), RESUME_LATER], as: UNTOUCHED, repeated: 1 },
  { name: 'pause + abort', given: [now('pause'), now('abort'), RESUME_LATER], as: null, repeated: 0 },
  { name: 'abort + pause', given: [now('abort'), now('pause'), RESUME_LATER], as: 'abort', repeated: 0 },
  { name: 'resume + abort', given: [now('resume'), now('abort')], as: 'abort', repeated: 1 },
  { name: 'abort + resume', given: [now('abort'), now('resume')], as: 'abort', repeated: 0 },
];

function casesAt(atMs: number, passedOnMs: number): SteeredCase[] {
  const late = passedOnMs === PASSED_ON_MS[0] ? '' : ', passed on late';
  return PLANNED.flatMap(({ name, given, as, repeated }) => {
    const commands = given.map(({ command, afterMs }) => ({ ...commandAt(command, atMs + afterMs), passedOnMs }));
    const own = name + late;
    const once = {
      name: own,
      given: { commands },
      as: as === null || as === UNTOUCHED ? as : as + late,
      repeats: null,
      over: null,
    };
    const again = AGAIN_AFTER_MS.map((againAfterMs) => ({
      ...once,
      name: `${own}, again after ${againAfterMs} ms`,
      given: { commands: commands.map((one, index) => (index === repeated ? { ...one, againAfterMs } : one)) },
      as: own,
      repeats: given[repeated]?.command ?? null,
    }));
    return [once, ...again];
  });
}
