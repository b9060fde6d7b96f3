/** `alarmRule`: the memory of one rule. Decides about alarms in the order in which they come, one request at a time, and starts the runs. */
import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  defineUpdate,
  isCancellation,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import {
  ALARM_LOG_QUERY,
  alarmRuleId,
  DECIDE_UPDATE,
  KNOWN_INCIDENTS_QUERY,
  type AlarmDecision,
  type AlarmLogLine,
  type Brakes,
  type DecidedAlarm,
  type DecideRequest,
} from '../domain/alarms/alarm.js';
import type { Circumstances, Question } from '../domain/alarms/alarm-brakes.js';
import {
  decide,
  decideDue,
  dueFirings,
  nextDueAtMs,
  noteEnds,
  runsToAsk,
  type Decided,
} from '../domain/alarms/alarm-rule.js';
import { requestProblem } from '../domain/alarms/alarm-rule-checks.js';
import {
  concerns,
  EMPTY_STATE,
  forget,
  forNextExecution,
  knownIncidents,
  logged,
  noted,
  takeBackStart,
  toldOf,
  type ContinuedRule,
  type RuleState,
} from '../domain/alarms/alarm-rule-state.js';
import { carriedOut } from './alarm-effects.js';
import { commandRejected, invalidStart, rootCause } from './failure.js';
import { findRuns } from './proxies.js';
import { conditionUntil } from './timers.js';

const decideUpdate = defineUpdate<(AlarmDecision | null)[], [DecideRequest]>(DECIDE_UPDATE);
const alarmLogQuery = defineQuery<readonly AlarmLogLine[]>(ALARM_LOG_QUERY);
const knownIncidentsQuery = defineQuery<readonly string[]>(KNOWN_INCIDENTS_QUERY);

/** A server takes 2,000 updates in one execution, and replays of long histories are slow. Chosen. */
const MOST_UPDATES = 500;
/** Where it could not be found out whether a run may start when its debounce was over. Chosen. */
const LOOK_AGAIN_MS = 10_000;

interface Request {
  readonly request: DecideRequest;
  readonly answer: (decisions: (AlarmDecision | null)[]) => void;
  readonly refuse: (failure: ApplicationFailure) => void;
}

/** Never ends by itself, nor by a cancel, which would lose what waits: only a terminate ends it. */
export function alarmRule(started: ContinuedRule): Promise<never> {
  return CancellationScope.nonCancellable(() => decideForEver(started));
}

/** An update that it cannot take is rejected with `CommandRejected`, and changes nothing. */
async function decideForEver(started: ContinuedRule): Promise<never> {
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
  setHandler(knownIncidentsQuery, () => {
    const beingDecided = queue.flatMap(({ request }) => request.alarms).filter(({ status }) => status === 'firing');
    return [...new Set([...knownIncidents(rule.state), ...beingDecided.map(({ incident }) => incident)])];
  });
  setHandler(
    decideUpdate,
    (request) => {
      updates++;
      return new Promise((answer, refuse) => queue.push({ request, answer, refuse }));
    },
    { validator },
  );
  while (!isFull() || queue.length > 0) {
    let nowMs = Date.now();
    if (queue.length === 0) nowMs = await somethingToDo(() => queue.length > 0 || isFull(), rule.nextDueAtMs());
    // First of all, also where alarms never stop coming.
    await rule.takeDue(nowMs);
    const [next] = queue;
    if (next !== undefined) await rule.take(next);
    queue.shift();
  }
  await condition(allHandlersFinished);
  return await continueAsNew<typeof alarmRule>({ ...started, state: forNextExecution(rule.state, Date.now()) });
}

/** @returns the time then, never before `dueAtMs` where that ended the wait */
async function somethingToDo(isThere: () => boolean, dueAtMs: number | null): Promise<number> {
  if (dueAtMs !== null) return await conditionUntil(isThere, dueAtMs);
  await condition(isThere);
  return Date.now();
}

class Rule {
  #state: RuleState;
  #looksAgainAtMs = 0;
  /** When the newest wait was over: the clock may be behind it (`conditionUntil`). */
  #wokeAtMs = 0;
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

  /** Epoch milliseconds; `null`: nothing waits. */
  nextDueAtMs(): number | null {
    const dueAtMs = nextDueAtMs(this.#state);
    return dueAtMs === null ? null : Math.max(dueAtMs, this.#looksAgainAtMs);
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
        if (!concerns(this.#state, alarm)) return null;
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
  async takeDue(nowMs: number): Promise<void> {
    this.#wokeAtMs = nowMs;
    const { brakes } = this.#state;
    const due = dueFirings(this.#state, nowMs);
    if (brakes === null || due.length === 0 || nowMs < this.#looksAgainAtMs) return;
    try {
      const now = await this.#look(due, brakes);
      const decided = due.map((firing) => {
        const { alarm } = firing.stage;
        return { ...this.#apply(decideDue(this.#state, firing, now)), alarm, target: firing.target };
      });
      await this.#carryOut(decided);
    } catch (error) {
      if (isCancellation(error)) throw error;
      this.#looksAgainAtMs = this.#nowMs() + LOOK_AGAIN_MS;
    }
  }

  async #look(questions: readonly Question[], brakes: Brakes): Promise<Circumstances> {
    const asked = runsToAsk(this.#state, questions, brakes, this.#nowMs());
    const seen = asked.runIds.length + asked.targets.length === 0 ? [] : await findRuns(asked);
    const nowMs = this.#nowMs();
    this.#state = forget(noteEnds(this.#state, seen), nowMs);
    return { owner: this.#owner, rule: this.#rule, brakes, nowMs, seen };
  }

  #apply({ state, decision, effect }: Decided): Omit<Decided, 'state'> {
    this.#state = state;
    return { decision, effect };
  }

  async #carryOut(decided: readonly (Carried | null)[]): Promise<(AlarmDecision | null)[]> {
    const decisions = await Promise.all(
      decided.map(async (each) => each && (await carriedOut(each.decision, each.effect, this.#by))),
    );
    for (const [index, each] of decided.entries()) {
      const decision = decisions[index] ?? null;
      if (each === null || decision === null) continue;
      const { alarm, target, effect } = each;
      if (effect?.kind === 'start' && decision.kind !== 'started')
        this.#state = takeBackStart(this.#state, effect.runId);
      const line = { decidedAtMs: this.#nowMs(), rule: this.#rule, alarm, target, decision };
      this.#state = logged(this.#state, line);
    }
    return decisions;
  }

  #nowMs(): number {
    return Math.max(Date.now(), this.#wokeAtMs);
  }

  get #by(): string {
    return `alarm rule ${this.#owner}/${this.#rule}`;
  }
}

interface Carried extends Omit<Decided, 'state'> {
  readonly alarm: DecidedAlarm['alarm'];
  readonly target: string | null;
}
