/** Which rules an alarm is routed to, and in which form. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UNMATCHED, type Alarm } from '../../../src/domain/alarms/alarm.js';
import { requestProblem } from '../../../src/domain/alarms/alarm-rule-checks.js';
import { routeToRules } from '../../../src/gateway/route-alarm.js';
import { alarmRead as alarm, NO_BRAKES, ruleOfFile as rule } from '../../support/alarms.js';

it('a rule accepts every alarm in the form in which it is routed', () => {
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

it('ids that are too long for the rule remain distinct', () => {
  const rules = [rule()];
  const routed = (episode: string) =>
    routeToRules(alarm({}, { episode, incident: episode }), { owner: 'team', rules, receivedAtMs: 2_000 })[0].alarm;
  const left = routed(`${'x'.repeat(500)}1`);
  const right = routed(`${'x'.repeat(500)}2`);
  expect(left.episode).not.toBe(right.episode);
  expect(left.incident).not.toBe(right.incident);
  expect(left.episodeHash).not.toBe(right.episodeHash);
});

it('an alarm that no rule matches goes to the rule that only logs', () => {
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

  it('that no rule matches still goes to each rule that may know its firing', () => {
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

it('a rule receives no link, and still distinguishes firings whose ids contain one', () => {
  const link = 'https://console.huaweicloud.com/smn/subscription/confirm?token=t0ken';
  const texts = { name: `cpu ${link}`, episode: `${link} 1`, incident: link, summary: `high, see ${link}` };
  const routed = (change: Partial<Alarm>) =>
    routeToRules(alarm({ link }, { ...texts, ...change }), { owner: 'o', rules: [], receivedAtMs: 2 })[0].alarm;
  // The incident is only compared, never shown.
  expect(JSON.stringify({ ...routed({}), incident: '' })).not.toMatch(/t0ken|huaweicloud/);
  expect(routed({})).toMatchObject({ name: 'cpu <url>', summary: 'high, see <url>' });
  expect(routed({ episode: `${link} 2` }).episode).not.toBe(routed({}).episode);
  expect(routed({ episode: 'plain 1' }).episode).toBe('plain 1');
});
