/** Which rule matches an alarm, and which run it would start. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isWithin, ruleFor, startOf, unmetConditions } from '../../../src/gateway/match-alarm.js';
import { alarmRead as alarm, ruleOfFile as rule } from '../../support/alarms.js';

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

  it('lists the conditions that are not met', () => {
    const strict = rule({ when: { alertname: ['Hangs'], severity: ['page', 'critical'], zone: ['a'] } });
    expect(unmetConditions(alarm({ severity: 'warning' }), strict)).toEqual([
      'severity is "warning", not page or critical',
      'zone is missing, not a',
    ]);
  });

  it('uses the authenticated sender, not a label of that name', () => {
    const fromProd = rule({ when: { sender: ['prod'] } });
    expect(ruleFor(alarm({ sender: 'prod' }, { sender: 'other' }), [fromProd])).toBeNull();
    expect(ruleFor(alarm({ sender: 'other' }), [fromProd])).not.toBeNull();
  });

  it('does not match a label that the alarm does not have', () => {
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

  it('consists of plain names only, whatever the labels contain', () => {
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
  it('use labels, but do not expand them twice', () => {
    const restore = rule({ inputs: { version: '${{ labels.version }}', note: 'of ${{ labels.zone }}', count: 3 } });
    const labels = { component: 'a', instance: 'b', version: '${{ labels.zone }}', zone: 'eu' };
    expect(startOf(alarm(labels), restore)).toMatchObject({
      arguments: { inputs: { version: '${{ labels.zone }}', note: 'of eu', count: 3 } },
    });
  });

  it('start nothing if a label is missing or the result is too long', () => {
    const restore = rule({ inputs: { version: '${{ labels.version }}' } });
    expect(startOf(alarm({ component: 'a', instance: 'b' }), restore)).toEqual({
      problem: 'the alarm has no label "version"',
    });
    expect(startOf(alarm({ component: 'a', instance: 'b', version: 'x'.repeat(3_000) }), restore)).toMatchObject({
      problem: expect.stringContaining('more than 2000 bytes'),
    });
  });
});
