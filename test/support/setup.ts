/** Runs before each test file: a test that fails reports what it saw. */
import { aroundEach } from 'vitest';
import { withEvidence } from './evidence.js';

aroundEach(async (runTest, { task }) => {
  const texts = await withEvidence(runTest);
  const error = task.result?.errors?.[0];
  if (error !== undefined && texts.length > 0) error.message += `\n\nWhat the test saw:\n${texts.join('\n')}`;
});
