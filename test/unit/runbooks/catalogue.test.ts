/** Invalid runbook files of every kind: each problem has a place, what was found and a remedy, and all are reported at once. */
import { mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import {
  BUILT_IN_DIRECTORY,
  findRunbook,
  listRunbooks,
  loadFile,
  parseRunbook,
} from '../../../src/runbooks/catalogue.js';
import type { Problem } from '../../../src/domain/failures.js';

const problemsOf = (text: string): Problem[] => {
  const parsed = parseRunbook(text, 'x.yaml');
  return Array.isArray(parsed) ? parsed : [];
};
const withStep = (step: string) => `name: x\ntitle: t\nsteps:\n  - ${step}\n`;
const withInput = (input: string, step: string) => `name: x\ntitle: t\ninputs:\n  n: ${input}\nsteps:\n  - ${step}\n`;

describe('a runbook file with a problem', () => {
  it.each([
    ['an empty file', '', 'empty', 'x.yaml:1:1', 'empty'],
    ['YAML that does not parse', 'name: [\n', 'yaml-syntax', 'x.yaml:2:1', 'Flow sequence'],
    ['a duplicate key', 'name: x\nname: y\n', 'yaml-syntax', 'x.yaml:2:1', 'unique'],
    ['several documents', 'name: x\n---\nname: y\n', 'several-documents', 'x.yaml:1:1', 'several'],
    ['an undefined alias', 'name: *other\n', 'yaml-alias', 'x.yaml:1:1', 'other'],
    ['a list instead of keys', '- a\n', 'not-a-runbook', 'x.yaml:1:1', 'no keys'],
    [
      'an unknown key',
      'name: x\ntitel: t\ntitle: t\nsteps: []\n',
      'unknown-key',
      'x.yaml:2:1 titel',
      'unknown key "titel"',
    ],
    ['a missing key', 'name: x\nsteps: []\n', 'missing', 'x.yaml:1:1 title', '"title" is missing'],
    [
      'a name that is not the file name',
      'name: y\ntitle: t\nsteps: []\n',
      'name-is-file-name',
      'x.yaml:1:7 name',
      'the file x.yaml',
    ],
    ['an unknown action', withStep('action: stpo'), 'invalid-value', 'x.yaml:4:13 steps.0.action', 'stpo'],
    ['a step of a mistyped kind', withStep('acton: stop'), 'unknown-key', 'x.yaml:4:5 steps.0.acton', 'acton'],
    ['a missing parameter', withStep('action: scale'), 'missing', 'x.yaml:4:5 steps.0.with', '"with" is missing'],
    [
      'a wrong parameter',
      withStep('{ action: scale, with: { replica: 0 } }'),
      'invalid-value',
      'x.yaml:4:39 steps.0.with.replica',
      '0 does not fit',
    ],
    [
      'a version that YAML reads as a number',
      withStep('{ action: rollback, with: { version: 1.4 }, compensation: { irreversible: y } }'),
      'invalid-value',
      'x.yaml:4:42 steps.0.with.version',
      '1.4',
    ],
    [
      'a wrong duration',
      withStep('{ action: stop, deadline: 5 minutes }'),
      'invalid-value',
      'x.yaml:4:31 steps.0.deadline',
      '5 minutes',
    ],
    [
      'a rollback that is not declared',
      withStep('{ action: rollback, with: { version: previous } }'),
      'irreversible-not-declared',
      'x.yaml:4:5 steps.0',
      'nothing reverses',
    ],
    [
      'an undo that is not an inverse',
      withStep('{ action: stop, compensation: { action: restart } }'),
      'not-an-inverse',
      'x.yaml:4:45 steps.0.compensation.action',
      'restart does not undo a stop',
    ],
    [
      'an unknown input in an expression',
      withStep('{ action: scale, with: { replica: "${{ inputs.other }}" } }'),
      'unknown-name',
      'x.yaml:4:39 steps.0.with.replica',
      'inputs.other',
    ],
    [
      'an expression that does not end',
      withStep('{ action: rollback, with: { version: "v${{ inputs.version" }, compensation: { irreversible: x } }'),
      'unknown-name',
      'x.yaml:4:42 steps.0.with.version',
      'begins with ${{',
    ],
    [
      'an expression that is not one',
      withStep('{ action: scale, with: { replica: "${{ 1 + 1 }}" } }'),
      'unknown-name',
      'x.yaml:4:39 steps.0.with.replica',
      '1 + 1',
    ],
    [
      'an input of a wrong type',
      withInput('{ type: string }', '{ action: scale, with: { replica: "${{ inputs.n }}" } }'),
      'invalid-input-type',
      'x.yaml:6:39 steps.0.with.replica',
      'is text',
    ],
    [
      'an input inside text where a number is wanted',
      withInput('{ type: integer }', '{ action: scale, with: { replica: "1${{ inputs.n }}" } }'),
      'invalid-input-type',
      'x.yaml:6:39 steps.0.with.replica',
      'text',
    ],
    [
      'an input that is used nowhere',
      withInput('{ type: integer }', 'action: stop'),
      'unused-input',
      'x.yaml:4:6 inputs.n',
      'used nowhere',
    ],
    [
      'an input whose name only a name of the target has',
      'name: x\ntitle: t\ninputs:\n  version: { type: string }\nsteps:\n  - { action: rollback, with: { version: "${{ target.version }}" }, compensation: { none: y } }\n',
      'unused-input',
      'x.yaml:4:12 inputs.version',
      'used nowhere',
    ],
    [
      'a captured count without the runbook that captures it',
      withStep('{ action: scale, with: { replica: "${{ captured.replicaCount }}" } }'),
      'captured-without-restores',
      'x.yaml:4:39 steps.0.with.replica',
      'no runbook is named',
    ],
    [
      'an unknown captured name',
      `restores: down\n${withStep('{ action: scale, with: { replica: "${{ captured.replicas }}" } }')}`,
      'unknown-name',
      'x.yaml:5:39 steps.0.with.replica',
      'captured.replicas',
    ],
    [
      'a captured count where text is wanted',
      `restores: down\n${withStep('{ action: rollback, with: { version: "${{ captured.replicaCount }}" }, compensation: { irreversible: y } }')}`,
      'invalid-input-type',
      'x.yaml:5:42 steps.0.with.version',
      'is an integer',
    ],
    [
      'a runbook to restore whose count is not used',
      `restores: down\n${withStep('action: stop')}`,
      'unused-restores',
      'x.yaml:1:11 restores',
      'nothing uses',
    ],
    [
      'a runbook that restores itself',
      `restores: x\n${withStep('{ action: scale, with: { replica: "${{ captured.replicaCount }}" } }')}`,
      'restores-itself',
      'x.yaml:1:11 restores',
      'itself',
    ],
    [
      'a name to restore that is none',
      `restores: Down it\n${withStep('{ action: scale, with: { replica: "${{ captured.replicaCount }}" } }')}`,
      'invalid-value',
      'x.yaml:1:11 restores',
      'Down it',
    ],
    [
      'a default outside its rule',
      withInput('{ type: integer, minimum: 2, default: 1 }', '{ action: scale, with: { replica: "${{ inputs.n }}" } }'),
      'invalid-default',
      'x.yaml:4:44 inputs.n.default',
      'less than 2',
    ],
    [
      'a step id twice',
      'name: x\ntitle: t\nsteps:\n  - { action: stop, id: a }\n  - { action: start, id: a }\n',
      'duplicate-step-id',
      'x.yaml:5:5 steps.1',
      '"a" appears twice',
    ],
    [
      'a step with less time than its verification',
      withStep('{ action: stop, deadline: 1m, verify: { within: 5m } }'),
      'deadline-too-short',
      'x.yaml:4:31 steps.0.deadline',
      'verification',
    ],
    [
      'a run with less time than its steps',
      'name: x\ntitle: t\ndeadline: 1m\nsteps:\n  - action: stop\n',
      'deadline-too-short',
      'x.yaml:3:11 deadline',
      '10m',
    ],
    ['a reserved name', 'name: run\ntitle: t\nsteps: []\n', 'reserved-name', 'x.yaml:1:7 name', 'reserved'],
    ['a name like a rule', 'name: alarm-rule\ntitle: t\nsteps: []\n', 'reserved-name', 'x.yaml:1:7 name', 'reserved'],
  ])('(%s) has its place and what was found', (_case, text, code, place, found) => {
    const problem = problemsOf(text).find((candidate) => candidate.code === code);
    expect(problem?.place).toBe(place);
    expect(problem?.found).toContain(found);
    expect(problem?.remedy).not.toBe('');
  });

  it.each([
    ['rollout', 'rollout: { batch: 2 }'],
    ['onBusy', 'guards: { onBusy: wait, freeze: [prod-freeze] }'],
    ['targets.order', 'targets: { order: least-healthy-first }'],
  ])('with a key of a later version (%s) is refused as not supported yet', (path, line) => {
    const [problem] = problemsOf(`name: x\ntitle: t\n${line}\nsteps: []\n`);
    expect(problem).toMatchObject({ code: 'not-supported-yet' });
    expect(problem?.place).toContain(`x.yaml:3`);
    expect(problem?.place).toContain(path);
  });

  it.each(['parallel: []', 'notify: {}'])('with a step of a later version (%s) is refused', (step) => {
    expect(problemsOf(withStep(step)).map(({ code }) => code)).toEqual(['not-supported-yet']);
  });

  it.each([
    ['risk: high\nsteps: [{ action: restart }]', ['needs-approval']],
    ['risk: high\nsteps: [{ action: restart }, { approval: {} }]', ['needs-approval']],
    ['risk: high\nsteps: [{ wait: 1s }, { approval: {} }, { action: restart }]', []],
    ['risk: high\nguards: { approval: {} }\nsteps: [{ action: restart }]', []],
    ['risk: high\nsteps: []', []],
    ['risk: high\nemergency: true\nsteps: [{ action: restart }]', []],
    ['guards: { freeze: [f] }\nemergency: true\nsteps: [{ action: restart }]', ['emergency-is-not-guarded']],
    ['emergency: true\nsteps: [{ action: stop }, { approval: {} }]', ['emergency-is-not-guarded']],
    ['emergency: false\nsteps: []', ['invalid-value']],
    ['guards: { approval: { need: 6 } }\nsteps: []', ['invalid-value']],
    ['guards: { approval: { expires: 0s } }\nsteps: []', ['invalid-value']],
    ['guards: { approval: { expires: 8d } }\nsteps: []', ['invalid-value']],
    ['guards: { approval: { roles: [two words] } }\nsteps: []', ['invalid-value']],
    ['steps: [{ approval: {}, onFailure: continue }]', ['invalid-value']],
  ])('is judged by who has to approve it: %j', (text, codes) => {
    expect(problemsOf(`name: x\ntitle: t\n${text}\n`).map(({ code }) => code)).toEqual(codes);
  });

  it('has all its problems reported, in the order of the file', () => {
    const places = problemsOf('name: y\ntitel: t\nsteps:\n  - action: stpo\n  - wait: soon\n').map(
      ({ place }) => place.split(' ')[0],
    );
    expect(places).toEqual(['x.yaml:1:7', 'x.yaml:2:1', 'x.yaml:4:13', 'x.yaml:5:11']);
  });

  it('never makes the loader throw', () => {
    const anything = fc.oneof(
      fc.string(),
      fc.json().map((text) => stringify(JSON.parse(text))),
    );
    fc.assert(fc.property(anything, (text) => parseRunbook(text, 'x.yaml') !== undefined));
    const almost = fc.record({
      name: fc.constant('x'),
      title: fc.string(),
      steps: fc.array(
        fc.dictionary(fc.constantFrom('action', 'with', 'wait', 'check', 'id', 'compensation'), fc.jsonValue()),
      ),
    });
    fc.assert(fc.property(almost, (value) => parseRunbook(stringify(value), 'x.yaml') !== undefined));
  });
});

describe('folders of runbooks', () => {
  let folder: string;
  const stop = (name: string) => `name: ${name}\ntitle: t\nsteps:\n  - action: stop\n`;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'runbooks-'));
    await writeFile(join(folder, 'mine.yaml'), stop('mine'));
    await writeFile(join(folder, 'broken.yaml'), 'name: broken\n');
    await writeFile(join(folder, 'recover.yaml'), stop('recover'));
    await writeFile(join(folder, 'bom.yaml'), `\uFEFF${stop('bom')}`);
    await writeFile(join(folder, 'huge.yaml'), `#${'x'.repeat(300 * 1024)}`);
    await writeFile(join(folder, 'notes.txt'), 'not a runbook');
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('make a dropped-in file startable at once', async () => {
    expect(await findRunbook([folder], 'mine')).toMatchObject({ kind: 'found', runbook: { name: 'mine' } });
    await writeFile(join(folder, 'later.yaml'), stop('later'));
    expect((await findRunbook([folder], 'later')).kind).toBe('found');
    await rm(join(folder, 'later.yaml'));
    expect(await findRunbook([folder], 'later')).toMatchObject({
      kind: 'unknown',
      folders: [await realpath(BUILT_IN_DIRECTORY), await realpath(folder)],
    });
  });

  it('do not let a broken file affect other names', async () => {
    expect((await findRunbook([folder], 'broken')).kind).toBe('broken');
    expect((await findRunbook([folder], 'huge')).kind).toBe('broken');
    expect((await findRunbook([folder], 'stop')).kind).toBe('found');
    expect((await findRunbook([folder], 'bom')).kind).toBe('found');
  });

  it('report a duplicate name', async () => {
    const found = await findRunbook([folder], 'recover');
    expect(found).toMatchObject({ kind: 'broken', problems: [{ code: 'duplicate-name' }] });
    const { problems } = await listRunbooks([folder]);
    expect(problems.filter(({ code }) => code === 'duplicate-name')).toHaveLength(1);
  });

  it('are compared by real path, so that the catalogue is never loaded twice', async () => {
    const link = join(folder, 'link');
    await symlink(BUILT_IN_DIRECTORY, link);
    expect((await findRunbook([link, BUILT_IN_DIRECTORY], 'recover')).kind).toBe('found');
  });

  it('are reported if they do not exist', async () => {
    const { problems } = await listRunbooks(['/no/such/folder']);
    expect(problems).toMatchObject([{ code: 'no-folder', place: '/no/such/folder' }]);
  });

  it('contain every runbook, even for a name that looks like a path', async () => {
    expect((await findRunbook([join(folder, 'link')], '../mine')).kind).toBe('unknown');
  });
});

describe('the catalogue', () => {
  it('loads without a problem', async () => {
    const { runbooks, problems } = await listRunbooks([]);
    expect(problems).toEqual([]);
    expect(runbooks.map(({ name }) => name)).toEqual([
      'emergency-stop',
      'health-check',
      'maintenance',
      'recover',
      'restart',
      'rollback',
      'scale',
      'scale-down',
      'scale-up',
      'start',
      'stop',
    ]);
  });

  it('has valid examples in the documents', async () => {
    const documents = await Promise.all(
      ['README.md', 'docs/first-runbook.md', 'docs/runbook-reference.md'].map((path) => readFile(path, 'utf8')),
    );
    const examples = documents.flatMap((text) =>
      [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml = '']) => yaml),
    );
    expect(examples.length).toBeGreaterThanOrEqual(2);
    for (const yaml of examples) {
      const name = /^name: (.*)$/m.exec(yaml)?.[1] ?? '';
      expect(parseRunbook(yaml, `${name}.yaml`)).toMatchObject({ name });
    }
  });

  it('reports that a file cannot be read', async () => {
    expect(await loadFile('/no/such/file.yaml')).toMatchObject([{ code: 'unreadable' }]);
    expect(await loadFile('/')).toMatchObject([{ remedy: 'Name a file, or each file of a folder' }]);
  });
});
