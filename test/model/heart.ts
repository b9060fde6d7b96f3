/** The heartbeats of one attempt, as `src/activities/once.ts` and the SDK's core send them, and what it asks the server besides. */
import type { Standing } from '../../src/domain/once/events.js';
import type { Limits } from '../../src/domain/once/limits.js';
import { asHeartbeat, isSilent, type OnceState } from '../../src/domain/once/state.js';
import type { Attempt } from './attempt.js';
import type { Pulse, StandingAnswer } from './server.js';
import type { Site } from './scenario.js';
import type { World } from './world.js';

/** The core gives an attempt up that it has not reported a heartbeat of for that much longer than the heartbeat time-out. */
const CORE_WAITS_LONGER_MS = 5_000;
/** The SDK holds a heartbeat back that comes sooner after another one (`maxHeartbeatThrottleInterval` of `src/worker.ts`). */
const THROTTLE_MS = 5_000;
/** How long the core waits for the answer to a heartbeat. */
const CORE_GIVES_UP_AFTER_MS = 10_000;

const STANDING_OF: Readonly<Record<Pulse, Standing>> = {
  fine: 'current',
  cancelled: 'cancelled',
  'told to end': 'superseded',
  'not found': 'superseded',
};

/** Silent until it is told to begin. */
export class Heart {
  #beats = true;
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

  /** From now on it beats three times within the heartbeat time-out. */
  begin(): void {
    this.#tick();
    this.#watch(this.limits.heartbeatTimeoutMs + CORE_WAITS_LONGER_MS);
  }

  stop(): void {
    this.#beats = false;
  }

  #tick(): void {
    this.attempt.later(this.limits.heartbeatTimeoutMs / 3, () => {
      if (!this.#beats) return;
      if (!isSilent(this.attempt.state)) {
        this.attempt.beats();
        this.record();
      }
      this.#tick();
    });
  }

  /** The state must reach the server; held back where it comes too soon after another one. */
  record(): void {
    this.#recorded = asHeartbeat(this.attempt.state);
    if (!this.#isReporting) this.#report();
  }

  /** Is this attempt the current one? Then an acknowledged heartbeat. */
  standing(timeoutMs: number, heard: (answer: StandingAnswer) => void): void {
    const { state } = this.attempt;
    this.#describe(timeoutMs, (answer) => {
      if (answer.standing !== 'current') heard(answer);
      else this.#heartbeat(state, timeoutMs, (standing) => heard({ ...answer, standing }));
    });
  }

  /** An acknowledged heartbeat, then the same question, unless the attempt is young. */
  lease(isYoung: boolean, timeoutMs: number, heard: (answer: StandingAnswer) => void): void {
    this.#heartbeat(this.attempt.state, timeoutMs, (standing) => {
      if (standing === 'current' && !isYoung) this.#describe(timeoutMs, heard);
      else heard({ standing });
    });
  }

  #heartbeat(state: OnceState, timeoutMs: number, heard: (standing: Standing) => void): void {
    const { server } = this.world;
    const arrives = () => STANDING_OF[server.heartbeat(this.attempt.token, state)];
    this.#call('heartbeat', timeoutMs, arrives, (standing) => heard(standing ?? 'unclear'));
  }

  #describe(timeoutMs: number, heard: (answer: StandingAnswer) => void): void {
    const { server } = this.world;
    const { token, facts } = this.attempt;
    const arrives = () => server.describe(token, facts);
    this.#call('ask', timeoutMs, arrives, (answer) => heard(answer ?? { standing: 'unclear' }));
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
    if (state === null || !this.#beats) return;
    this.#reportsAgainAtMs = world.time.nowMs + Math.min(THROTTLE_MS, 0.8 * this.limits.heartbeatTimeoutMs);
    const arrives = () => world.server.heartbeat(attempt.token, state);
    this.#call('heartbeat', CORE_GIVES_UP_AFTER_MS, arrives, (pulse) => {
      this.#isReporting = false;
      this.#reportedAtMs = world.time.nowMs;
      if (pulse === 'cancelled') attempt.abort('cancel');
      else if (pulse === 'not found') attempt.abort('superseded');
      else if (pulse === 'told to end') attempt.abort('stop');
      if (this.#recorded !== null) this.#report();
    });
  }

  /** Only heartbeats of the SDK itself keep the core from giving the attempt up. */
  #watch(afterMs: number): void {
    this.attempt.later(afterMs, () => {
      if (!this.#beats) return;
      const leftMs = this.#reportedAtMs + this.limits.heartbeatTimeoutMs + CORE_WAITS_LONGER_MS - this.world.time.nowMs;
      if (leftMs > 0) return this.#watch(leftMs);
      this.world.chronicle.count('given up by the core');
      this.attempt.abort('superseded', true);
    });
  }

  /** One call to the server. What is on its way arrives, whatever becomes of the process; `null`: no answer came in time. */
  #call<Value>(site: Site, timeoutMs: number, arrives: () => Value, heard: (value: Value | null) => void): void {
    const { attempt, world } = this;
    const struck = world.mishaps.at(site);
    const wayMs = world.dice.whole(1, 15) + (struck?.kind === 'slow' ? struck.ms : 0);
    const giveUp = () => attempt.later(Math.max(0, timeoutMs - wayMs), () => heard(null));
    if (struck?.kind === 'hangs' || attempt.isCutOff) return attempt.later(timeoutMs, () => heard(null));
    const isLate = wayMs >= timeoutMs;
    if (isLate) attempt.later(timeoutMs, () => heard(null));
    world.time.after(wayMs, () => {
      if (attempt.isCutOff) return isLate ? undefined : giveUp();
      const value = arrives();
      if (isLate) return;
      if (struck?.kind === 'answerLost') giveUp();
      else attempt.now(() => heard(value));
    });
  }
}
