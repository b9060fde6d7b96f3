import { mkdtemp, rm, writeFile, chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findTemporalProgram } from '../../src/embedded/find-temporal.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'find-temporal-'));
  await writeFile(join(folder, 'temporal'), '#!/bin/sh\necho temporal\n');
  await chmod(join(folder, 'temporal'), 0o755);
});
afterAll(() => rm(folder, { recursive: true }));

const say = () => {};

describe('the finder', () => {
  it('takes the program that is named', async () => {
    const path = join(folder, 'temporal');
    expect(await findTemporalProgram({ env: { TEMPORAL_CLI_PATH: path, PATH: '' }, say })).toBe(path);
  });

  it('fails when the named program does not work, and takes no other in its place', async () => {
    const found = findTemporalProgram({ env: { TEMPORAL_CLI_PATH: '/no/such/program', PATH: folder }, say });
    await expect(found).rejects.toThrow(/TEMPORAL_CLI_PATH: .*ENOENT/);
  });

  it('takes the one on the PATH, then the one in the cache', async () => {
    expect(await findTemporalProgram({ env: { PATH: `/nowhere:${folder}` }, say })).toBe(join(folder, 'temporal'));
    expect(await findTemporalProgram({ env: { PATH: '/nowhere' }, say, cacheDirectory: folder })).toBe(
      join(folder, 'temporal'),
    );
  });
});
