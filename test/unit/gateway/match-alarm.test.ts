import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UNMATCHED, type Alarm } from '../../../src/domain/alarms/alarm.js';
import { requestProblem } from '../../../src/domain/alarms/alarm-rule-checks.js';
import { isWithin, ruleFor, startOf, unmetConditions, type AlarmRule } from '../../../src/gateway/match-alarm.js';
import { routeToRules } from '../../../src/gateway/route-alarm.js';
import { NO_BRAKES } from '../../support/alarms.js';

const alarm = (labels: Record<string, string>, change: Partial<Alarm> = {}): Alarm => ({
  sender: 'prod',
  name: 'Hangs',
  status: 'firing',
  episode: 'e',
  incident: 'i',
  atMs: 1_000,
  labels: { alertname: 'Hangs', ...labels },
  summary: 'it hangs',
  ...change,
});

const rule = (change: Partial<AlarmRule> = {}): AlarmRule => ({
  name: 'hung',
  when: { alertname: ['Hangs'] },
  runbook: 'restart',
  target: 'shop/${{ labels.component }}/${{ labels.instance }}',
  within: ['shop/*/*'],
  inputs: {},
  brakes: NO_BRAKES,
  ...change,
});

describe('which rule', () => {
  it('is the first whose conditions all fit', () => {
    const rules = [
      rule({ name: 'page', when: { alertname: ['Hangs'], severity: ['page', 'critical'] } }),
      rule({ name: 'any' }),
      rule({ name: 'late' }),
    ];
    expect(ruleFor(alarm({ severity: 'critical' }), rules)?.name).toBe('page');
    expect(ruleFor(alarm({ severity: 'warning' }), rules)?.name).toBe('any');
    expect(ruleFor(alarm({ alertname: 'Other' }), rules)).toBeNull();
  });

  it('says which conditions are not met', () => {
    const strict = rule({ when: { alertname: ['Hangs'], severity: ['page', 'critical'], zone: ['a'] } });
    expect(unmetConditions(alarm({ severity: 'warning' }), strict)).toEqual([
      'severity is "warning", not page or critical',
      'zone is missing, not a',
    ]);
  });

  it('goes by the sender that proved itself, not by a label of that name', () => {
    const fromProd = rule({ when: { sender: ['prod'] } });
    expect(ruleFor(alarm({ sender: 'prod' }, { sender: 'other' }), [fromProd])).toBeNull();
    expect(ruleFor(alarm({ sender: 'other' }), [fromProd])).not.toBeNull();
  });

  it('finds no label that the alarm has not got', () => {
    for (const label of ['constructor', '__proto__', 'toString'])
      expect(unmetConditions(alarm({}), rule({ when: { [label]: ['x'] } }))).toHaveLength(1);
  });
});

describe('the target', () => {
  it('is made of labels and is within what the rule allows', () => {
    expect(startOf(alarm({ component: 'checkout', instance: 'prod-1' }), rule())).toEqual({
      runbook: 'restart',
      target: 'shop/checkout/prod-1',
      arguments: { targets: ['shop/checkout/prod-1'], inputs: {} },
    });
    expect(startOf(alarm({ component: 'checkout', instance: 'prod-1' }), rule({ within: ['shop/catalog/*'] }))).toEqual(
      {
        problem: 'the target shop/checkout/prod-1 is not within shop/catalog/*',
      },
    );
  });

  it('is never anything but plain names, whatever labels hold', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (component, instance) => {
        const start = startOf(alarm({ component, instance }), rule());
        if ('problem' in start) return true;
        return /^shop\/[A-Za-z0-9][\w-]*\/[A-Za-z0-9][\w-]*$/.test(start.target);
      }),
      {
        examples: [
          ['a/b', 'c'],
          ['..', 'c'],
          ['*', 'c'],
          ['${{ labels.instance }}', 'c'],
          ['a', 'b\nc'],
          ['a', ''],
        ],
      },
    );
  });

  it('is compared part by part', () => {
    expect(isWithin('a/b/c', 'a/*/c')).toBe(true);
    expect(isWithin('a/b/c', '*/*/*')).toBe(true);
    expect(isWithin('a/b/cc', 'a/b/c')).toBe(false);
    expect(isWithin('a/b', 'a/*/*')).toBe(false);
  });
});

describe('inputs', () => {
  it('take labels, once', () => {
    const restore = rule({ inputs: { version: '${{ labels.version }}', note: 'of ${{ labels.zone }}', count: 3 } });
    const labels = { component: 'a', instance: 'b', version: '${{ labels.zone }}', zone: 'eu' };
    expect(startOf(alarm(labels), restore)).toMatchObject({
      arguments: { inputs: { version: '${{ labels.zone }}', note: 'of eu', count: 3 } },
    });
  });

  it('start nothing where a label is missing or the whole is too long', () => {
    const restore = rule({ inputs: { version: '${{ labels.version }}' } });
    expect(startOf(alarm({ component: 'a', instance: 'b' }), restore)).toEqual({
      problem: 'the alarm has no label "version"',
    });
    expect(startOf(alarm({ component: 'a', instance: 'b', version: 'x'.repeat(3_000) }), restore)).toMatchObject({
      problem: expect.stringContaining('more than 2000 bytes'),
    });
  });
});

it('whatever an alarm holds, its rule accepts the form that it is routed in', () => {
  const anyText = fc.string({ unit: 'binary', maxLength: 2_000, size: 'max' });
  fc.assert(
    fc.property(
      fc.record({
        name: anyText,
        episode: anyText,
        incident: anyText,
        summary: anyText,
        component: anyText,
        version: anyText,
      }),
      ({ component, version, ...change }) => {
        const rules = [rule({ inputs: { version: '${{ labels.version }}' } })];
        const labels = { component, instance: 'b', version };
        const [{ rule: name, alarm: routed }] = routeToRules(alarm(labels, change), {
          owner: 'team',
          rules,
          receivedAtMs: 2_000,
        });
        expect(requestProblem({ rule: name, brakes: NO_BRAKES, alarms: [routed] }, name)).toBeNull();
      },
    ),
  );
});

it('ids that are too long for the rule stay apart', () => {
  const rules = [rule()];
  const routed = (episode: string) =>
    routeToRules(alarm({}, { episode, incident: episode }), { owner: 'team', rules, receivedAtMs: 2_000 })[0].alarm;
  const left = routed(`${'x'.repeat(500)}1`);
  const right = routed(`${'x'.repeat(500)}2`);
  expect(left.episode).not.toBe(right.episode);
  expect(left.incident).not.toBe(right.incident);
  expect(left.episodeHash).not.toBe(right.episodeHash);
});

it('what no rule matches goes to the rule that only logs', () => {
  const [{ rule: name, alarm: routed }] = routeToRules(alarm({ alertname: 'Other' }), {
    owner: 'team',
    rules: [rule()],
    receivedAtMs: 1,
  });
  expect(name).toBe(UNMATCHED);
  expect(routed.start).toEqual({ problem: 'no rule matches it' });
});

it('two senders that use the same id mean different problems', () => {
  const routed = (sender: string) =>
    routeToRules(alarm({}, { sender }), { owner: 'o', rules: [rule()], receivedAtMs: 1_000 })[0].alarm;
  expect(routed('weak').incident).not.toBe(routed('prod').incident);
  expect(routed('weak').episodeHash).not.toBe(routed('prod').episodeHash);
  expect(routed('prod')).toEqual(routed('prod'));
});

it('a rule gets the time of a statement only from senders that keep repeating the current state', () => {
  const routed = (change: Partial<Alarm>) =>
    routeToRules(alarm({}, change), { owner: 'team', rules: [rule()], receivedAtMs: 9_000 })[0].alarm;
  expect(routed({ atMs: 1_000 })).not.toHaveProperty('saidAtMs');
  expect(routed({ atMs: 1_000, saidAtMs: 8_000 }).saidAtMs).toBe(8_000);
});

describe('a resolved alarm', () => {
  const rules = [
    rule({ name: 'page', when: { severity: ['page'] } }),
    rule({ name: 'hung' }),
    rule({ name: 'of-others', when: { sender: ['other'] } }),
    rule({ name: 'of-prod', when: { sender: ['other', 'prod'], zone: ['a'] } }),
  ];
  const routed = (status: Alarm['status'], labels: Record<string, string> = {}) =>
    routeToRules(alarm(labels, { status }), { owner: 'team', rules, receivedAtMs: 2_000 });

  it('goes first to the rule that matches it, then to each that may know its firing', () => {
    expect(routed('resolved').map(({ rule: name, alarm: { onlyIfKnown } }) => [name, onlyIfKnown])).toEqual([
      ['hung', undefined],
      ['page', true],
      ['of-prod', true],
    ]);
  });

  it('that no rule matches goes to those all the same', () => {
    const labels = { alertname: 'changed' };
    expect(routed('resolved', labels).map(({ rule: name }) => name)).toEqual([UNMATCHED, 'page', 'hung', 'of-prod']);
    expect(routed('firing', labels).map(({ rule: name }) => name)).toEqual([UNMATCHED]);
  });

  it('has a form that each rule accepts, with the incident of the firing', () => {
    const [{ alarm: firing }] = routed('firing');
    for (const { rule: name, alarm: resolved } of routed('resolved')) {
      expect(requestProblem({ rule: name, brakes: NO_BRAKES, alarms: [resolved] }, name)).toBeNull();
      expect(resolved.incident).toBe(firing.incident);
    }
  });
});
