/** What a resolved alarm does to a rule, also one that was wrong. */
import { expect, it } from 'vitest';
import { later, Rule, SECOND, T0 } from '../../support/rule-under-a-clock.js';

it('a resolution by a clock that was ahead does not silence what fires later', () => {
  const rule = new Rule();
  rule.decide(rule.alarm({ status: 'resolved', receivedAtMs: T0 + 3_600 * SECOND, atMs: T0 + 3_600 * SECOND }));
  later(rule, 10 * SECOND);
  expect(rule.decide(rule.alarm({ atMs: T0 + 5 * SECOND })).kind).toBe('started');
});
