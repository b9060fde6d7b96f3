/**
 * What a test saw: output of commands, reports of runs. A failing assertion shows one value; why it is wrong is mostly
 * in these. Several tests run at once in one process, so each has its own.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

const MOST_TEXTS = 8;
const LONGEST_TEXT = 6_000;

const ofThisTest = new AsyncLocalStorage<string[]>();

/** Keeps a text for the message of the test, in case it fails. Outside a test nothing is kept. */
export function keepEvidence(text: string): void {
  const texts = ofThisTest.getStore();
  if (texts === undefined) return;
  texts.push(text.slice(0, LONGEST_TEXT));
  if (texts.length > MOST_TEXTS) texts.shift();
}

/** Runs a test. @returns the last texts that it kept */
export async function withEvidence(runTest: () => Promise<void>): Promise<readonly string[]> {
  const texts: string[] = [];
  await ofThisTest.run(texts, runTest);
  return texts;
}
