/** What the checks of storms find about commands, pauses, approvals and webhooks, each in a scene that was built by hand. */
import { describe, expect, it } from 'vitest';
import type { RunReport } from '../../../src/domain/report/report.js';
import type { RunEvidence, SceneEvidence, Sending, Steered, Received } from '../../chaos/evidence.js';
import { violations } from '../../chaos/invariants.js';
import { at, cloudJob, evidence, holder, NOT_STEERED, runOf, type Act } from './build-scene.js';

const SCALE: Act = {
  id: 'scale',
  action: { action: 'scale', replica: 2 },
  fromMs: 1_000,
  toMs: 2_000,
  reported: { sent: 'yes', cloudJobId: 'J1' },
};
const RESTART: Act = {
  id: 'restart',
  action: { action: 'restart' },
  fromMs: 5_000,
  toMs: 6_000,
  lastJobId: 'J1',
  reported: { sent: 'yes', cloudJobId: 'J2' },
};
const J1 = cloudJob('J1', 'scale', 1_100, { parameters: { replica: 2 } });
const J2 = cloudJob('J2', 'restart', 5_100);

const PAUSE: Sending = {
  command: 'pause',
  via: 'update',
  actor: 'ann',
  key: 'k',
  workflowId: 'run-1',
  sentAtMs: at(1_500),
  answeredAtMs: at(1_550),
  result: 'accepted',
  state: 'pausing',
};
const RECORD = { command: 'pause', actor: 'ann', reason: 'a storm', atMs: at(1_520), key: 'k' } as const;
const accepted = (command: string, ms: number) => ({ command, actor: 'ann', atMs: at(ms), eventId: ms });
const paused = { state: 'paused', atMs: at(2_100) };

interface Parts {
  readonly ofRun?: Partial<Steered>;
  readonly ofTarget?: Partial<Steered>;
  readonly report?: Partial<RunReport>;
  readonly run?: Partial<RunEvidence>;
  readonly scene?: Partial<SceneEvidence>;
}

function found({ ofRun = {}, ofTarget = {}, report = {}, run = {}, scene = {} }: Parts): string[] {
  const of = holder('h1', [SCALE, RESTART], { steered: { ...NOT_STEERED, ...ofTarget } });
  const plain = runOf(of);
  const played = {
    ...plain,
    steered: { ...NOT_STEERED, ...ofRun },
    report: plain.report === null ? null : { ...plain.report, ...report },
    ...run,
  };
  const all = violations(evidence({ holders: [of], accepted: [J1, J2], runs: [played], ...scene }));
  return all.map(({ promise, what }) => `${promise}: ${what}`);
}

describe('a command', () => {
  it('that was accepted is in the report once, with its actor', () => {
    const scene = { sendings: [PAUSE, { ...PAUSE, result: 'repeated' } as const] };
    expect(found({ scene, report: { commands: [RECORD] } })).toEqual([]);
    expect(found({ scene })).toEqual([expect.stringMatching(/^steered: pause .* is not in the report/)]);
    expect(found({ scene, report: { commands: [RECORD, RECORD] } })).toEqual([expect.stringMatching(/report 2 times/)]);
    const byBob = { ...RECORD, actor: 'bob' };
    expect(found({ scene, report: { commands: [byBob] } })).toEqual([expect.stringMatching(/without its actor/)]);
  });

  it('with one key is new only once', () => {
    const parts = { scene: { sendings: [PAUSE, PAUSE] }, report: { commands: [RECORD] } };
    expect(found(parts)).toEqual([expect.stringMatching(/answered 2 times as new/)]);
  });

  it('that was refused, or sent by no one, is in no report', () => {
    const refused = { sendings: [{ ...PAUSE, result: 'refused' } as const] };
    expect(found({ scene: refused })).toEqual([]);
    expect(found({ scene: refused, report: { commands: [RECORD] } })).toEqual([expect.stringMatching(/was refused/)]);
    expect(found({ report: { commands: [RECORD] } })).toEqual([expect.stringMatching(/which no one sent/)]);
  });
});

describe('a pause', () => {
  it('that shows lets nothing through until somebody ends it', () => {
    expect(found({ ofRun: { states: [paused], accepted: [accepted('resume', 4_000)] } })).toEqual([]);
    const tooEarly = { states: [paused], accepted: [accepted('resume', 5_500)] };
    expect(found({ ofRun: tooEarly })).toEqual([
      expect.stringMatching(/^steered: restart J2 .* came while run-1 was paused/),
    ]);
  });

  it('that the target was ordered holds its next step back', () => {
    const order = { paused: true, order: 1, eventId: 1_500 };
    const ended = { paused: false, order: 2, eventId: 4_000 };
    expect(found({ ofTarget: { orders: [order, ended] } })).toEqual([]);
    expect(found({ ofTarget: { orders: [order], cancelRequestedEventId: 4_500 } })).toEqual([]);
    expect(found({ ofTarget: { orders: [order] } })).toEqual([
      expect.stringMatching(/decided restart .*, though its run had ordered/),
    ]);
    // Ordered while the task that decided it was under way.
    expect(found({ ofTarget: { orders: [{ ...order, eventId: 5_001 }] } })).toEqual([]);
  });
});

describe('an approval', () => {
  const approval = {
    result: 'approved',
    need: 1,
    roles: [],
    notRequester: true,
    askedAtMs: at(0),
    endedAtMs: at(400),
    votes: [],
  } as const;

  it('comes before the first target', () => {
    expect(found({ report: { approval }, ofRun: { accepted: [accepted('approve', 400)] } })).toEqual([]);
    expect(found({ report: { approval } })).toEqual([expect.stringMatching(/began a target before it was approved/)]);
  });

  it('is not given by who requested the run', () => {
    const votes = [{ command: 'approve', actor: 'chaos', reason: 'mine', atMs: at(400) }] as const;
    const parts = { report: { approval: { ...approval, votes } }, ofRun: { accepted: [accepted('approve', 400)] } };
    expect(found(parts)).toEqual([expect.stringMatching(/counts the approval of its requester/)]);
  });
});

describe('a webhook', () => {
  const end: Received = { id: 'm1', event: 'done', runId: 'run-1', atMs: at(7_000), taken: true };

  it('is notified of an end once, unless an answer may have been lost', () => {
    const again = { ...end, atMs: at(9_000) };
    expect(found({ scene: { received: [end] } })).toEqual([]);
    expect(found({ scene: { received: [{ ...end, taken: false }, again] } })).toEqual([]);
    expect(found({ scene: { received: [end, again] } })).toEqual([
      expect.stringMatching(/^notified: done of run-1 .* sent again/),
    ]);
    const kill = { kind: 'killWorker', atMs: at(7_100), untilMs: at(7_200) };
    expect(found({ scene: { received: [end, again], disturbances: [kill] } })).toEqual([]);
    expect(found({ scene: { received: [end, { ...again, id: 'm2' }] } })).toEqual([
      expect.stringMatching(/2 different/),
    ]);
  });

  it('took what the report calls delivered', () => {
    const notifications = [{ event: 'done', webhook: 'storm', result: 'delivered', atMs: at(7_000) }] as const;
    expect(found({ report: { notifications }, scene: { received: [end] } })).toEqual([]);
    expect(found({ report: { notifications } })).toEqual([expect.stringMatching(/the receiver did not take it/)]);
  });

  it('keeps no run open for longer than its limit', () => {
    expect(found({ run: { closedAtMs: at(100_000) } })).toEqual([expect.stringMatching(/stayed open for/)]);
  });
});
