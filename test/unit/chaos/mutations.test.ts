/** The list of mutations fits the current sources: a mutation whose text no longer exists would prove nothing. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { filesOf, mutated } from '../../chaos/build-mutant.js';
import { MUTATIONS } from '../../chaos/mutations.js';
import { STEERING_MUTATIONS } from '../../chaos/mutations-of-steering.js';
import { FOUND, type Mutation } from '../../chaos/mutation.js';
import { firstBroken, inModel, withMutatedModel } from '../../model/mutated-model.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const read = (file: string) => readFileSync(join(root, file), 'utf8');

/** Storms and the model find these. */
const FOUND_BY_STORMS = [
  'baseline-ignored',
  'foreign-cloud-job-adopted',
  'restart-treated-as-a-state',
  'unknown-reported-as-not-sent',
  'reset-taken-as-not-sent',
  'verification-skipped',
  'settle-too-short',
  'cloud-job-id-not-in-heartbeats',
  'not-sent-believed-from-any-attempt',
  'reset-run-counts-as-first',
  'lease-left-out',
  'settle-left-out',
  'settle-not-shielded',
  'cancel-between-attempts-believed',
  'captured-while-moving',
  'undo-not-shielded',
  'drift-ignored',
  'failed-step-not-undone',
  'undo-oldest-first',
  'undo-cut-by-the-deadline',
  'baseline-is-what-a-reading-showed',
  'post-retried-by-the-client',
  'lease-id-random',
  'run-closes-over-its-child',
  'cancelled-child-not-awaited',
  'report-not-in-memo',
];

/** Storms find these too rarely; the model finds them. */
const FOUND_BY_THE_MODEL = [
  'second-send-after-a-short-quiet',
  'restart-adopted-without-own-user',
  'reset-activity-not-waited-out',
  'living-predecessor-not-waited-out',
  'terminated-holder-not-waited-out',
  'barrier-left-out',
  'fence-left-out',
  'lease-described-first',
];

describe.each(STEERING_MUTATIONS)('the mutation of steering $name', (mutation) => {
  it('finds each of its texts exactly once in the sources, and changes it', () => {
    for (const file of filesOf(mutation)) expect(mutated(mutation, file, read(file))).not.toBe(read(file));
  });
});

/** Found within a second; `npm run test:system` plays some more, and `npm run model:mutations` all. */
const QUICK = 'lease-left-out';
const MOST_INTERLEAVINGS = 500;

describe('the list of mutations', () => {
  it('has the required ones', () => {
    const namesOf = (mutations: readonly Mutation[]) => mutations.map(({ name }) => name);
    const found = MUTATIONS.filter(({ model }) => model.kind === 'found');
    expect(namesOf(found)).toEqual(expect.arrayContaining([...FOUND_BY_STORMS, ...FOUND_BY_THE_MODEL]));
    expect(namesOf(found.filter(({ storms }) => storms !== undefined)).toSorted()).toEqual(FOUND_BY_STORMS.toSorted());
  });

  it('gives each a unique name', () => {
    const names = MUTATIONS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('has one for each promise', () => {
    expect(MUTATIONS.map(({ breaks }) => breaks)).toEqual(expect.arrayContaining(['once', 'known', 'undone', 'alone']));
  });
});

describe.each(MUTATIONS)('the mutation $name', (mutation) => {
  it('finds each of its texts exactly once in the sources, and changes it', () => {
    const whole = inModel(mutation);
    for (const file of filesOf(whole)) expect(mutated(whole, file, read(file))).not.toBe(read(file));
  });
});

describe('the model of the world', () => {
  it(`finds the mutation ${QUICK}`, async () => {
    const [mutation] = MUTATIONS.filter(({ name }) => name === QUICK);
    const found = await withMutatedModel(mutation!, (mutant) => firstBroken(mutant, { most: MOST_INTERLEAVINGS }));
    expect(found).not.toBeNull();
  });
});

describe('a text that a mutation replaces', () => {
  const mutation = {
    name: 'example',
    breaks: 'once',
    why: '',
    edits: [{ file: 'src/a.ts', from: 'one', to: 'two' }],
    model: FOUND,
  } as const;

  it.each(['', 'one one'])('is refused with the mutation and the file when the source is %j', (text) => {
    expect(() => mutated(mutation, 'src/a.ts', text)).toThrow(/example: .* in src\/a\.ts/);
  });

  it('is replaced if it occurs once', () => {
    expect(mutated(mutation, 'src/a.ts', 'the one')).toBe('the two');
  });
});
