/** The tables of commands: random commands, ends of steps, cancels and late messages never lead to two decisions at once, or to a false pause. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RUN_COMMANDS, TARGET_COMMANDS, type CommandName } from '../../../../src/domain/steering/command-names.js';
import {
  describeRefusal,
  LONGEST_ARGUMENT,
  MOST_RUN_COMMANDS,
  mostRunCommands,
  MOST_TARGET_COMMANDS,
  readArguments,
  recordsOf,
  type CommandArguments,
} from '../../../../src/domain/steering/commands.js';
import {
  afterRunCommand,
  afterRunEvent,
  checkRunCommand,
  isHeld,
  NOT_STEERED,
  type RunSteering,
} from '../../../../src/domain/steering/run-steering.js';
import {
  afterTargetCommand,
  afterTargetEvent,
  checkTargetCommand,
  NOT_BLOCKED,
  type TargetSteering,
} from '../../../../src/domain/steering/target-steering.js';

const PATH = 'shop/checkout/prod-1';
const given = (change: Partial<CommandArguments> = {}): CommandArguments => ({ actor: 'ann', reason: 'r', ...change });

const anyArguments = fc.record(
  {
    actor: fc.constantFrom('ann', 'bob'),
    reason: fc.constantFrom('r1', 'r2'),
    key: fc.constantFrom('k1', 'k2', 'k3'),
    step: fc.constantFrom('one', 'two'),
    target: fc.constantFrom(PATH, 'shop/checkout/prod-2'),
  },
  { requiredKeys: ['actor', 'reason'] },
);

describe('the arguments of a command', () => {
  it.each<[CommandName, unknown, string]>([
    ['pause', undefined, 'one JSON object'],
    ['pause', ['ann'], 'one JSON object'],
    ['pause', { actor: 'ann' }, '"reason" of pause must be text'],
    ['pause', { actor: ' ', reason: 'r' }, '"actor" of pause must be text'],
    ['pause', { actor: 'a'.repeat(201), reason: 'r' }, 'has 201 characters; at most 200'],
    ['pause', { actor: 'ann', reason: 'r'.repeat(1_001) }, 'at most 1000'],
    ['abort', { ...given(), key: 7 }, '"key" of abort must be text'],
    ['abort', { ...given(), step: 'one' }, 'abort does not accept "step"'],
    ['retryStep', { ...given(), force: true }, 'retryStep does not accept "force"'],
    ['skipStep', { ...given(), reason: 'two\nlines' }, 'must be one line'],
  ])('are refused for %s: %j', (command, argument, found) => {
    expect(readArguments(command, argument)).toContain(found);
  });

  it('are taken as they are, up to their longest', () => {
    const longest = Object.fromEntries(Object.entries(LONGEST_ARGUMENT).map(([key, size]) => [key, 'x'.repeat(size)]));
    expect(readArguments('approve', longest)).toEqual(longest);
    const { planHash: _hash, token: _token, ...ofTarget } = longest;
    expect(readArguments('retryStep', ofTarget)).toEqual(ofTarget);
  });
});

/** What happens to a target, in any order. */
const anyTargetAction = fc.oneof(
  fc.record({
    kind: fc.constant('command' as const),
    command: fc.constantFrom(...TARGET_COMMANDS),
    given: anyArguments,
  }),
  fc.record({ kind: fc.constant('stepEnds' as const), blocks: fc.boolean(), step: fc.constantFrom('one', 'two') }),
  fc.record({ kind: fc.constantFrom('carriedOut' as const, 'waitEnds', 'paused', 'resumed') }),
  fc.record({ kind: fc.constant('cancelled' as const) }),
);

describe('a blocked target', () => {
  it('carries out one decision at a time, records each accepted command once, and is left alone by refused ones', () => {
    fc.assert(
      fc.property(fc.array(anyTargetAction, { maxLength: 60 }), (actions) => {
        let state: TargetSteering = NOT_BLOCKED;
        let deciding = 0;
        let accepted = 0;
        let atMs = 0;
        for (const action of actions) {
          atMs++;
          switch (action.kind) {
            case 'command': {
              const before = structuredClone(state);
              const refusal = checkTargetCommand(state, action.command, action.given, PATH);
              expect(state).toEqual(before);
              if (refusal !== null) {
                expect(describeRefusal(action.command, refusal)).toMatch(
                  / is refused: .+\. (Possible now: |No command)/,
                );
                // What is listed as possible is, except for its arguments.
                const plain = given();
                for (const name of TARGET_COMMANDS.filter((each) => refusal.possible.includes(each)))
                  expect(checkTargetCommand(state, name, plain, PATH)).toBeNull();
                break;
              }
              const { state: after, answer } = afterTargetCommand(state, action.command, action.given, atMs);
              if (answer.repeated) {
                expect({ ...after, log: null }).toEqual({ ...state, log: null });
                expect(recordsOf(after.log)).toEqual(recordsOf(state.log));
              } else {
                expect(state).toMatchObject({ stage: 'blocked', paused: false, decision: null });
                expect(after).toMatchObject({
                  stage: 'deciding',
                  decision: { command: action.command, step: state.step },
                });
                deciding++;
                accepted++;
              }
              state = after;
              break;
            }
            case 'stepEnds':
              // Only a step that runs can end: none does while one is blocked.
              if (state.stage === 'working' && action.blocks)
                state = afterTargetEvent(state, { kind: 'blocked', step: action.step });
              break;
            case 'carriedOut':
              if (state.stage === 'deciding') state = afterTargetEvent(state, { kind: 'unblocked' });
              deciding = state.stage === 'deciding' ? deciding : 0;
              break;
            case 'waitEnds':
              if (state.stage === 'blocked') state = afterTargetEvent(state, { kind: 'unblocked' });
              break;
            case 'cancelled':
            case 'paused':
            case 'resumed':
              state = afterTargetEvent(state, { kind: action.kind });
              if (action.kind === 'cancelled') deciding = 0;
          }
          expect(deciding).toBeLessThanOrEqual(1);
          expect(recordsOf(state.log)).toHaveLength(accepted);
          expect(accepted + state.log.repeats).toBeLessThanOrEqual(MOST_TARGET_COMMANDS);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('answers a repeat as the first, also when the step is over, and refuses the key for anything else', () => {
    const blocked = afterTargetEvent(NOT_BLOCKED, { kind: 'blocked', step: 'one' });
    const first = afterTargetCommand(blocked, 'retryStep', given({ key: 'k' }), 5);
    const over = afterTargetEvent(first.state, { kind: 'unblocked' });
    expect(checkTargetCommand(over, 'retryStep', given({ key: 'k', reason: 'once more' }), PATH)).toBeNull();
    const again = afterTargetCommand(over, 'retryStep', given({ key: 'k' }), 9);
    expect(again.answer).toEqual({ ...first.answer, repeated: true });
    expect(checkTargetCommand(over, 'skipStep', given({ key: 'k' }), PATH)?.why).toContain(
      '"k" was used for retryStep',
    );
    expect(checkTargetCommand(over, 'retryStep', given({ key: 'k', actor: 'bob' }), PATH)?.why).toContain('of ann');
  });
});

describe('a run', () => {
  it('takes no more than its commands, but can always be aborted', () => {
    let state: RunSteering = NOT_STEERED;
    for (let index = 0; index < MOST_RUN_COMMANDS; index++)
      state = afterRunCommand(state, index % 2 === 0 ? 'pause' : 'resume', given(), index).state;
    expect(checkRunCommand(state, 'pause', given())).toEqual({
      why: 'this run takes 200 commands',
      possible: ['abort'],
    });
    expect(checkRunCommand(state, 'abort', given())).toBeNull();
    state = afterRunCommand(state, 'abort', given(), 1).state;
    expect(checkRunCommand(state, 'abort', given())?.possible).toEqual([]);
  });

  it('with many targets at once takes fewer, and its last pause can be ended once', () => {
    const most = mostRunCommands(100);
    expect([mostRunCommands(1), mostRunCommands(10), most]).toEqual([200, 200, 20]);
    let state: RunSteering = NOT_STEERED;
    for (let index = 0; index < most - 1; index++)
      state = afterRunCommand(state, index % 2 === 0 ? 'pause' : 'resume', given(), index).state;
    state = afterRunCommand(afterRunCommand(state, 'resume', given(), 1).state, 'pause', given(), 2).state;
    expect(checkRunCommand(state, 'pause', given(), most)?.possible).toEqual(['resume', 'abort']);
    expect(checkRunCommand(state, 'resume', given({ key: 'k' }), most)).toBeNull();
    state = afterRunCommand(state, 'resume', given({ key: 'k' }), 3).state;
    for (const command of RUN_COMMANDS.filter((name) => name !== 'abort'))
      expect(checkRunCommand(state, command, given({ key: 'k' }), most)).not.toBeNull();
    expect(checkRunCommand(state, 'resume', given({ key: 'k' }), most)?.why).toBe('this run takes 20 commands');
  });

  /**
   * The run and the workflow of its target, with messages that take any time but keep their order. The target does as `TargetSteering`:
   * between steps it follows the newest order that has arrived.
   */
  it('is paused only while nothing is in flight, and nothing begins until it continues', () => {
    const anyAction = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.record({ kind: fc.constant('command' as const), command: fc.constantFrom(...RUN_COMMANDS) }),
      },
      {
        weight: 6,
        arbitrary: fc.record({ kind: fc.constantFrom('toTarget' as const, 'toRun', 'stepEnds', 'targetTurn') }),
      },
      {
        weight: 1,
        arbitrary: fc.record({ kind: fc.constantFrom('targetBegins' as const, 'targetIsThere', 'targetEnds') }),
      },
    );
    fc.assert(
      fc.property(fc.array(anyAction, { maxLength: 120 }), (actions) => {
        let run: RunSteering = NOT_STEERED;
        let target: { order: number; paused: boolean; inStep: boolean; isResting: boolean } | null = null;
        const toTarget: { order: number; paused: boolean }[] = [];
        const toRun: number[] = [];
        const order = () => target !== null && toTarget.push({ order: run.order, paused: isHeld(run) });
        for (const action of actions) {
          switch (action.kind) {
            case 'command':
              if (checkRunCommand(run, action.command, given()) === null) {
                run = afterRunCommand(run, action.command, given(), 0).state;
                if (action.command !== 'abort') order();
              }
              break;
            case 'targetBegins':
              if (run.target === 'none' && !isHeld(run)) run = afterRunEvent(run, { kind: 'targetBegins' });
              break;
            case 'targetIsThere':
              if (run.target !== 'none' && target === null) {
                target = { order: 0, paused: false, inStep: true, isResting: false };
                if (isHeld(run)) order();
              }
              break;
            case 'targetEnds':
              if (target !== null && !target.inStep && !target.paused) {
                target = null;
                toTarget.length = 0;
                run = afterRunEvent(run, { kind: 'targetEnds' });
              }
              break;
            case 'toTarget': {
              const message = toTarget.shift();
              if (message === undefined || target === null) break;
              target.order = message.order;
              target.paused = message.paused;
              if (target.isResting && target.paused) toRun.push(target.order);
              break;
            }
            case 'toRun': {
              const reported = toRun.shift();
              if (reported !== undefined) run = afterRunEvent(run, { kind: 'targetRests', order: reported });
              break;
            }
            case 'stepEnds':
              if (target !== null) target.inStep = false;
              break;
            case 'targetTurn':
              if (target === null || target.inStep) break;
              if (!target.paused) {
                target.isResting = false;
                target.inStep = true;
              } else if (!target.isResting) {
                target.isResting = true;
                toRun.push(target.order);
              }
          }
          if (run.stage === 'paused') expect(target?.inStep ?? false).toBe(false);
          if (run.stage === 'paused' && target !== null) expect(target.paused).toBe(true);
        }
      }),
      { numRuns: 3_000 },
    );
  });
});
