/** Plays groups of cases with an operator, and compares what repeats and refused commands must not change. */
import type { CommandName } from '../../src/domain/steering/command-names.js';
import { playCase, type InjectedFault, type PlayedCase, type PlayedRun } from './exhaustive-play.js';
import type { PlannedCheck, PlannedRun } from './scenario.js';
import type { Transcript } from './transcript.js';
import type { Machine } from './world.js';

/** The line of the run without any command. */
export const UNTOUCHED = 'untouched';

/** What an operator does in one case. */
export interface SteeredCase {
  /** `pause, again after 30 s`: unique in its group. */
  readonly name: string;
  readonly given: Pick<PlannedRun, 'commands' | 'operator' | 'votes'>;
  /** How the site of the run's check answers. */
  readonly answers?: Pick<PlannedCheck, 'site' | 'lostAtMs'>;
  /** Runs that follow it. */
  readonly more?: readonly PlannedRun[];
  /** Only what was accepted, and the instance at the end, must be the same: the other one has not all of its steps. */
  readonly isSameEnd?: true;
  /** The case of the same group, or of `lines`, whose outcome it must have; `null`: it has an outcome of its own. */
  readonly as: string | null;
  /** Then only if no POST of this step was sent. */
  readonly unlessSent?: string;
  /** The command that comes again with its key: then every request must be the same as well. */
  readonly repeats: CommandName | null;
  /** Nothing of this step may be sent later than that. */
  readonly over: { readonly step: string; readonly atMs: number } | null;
}

/** Cases of one moment or of one fault. */
export interface SteeredGroup {
  /** `recover/rollback/instance#2 +11 ms` */
  readonly id: string;
  readonly run: PlayedRun;
  readonly faults: readonly InjectedFault[];
  /** How many moments or faults it covers, which the machine cannot distinguish. */
  readonly weight: number;
  /** Outcomes of cases that were played before, by name: the run without any command is `untouched`. */
  readonly lines: Readonly<Record<string, string>>;
  readonly cases: readonly SteeredCase[];
}

/** @param transcript collects the lines, if given */
export function playSteered(
  { run, faults }: SteeredGroup,
  { given, answers, more = [] }: SteeredCase,
  machine?: Machine,
  transcript?: Transcript,
): PlayedCase {
  const { asides = [] } = run.plan;
  const answered = asides.map((aside) => (aside.kind === 'check' ? { ...aside, ...answers } : aside));
  return playCase({ ...run, plan: { ...run.plan, asides: answered, ...given }, more }, faults, machine, transcript);
}

/** `POSTs: stop, start · RUNNING 2/2 1.4.1` */
function endOf(line: string): string {
  return line.split(' · ').slice(-2).join(' · ');
}

/** @param add called with each case, in order, and with what it broke */
export function playGroup(
  group: SteeredGroup,
  machine: Machine | undefined,
  add: (id: string, played: PlayedCase, broken: readonly string[]) => void,
): void {
  const before = new Map<string, PlayedCase>();
  for (const one of group.cases) {
    const played = playSteered(group, one, machine);
    before.set(one.name, played);
    const broken = [
      ...played.broken.map(({ promise, what }) => `${promise}: ${what}`),
      ...differentThings(group, one, played, before),
      ...unrepeatedThings(one, played),
      ...sentLater(one, played),
    ];
    add(`${group.id}/${one.name}`, played, broken);
  }
}

function differentThings(
  { lines }: SteeredGroup,
  { as, repeats, unlessSent, isSameEnd }: SteeredCase,
  { line, asked, sent }: PlayedCase,
  before: ReadonlyMap<string, PlayedCase>,
): readonly string[] {
  if (as === null || sent.some(({ step }) => step === unlessSent)) return [];
  const other = before.get(as);
  const expected = other?.line ?? lines[as];
  if (expected === undefined) throw new TypeError(`${as} was not played`);
  const isEqual = isSameEnd === true ? endOf(line) === endOf(expected) : line === expected;
  if (!isEqual) return [`steered: ${line}, and ${as}: ${expected}`];
  const isSame = repeats === null || other === undefined || JSON.stringify(asked) === JSON.stringify(other.asked);
  return isSame ? [] : [`steered: the repeat changes what is asked or when, compared with ${as}`];
}

/** A repeat of what was accepted is answered, whatever has happened since. */
function unrepeatedThings({ repeats }: SteeredCase, { counts }: PlayedCase): readonly string[] {
  if (repeats === null || counts[`${repeats} accepted`] === undefined) return [];
  return counts[`${repeats} repeated`] === 1 ? [] : [`steered: the repeat of ${repeats} was refused or came as new`];
}

function sentLater({ over }: SteeredCase, { sent }: PlayedCase): readonly string[] {
  if (over === null) return [];
  const late = sent.filter(({ step, atMs }) => step.startsWith(over.step) && atMs > over.atMs);
  return late.map(({ step, atMs }) => `steered: ${step} was sent ${atMs - over.atMs} ms after it was decided`);
}
