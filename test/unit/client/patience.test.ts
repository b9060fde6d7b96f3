import { expect, it } from 'vitest';
import { Patience } from '../../../src/client/patience.js';

it('is over when questions go unanswered for longer than it lasts', () => {
  const patience = new Patience(60_000);
  expect(patience.unanswered(0, 20_000)).toBe(false);
  expect(patience.unanswered(20_500, 40_500)).toBe(false);
  expect(patience.unanswered(41_000, 61_000)).toBe(true);
});

it('begins again with each answer', () => {
  const patience = new Patience(60_000);
  patience.unanswered(0, 20_000);
  patience.answered();
  expect(patience.unanswered(100_000, 120_000)).toBe(false);
  expect(patience.unanswered(121_000, 141_000)).toBe(false);
});

it('is not over after a single unanswered question, however long the process itself was stopped', () => {
  const patience = new Patience(0);
  expect(patience.unanswered(0, 3_600_000)).toBe(false);
  expect(patience.unanswered(3_600_500, 3_600_600)).toBe(true);
});
