/** What an execution waits for in steps without an action: people who approve, tokens that are verified, and checks. */
import type { ApprovalOrder } from '../../src/domain/contract.js';
import type { StepReport } from '../../src/domain/report/report.js';
import { CheckActivity } from './check-activity.js';
import type { Answer, Ask } from './flow.js';
import type { AskRecord, CheckRecord, HolderRecord } from './ground-truth.js';
import type { SteeredRun } from './steered-run.js';
import type { World } from './world.js';

const NO_PROOF = { kind: 'refused', why: 'there is no run to verify it' } as const;

/** One wait of a workflow. */
export interface Wait {
  /** False once it was answered, or the execution has closed. */
  readonly isOn: () => boolean;
  readonly answer: (answer: Answer) => void;
  /** The execution was cancelled before it began. */
  readonly isCancelled: boolean;
  /** Orders that the workflow has continued with. */
  readonly consumed: readonly ApprovalOrder[];
  readonly taskDelayMs: () => number;
}

/** Those of one execution. */
export class AsidesOfExecution {
  #asked: AskRecord | null = null;

  constructor(
    private readonly world: World,
    private readonly holder: HolderRecord,
    private readonly steering: SteeredRun | null,
  ) {}

  /** People are asked at the first of these waits, and the next ones continue it. */
  approval({ step, approval, sinceMs, untilMs }: Extract<Ask, { kind: 'approval' }>, wait: Wait): void {
    if (wait.isCancelled) return this.#after(1, { kind: 'cancelled' }, wait);
    if (this.steering === null) throw new TypeError('An approval needs a run that is steered');
    const { approvals } = this.steering;
    if (this.#asked?.step !== step) this.#asked = approvals.asks(step, this.holder.runId, approval);
    this.steering.asks();
    approvals.receive(step, approval);
    const next = () => {
      const order = wait.isOn() ? approvals.orderFor(step, sinceMs, wait.consumed) : undefined;
      if (order !== undefined) wait.answer({ kind: 'ordered', order });
    };
    approvals.onOrder = next;
    this.world.time.after(1, next);
    this.world.time.at(untilMs, () => wait.answer({ kind: 'slept' }));
  }

  proof({ order }: Extract<Ask, { kind: 'proof' }>, wait: Wait): void {
    if (wait.isCancelled) return this.#after(1, { kind: 'cancelled' }, wait);
    const { proof, verifyMs } = this.steering?.approvals.proofOf(order) ?? { proof: NO_PROOF, verifyMs: 1 };
    this.#after(verifyMs, { kind: 'proved', proof }, wait);
  }

  check({ step, check, deadlineAtMs }: Extract<Ask, { kind: 'check' }>, wait: Wait): void {
    if (wait.isCancelled) return this.#after(1, { kind: 'cancelled' }, wait);
    const { truth, time, log } = this.world;
    const { runId } = this.holder;
    const record: CheckRecord = { runId, step, check, startedAtMs: time.nowMs, deadlineAtMs, requests: [], end: null };
    truth.checks.push(record);
    const activity = new CheckActivity(this.world, check, deadlineAtMs, record, wait.isOn, (end, requests) => {
      truth.count(`check ${end.kind}`);
      log(runId, () => `${step}: ${end.kind} after ${requests} requests`);
      this.#after(wait.taskDelayMs(), { kind: 'checked', end, requests }, wait);
    });
    activity.begin();
  }

  /** The step that people were asked about no longer waits. */
  answered(): void {
    if (this.#asked === null) return;
    this.#asked.endedAtMs = this.world.time.nowMs;
    this.#asked = null;
    this.steering?.answered();
    this.steering?.approvals.receive(null, null);
  }

  /** What each approval that this execution asked for came to. */
  noteApprovals(steps: readonly StepReport[]): void {
    const { truth } = this.world;
    for (const { id, approval } of steps) {
      const ask = truth.asks.findLast(({ runId, step }) => runId === this.holder.runId && step === id);
      if (approval === undefined || ask === undefined) continue;
      ask.report = approval;
      truth.count(`approval ${approval.result}`);
    }
  }

  #after(delayMs: number, answer: Answer, wait: Wait): void {
    this.world.time.after(Math.max(1, delayMs), () => wait.answer(answer));
  }
}
