/** A run in progress as blocks of lines, from which the live view takes what fits. Pure. */
import type { RunSnapshot } from '../client/report-snapshot.js';
import type { UsualTime } from '../domain/plan/usual.js';
import { describeUsualTime } from '../domain/plan/usual-words.js';
import type { RunProgress, StepProgress, TargetProgress } from '../domain/report/progress.js';
import { requestLines } from '../domain/report/progress-markdown.js';
import type { Outcome } from '../domain/report/report.js';
import { describeDuration } from '../domain/time/duration.js';
import type { Colors } from './colors.js';
import { cutLine, wrapped, type Line } from './live/lines.js';
import { waitingLines } from './render-gates.js';
import { stepLines } from './render-step-progress.js';
import { aboutLines, abortLines, approvalLines, blockedLines, pauseLines } from './render-steering.js';
import { printableFacts } from './terminal-text.js';

/** A run, from top to bottom. */
export interface RunBlocks {
  readonly head: readonly Line[];
  readonly targets: readonly TargetBlock[];
  /** What the run waits for before its next target. */
  readonly gate: readonly Line[];
  /** Targets that have not begun, in order. */
  readonly toCome: readonly string[];
}

/** A target that has begun. */
export interface TargetBlock {
  readonly head: Line;
  readonly steps: readonly StepBlock[];
  /** What it waits for from a person. */
  readonly asks: readonly Line[];
  /** `null` while it is under way. */
  readonly outcome: Outcome | null;
}

/** A step or an undo. */
interface StepBlock {
  readonly stage: 'ended' | 'now' | 'toCome';
  readonly lines: readonly Line[];
}

/** @param nowMs epoch milliseconds */
export function progressBlocks(snapshot: RunSnapshot, nowMs: number, colors: Colors): RunBlocks {
  const { run, targets, workflowId } = printableFacts(snapshot);
  const usual = run.usual === undefined ? '' : ` (${expectedTime(run.usual, targets)})`;
  const state = `${stateOf(run)}, ${describeDuration(nowMs - run.startedAtMs)}${usual}${countWords(run.targets)}`;
  const toCome = run.targets.filter(({ childRunId, outcome }) => childRunId === null && outcome === null);
  return {
    head: [
      wrapped(0, `${colors.bold(run.runbook)} ${colors.dim(workflowId)}  ${state}`),
      ...abortLines(run, colors),
      ...pauseLines(run, workflowId, colors),
      ...approvalLines(run, workflowId, colors, aboutLines(run)),
    ],
    targets: targets.map((target) => targetBlock(target, run, { workflowId, nowMs, colors })),
    gate: run.waiting === undefined ? [] : waitingLines(run.waiting, nowMs, colors),
    toCome: run.phase === 'running' ? toCome.map(({ path }) => path) : [],
  };
}

function stateOf({ pause, abort, phase }: RunProgress): string {
  return abort === undefined ? (pause?.state ?? phase) : 'being aborted';
}

/** Only where there are several targets. */
function countWords(targets: RunSnapshot['run']['targets']): string {
  if (targets.length < 2) return '';
  return `, ${targets.filter(({ outcome }) => outcome !== null).length} of ${targets.length} targets done`;
}

/** `usually` only if a cloud job of at least one step was seen; no step is known before the first target begins. */
function expectedTime(time: UsualTime, targets: readonly TargetProgress[]): string {
  const known = targets.flatMap(({ steps }) => steps.flatMap(({ usual }) => (usual === undefined ? [] : [usual])));
  if (known.some(({ jobs }) => jobs > 0)) return describeUsualTime(time);
  return `about ${describeDuration(time.p50Ms)}${known.length === 0 ? '' : ' declared'}`;
}

/** What all blocks are drawn with. */
interface Scene {
  readonly workflowId: string;
  /** Epoch milliseconds. */
  readonly nowMs: number;
  readonly colors: Colors;
}

function targetBlock(target: TargetProgress, run: RunProgress, { workflowId, nowMs, colors }: Scene): TargetBlock {
  const { path, phase, seen, steps, compensations, outcome } = target;
  const state = outcome === null ? phase : colors.outcome(outcome)(outcome);
  return {
    head: cutLine(0, `${colors.bold(path)}  ${state}${seen === null ? '' : `  ${colors.dim(seen)}`}`),
    steps: [...steps, ...compensations].map((step) => ({
      stage: stageOf(step),
      lines: stepLines(step, nowMs, colors),
    })),
    asks: [
      ...blockedLines(target, run, workflowId, colors),
      ...approvalLines(target, workflowId, colors, requestLines(run)),
    ],
    outcome,
  };
}

function stageOf({ state }: StepProgress): StepBlock['stage'] {
  if (state === 'pending') return 'toCome';
  return state === 'running' ? 'now' : 'ended';
}
