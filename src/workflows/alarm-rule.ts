/** `alarmRule`: the memory of one rule. Decides about alarms in the order in which they come, one request at a time, and starts the runs. */
import {
  allHandlersFinished,
  ApplicationFailure,
  ChildWorkflowCancellationType,
  condition,
  continueAsNew,
  defineQuery,
  defineUpdate,
  getExternalWorkflowHandle,
  isCancellation,
  ParentClosePolicy,
  setHandler,
  startChild,
  WorkflowIdReusePolicy,
  workflowInfo,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ALARM_LOG_QUERY,
  alarmRuleId,
  DECIDE_UPDATE,
  WITHDRAW_SIGNAL,
  type AlarmDecision,
  type AlarmLogLine,
  type Brakes,
  type DecidedAlarm,
  type DecideRequest,
} from '../domain/alarm.js';
import type { Circumstances, Question } from '../domain/alarm-brakes.js';
import {
  decide,
  decideDue,
  dueFirings,
  nextDueAtMs,
  noteEnds,
  runsToAsk,
  type Decided,
  type Effect,
} from '../domain/alarm-rule.js';
import { requestProblem } from '../domain/alarm-rule-checks.js';
import {
  EMPTY_STATE,
  forget,
  logged,
  noted,
  toldOf,
  type ContinuedRule,
  type RuleState,
} from '../domain/alarm-rule-state.js';
import { commandRejected, invalidStart, rootCause } from './failure.js';
import { findRuns } from './proxies.js';

const decideUpdate = defineUpdate<AlarmDecision[], [DecideRequest]>(DECIDE_UPDATE);
const alarmLogQuery = defineQuery<readonly AlarmLogLine[]>(ALARM_LOG_QUERY);

/** A server takes 2,000 updates in one execution, and replays of long histories are slow. Chosen. */
const MOST_UPDATES = 500;
/** Where it could not be found out whether a run may start when its debounce was over. Chosen. */
const LOOK_AGAIN_MS = 10_000;

interface Request {
  readonly request: DecideRequest;
  readonly answer: (decisions: AlarmDecision[]) => void;
  readonly refuse: (failure: ApplicationFailure) => void;
}

/** Never ends by itself. An update that it cannot take is rejected with `CommandRejected`, and changes nothing. */
export async function alarmRule(started: ContinuedRule): Promise<never> {
  const rule = new Rule(started);
  const queue: Request[] = [];
  let updates = 0;
  const isFull = () => updates >= MOST_UPDATES || workflowInfo().continueAsNewSuggested;
  const validator = (request: unknown) => {
    const problem = requestProblem(request, started.rule);
    if (problem !== null) throw commandRejected(problem, false);
    if (isFull()) throw commandRejected('The rule goes on in a new execution: send it again at once', true);
  };
  setHandler(alarmLogQuery, () => rule.state.log);
  setHandler(
    decideUpdate,
    (request) => {
      updates++;
      return new Promise((answer, refuse) => queue.push({ request, answer, refuse }));
    },
    { validator },
  );
  while (!isFull() || queue.length > 0) {
    if (queue.length === 0) await somethingToDo(() => queue.length > 0 || isFull(), rule.msToNextDue());
    // First of all, also where alarms never stop coming.
    await rule.takeDue();
    const next = queue.shift();
    if (next !== undefined) await rule.take(next);
  }
  await condition(allHandlersFinished);
  return await continueAsNew<typeof alarmRule>({ ...started, state: rule.state });
}

async function somethingToDo(isThere: () => boolean, withinMs: number | null): Promise<void> {
  await (withinMs === null ? condition(isThere) : condition(isThere, withinMs));
}

class Rule {
  #state: RuleState;
  #looksAgainAtMs = 0;
  readonly #owner: string;
  readonly #rule: string;

  constructor(started: ContinuedRule) {
    const { workflowId } = workflowInfo();
    const { owner, rule, state = EMPTY_STATE } = started ?? {};
    if (typeof owner !== 'string' || typeof rule !== 'string' || workflowId !== alarmRuleId(owner, rule))
      throw invalidStart(`A rule is started with { owner, rule } and under the id made of them, not as ${workflowId}`);
    this.#owner = owner;
    this.#rule = rule;
    this.#state = state;
  }

  get state(): RuleState {
    return this.#state;
  }

  /** `null`: nothing waits. */
  msToNextDue(): number | null {
    const dueAtMs = nextDueAtMs(this.#state);
    return dueAtMs === null ? null : Math.max(1, Math.max(dueAtMs, this.#looksAgainAtMs) - Date.now());
  }

  async take({ request, answer, refuse }: Request): Promise<void> {
    const { alarms, brakes, notes = [] } = request;
    const questions = alarms.flatMap(({ status, start, incident }) =>
      status === 'firing' && 'target' in start ? [{ target: start.target, incident }] : [],
    );
    try {
      const now = await this.#look(questions, brakes);
      this.#state = { ...this.#state, brakes };
      for (const note of notes) this.#state = noted(this.#state, this.#rule, note, now.nowMs);
      const decided = alarms.map((alarm) => {
        const target = 'target' in alarm.start ? alarm.start.target : null;
        return { ...this.#apply(decide(this.#state, alarm, now)), alarm: toldOf(alarm), target };
      });
      answer(await this.#carryOut(decided));
    } catch (error) {
      if (isCancellation(error)) throw error;
      refuse(commandRejected(`Nothing was decided: ${rootCause(error).message}`, true));
    }
  }

  /** What falls due is decided by the brakes that the newest alarm brought. */
  async takeDue(): Promise<void> {
    const { brakes } = this.#state;
    const due = dueFirings(this.#state, Date.now());
    if (brakes === null || due.length === 0 || Date.now() < this.#looksAgainAtMs) return;
    try {
      const now = await this.#look(due, brakes);
      const decided = due.map((firing) => {
        const { alarm } = firing.stage;
        return { ...this.#apply(decideDue(this.#state, firing, now)), alarm, target: firing.target };
      });
      await this.#carryOut(decided);
    } catch (error) {
      if (isCancellation(error)) throw error;
      this.#looksAgainAtMs = Date.now() + LOOK_AGAIN_MS;
    }
  }

  async #look(questions: readonly Question[], brakes: Brakes): Promise<Circumstances> {
    const asked = runsToAsk(this.#state, questions, brakes, Date.now());
    const seen = asked.runIds.length + asked.targets.length === 0 ? [] : await findRuns(asked);
    const nowMs = Date.now();
    this.#state = forget(noteEnds(this.#state, seen), nowMs);
    return { owner: this.#owner, rule: this.#rule, brakes, nowMs, seen };
  }

  #apply({ state, decision, effect }: Decided): Omit<Decided, 'state'> {
    this.#state = state;
    return { decision, effect };
  }

  async #carryOut(decided: readonly Carried[]): Promise<AlarmDecision[]> {
    const decisions = await Promise.all(decided.map(({ decision, effect }) => carriedOut(decision, effect, this.#by)));
    for (const [index, { alarm, target }] of decided.entries()) {
      const decision = decisions[index];
      if (decision === undefined) continue;
      const line = { decidedAtMs: Date.now(), rule: this.#rule, alarm, target, decision };
      this.#state = logged(this.#state, line);
    }
    return decisions;
  }

  get #by(): string {
    return `alarm rule ${this.#owner}/${this.#rule}`;
  }
}

interface Carried extends Omit<Decided, 'state'> {
  readonly alarm: DecidedAlarm['alarm'];
  readonly target: string | null;
}

/** The decision as it came out: a run of that id may be there already, and one to be withdrawn may have ended. */
async function carriedOut(decision: AlarmDecision, effect: Effect | null, by: string): Promise<AlarmDecision> {
  if (effect === null) return decision;
  if (effect.kind === 'start') return (await startRun(effect)) ? decision : { ...decision, ...STARTED_BEFORE };
  const reached = await Promise.all(effect.runIds.map((runId) => withdraw(runId, by)));
  return reached.includes(true) ? decision : { ...decision, kind: 'resolved', why: 'its run has ended' };
}

const STARTED_BEFORE = { kind: 'repeated', why: 'this firing had its run before' } as const;

/** @returns `false` where a run of this id was started before, under way or ended */
async function startRun(start: Extract<Effect, { kind: 'start' }>): Promise<boolean> {
  try {
    await startChild(start.runbook, {
      workflowId: start.runId,
      args: [start.arguments],
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      // A run is nobody's child once it has been started: neither the end nor a cancel of the rule is one of the run.
      parentClosePolicy: ParentClosePolicy.ABANDON,
      cancellationType: ChildWorkflowCancellationType.ABANDON,
      staticSummary: `${start.runbook} on ${start.arguments.targets.join(', ')}`.slice(0, 200),
    });
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
}

/** @returns `false` where it has ended */
async function withdraw(runId: string, by: string): Promise<boolean> {
  try {
    await getExternalWorkflowHandle(runId).signal(WITHDRAW_SIGNAL, by);
    return true;
  } catch (error) {
    if (isCancellation(error)) throw error;
    return false;
  }
}
