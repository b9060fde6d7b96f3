/** Folders with the extra files of editors, file managers and Kubernetes. */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listFolder } from '../../../src/files/list-folder.js';
import { readSmallFile } from '../../../src/files/read-file.js';

let folder = '';
const YAML = { extensions: ['.yaml', '.yml'] };
const listed = async () => {
  const { files, passedOver } = await listFolder(folder, YAML);
  return {
    files: files.map((path) => basename(path)),
    passedOver: Object.fromEntries(passedOver.map(({ path, why }) => [basename(path), why])),
  };
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'list-folder-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('a folder that people edit', () => {
  it.each([
    ['.#x.yaml', 'a lock of an editor'],
    ['~$x.yaml', 'a lock of an office program'],
    ['._x.yaml', 'what macOS keeps beside a file'],
    ['.x.yaml.swp', 'a swap file of an editor'],
    ['.x.yaml.swo', 'a swap file of an editor'],
    ['.x.yaml', 'a hidden file'],
    ['.DS_Store', 'a hidden file'],
    ['.git', 'a hidden file'],
    ['#x.yaml#', 'a backup of an editor'],
    ['x.yaml~', 'a backup of an editor'],
    ['x.yaml.~1~', 'a backup of an editor'],
    ['x.yaml.bak', 'its name does not end in .yaml or .yml'],
    ['x.yaml.orig', 'its name does not end in .yaml or .yml'],
    ['x.rej', 'its name does not end in .yaml or .yml'],
    ['Thumbs.db', 'its name does not end in .yaml or .yml'],
    ['README.md', 'its name does not end in .yaml or .yml'],
    ['4913', 'its name does not end in .yaml or .yml'],
  ])('has %s, which is skipped with a reason', async (name, why) => {
    await writeFile(join(folder, name), '');
    await writeFile(join(folder, 'y.yaml'), '');
    expect(await listed()).toEqual({ files: ['y.yaml'], passedOver: { [name]: why } });
  });

  it('is read in the order of names, with file endings in any case', async () => {
    for (const name of ['d.YML', 'a.yaml', 'c.Yaml', 'b.yml']) await writeFile(join(folder, name), '');
    expect(await listed()).toEqual({ files: ['a.yaml', 'b.yml', 'c.Yaml', 'd.YML'], passedOver: {} });
  });

  it('also lists entries that are not regular files, which reading them shows', async () => {
    execFileSync('mkfifo', [join(folder, 'pipe.yaml')]);
    await symlink('nothing', join(folder, 'dangling.yaml'));
    expect((await listed()).files).toEqual(['dangling.yaml', 'pipe.yaml']);
  });

  it('may be a mounted ConfigMap, whose links are followed and whose internal folders are not reported', async () => {
    await mkdir(join(folder, '..2026_11_30_01_25_00.123456789'));
    await writeFile(join(folder, '..2026_11_30_01_25_00.123456789', 'x.yaml'), 'name: x');
    await symlink('..2026_11_30_01_25_00.123456789', join(folder, '..data'));
    await symlink(join('..data', 'x.yaml'), join(folder, 'x.yaml'));
    expect(await listed()).toEqual({ files: ['x.yaml'], passedOver: {} });
    expect(await readSmallFile(join(folder, 'x.yaml'), { maxBytes: 1024 })).toBe('name: x');
  });
});

describe('a path that is not a folder', () => {
  it.each([
    ['nothing', 'missing', 'does not exist, or is a link to nothing (ENOENT)'],
    ['file', 'unreadable', 'cannot be read (ENOTDIR)'],
    ['pipe', 'unreadable', 'cannot be read (ENOTDIR)'],
  ])('is refused with the reason: %s', async (name, code, message) => {
    await writeFile(join(folder, 'file'), '');
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    await expect(listFolder(join(folder, name), YAML)).rejects.toMatchObject({ code, message });
  });
});
