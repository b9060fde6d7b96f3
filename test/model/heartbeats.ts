/** The heartbeats of one attempt, as `src/activities/once.ts` and the SDK's core send them, and its questions to the server. */
import type { Standing } from '../../src/domain/once/events.js';
import type { Limits } from '../../src/domain/once/limits.js';
import { asHeartbeat, isSilent, type OnceState } from '../../src/domain/once/state.js';
import type { Attempt } from './attempt.js';
import type { Pulse, StandingAnswer } from './server.js';
import type { Site } from './scenario.js';
import type { World } from './world.js';

/** The core abandons an attempt that has reported no heartbeat for this much longer than the heartbeat timeout. */
const CORE_WAITS_LONGER_MS = 5_000;
/** The SDK delays a heartbeat that follows another one sooner than this (`maxHeartbeatThrottleInterval` of `src/worker/worker-options.ts`). */
const THROTTLE_MS = 5_000;
/** How long the core waits for the answer to a heartbeat. */
const CORE_GIVES_UP_AFTER_MS = 10_000;

const STANDING_OF: Readonly<Record<Pulse, Standing>> = {
  fine: 'current',
  cancelled: 'cancelled',
  'asked to end': 'superseded',
  'not found': 'superseded',
};

/** Sends no heartbeats before `begin`. */
export class Heartbeats {
  #isActive = true;
  /** What the SDK sends next. */
  #recorded: OnceState | null = null;
  #isReporting = false;
  #reportsAgainAtMs = 0;
  #reportedAtMs: number;

  constructor(
    private readonly world: World,
    private readonly attempt: Attempt,
    private readonly limits: Limits,
  ) {
    this.#reportedAtMs = world.time.nowMs;
  }

  /** Starts the timer, which sends three heartbeats within the heartbeat timeout. */
  begin(): void {
    this.#tick();
    this.#watch(this.limits.heartbeatTimeoutMs + CORE_WAITS_LONGER_MS);
  }

  stop(): void {
    this.#isActive = false;
  }

  #tick(): void {
    this.attempt.later(this.limits.heartbeatTimeoutMs / 3, () => {
      if (!this.#isActive) return;
      if (!isSilent(this.attempt.state)) {
        this.attempt.heartbeatSent();
        this.record();
      }
      this.#tick();
    });
  }

  /** Sends the state to the server, later if the last heartbeat was sent too recently. */
  record(): void {
    this.#recorded = asHeartbeat(this.attempt.state);
    if (!this.#isReporting) this.#report();
  }

  /** Asks whether this attempt is the current one, then sends an acknowledged heartbeat. */
  standing(timeoutMs: number, onAnswer: (answer: StandingAnswer) => void): void {
    const { state } = this.attempt;
    this.#describe(timeoutMs, (answer) => {
      if (answer.standing !== 'current') onAnswer(answer);
      else this.#heartbeat(state, timeoutMs, (standing) => onAnswer({ ...answer, standing }));
    });
  }

  /** Sends an acknowledged heartbeat, then asks the same question, unless the attempt is young. */
  lease(isYoung: boolean, timeoutMs: number, onAnswer: (answer: StandingAnswer) => void): void {
    this.#heartbeat(this.attempt.state, timeoutMs, (standing) => {
      if (standing === 'current' && !isYoung) this.#describe(timeoutMs, onAnswer);
      else onAnswer({ standing });
    });
  }

  #heartbeat(state: OnceState, timeoutMs: number, onAnswer: (standing: Standing) => void): void {
    const { server } = this.world;
    this.#call(
      'heartbeat',
      timeoutMs,
      () => STANDING_OF[server.heartbeat(this.attempt.token, state)],
      (standing) => onAnswer(standing ?? 'unclear'),
    );
  }

  #describe(timeoutMs: number, onAnswer: (answer: StandingAnswer) => void): void {
    const { server } = this.world;
    const { token, facts } = this.attempt;
    this.#call(
      'ask',
      timeoutMs,
      () => server.describe(token, facts),
      (answer) => onAnswer(answer ?? { standing: 'unclear' }),
    );
  }

  #report(): void {
    const heldBackMs = this.#reportsAgainAtMs - this.world.time.nowMs;
    this.#isReporting = true;
    if (heldBackMs <= 0) this.#reportNow();
    else this.attempt.later(heldBackMs, () => this.#reportNow());
  }

  #reportNow(): void {
    const { attempt, world } = this;
    const state = this.#recorded;
    this.#recorded = null;
    if (state === null || !this.#isActive) return;
    this.#reportsAgainAtMs = world.time.nowMs + Math.min(THROTTLE_MS, 0.8 * this.limits.heartbeatTimeoutMs);
    this.#call(
      'heartbeat',
      CORE_GIVES_UP_AFTER_MS,
      () => world.server.heartbeat(attempt.token, state),
      (pulse) => this.#reported(pulse),
    );
  }

  #reported(pulse: Pulse | null): void {
    const { attempt, world } = this;
    this.#isReporting = false;
    this.#reportedAtMs = world.time.nowMs;
    if (pulse === 'cancelled') attempt.abort('cancel');
    else if (pulse === 'not found') attempt.abort('superseded');
    else if (pulse === 'asked to end') attempt.abort('stop');
    if (this.#recorded !== null) this.#report();
  }

  /** Only heartbeats of the SDK itself keep the core from abandoning the attempt. */
  #watch(afterMs: number): void {
    this.attempt.later(afterMs, () => {
      if (!this.#isActive) return;
      const leftMs = this.#reportedAtMs + this.limits.heartbeatTimeoutMs + CORE_WAITS_LONGER_MS - this.world.time.nowMs;
      if (leftMs > 0) return this.#watch(leftMs);
      this.world.truth.count('given up by the core');
      this.attempt.abort('superseded', true);
    });
  }

  /** One call to the server. A message that was sent arrives, whatever happens to the process. `null`: no answer came in time. */
  #call<Value>(site: Site, timeoutMs: number, arrives: () => Value, onAnswer: (value: Value | null) => void): void {
    const { attempt, world } = this;
    const effect = world.mishaps.at(site);
    const wayMs = world.dice.whole(1, 15) + (effect?.kind === 'slow' ? effect.ms : 0);
    if (effect?.kind === 'hangs' || attempt.isCutOff) return attempt.later(timeoutMs, () => onAnswer(null));
    const isLate = wayMs >= timeoutMs;
    if (isLate) attempt.later(timeoutMs, () => onAnswer(null));
    world.time.after(wayMs, () => {
      if (attempt.isCutOff) return isLate ? undefined : attempt.later(timeoutMs - wayMs, () => onAnswer(null));
      const value = arrives();
      if (isLate) return;
      if (effect?.kind === 'answerLost') attempt.later(timeoutMs - wayMs, () => onAnswer(null));
      else attempt.now(() => onAnswer(value));
    });
  }
}
