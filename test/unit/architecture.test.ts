/** The structure that docs/architecture.md describes, and the rules that no compiler checks. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((path) =>
  path.endsWith('.ts'),
);

describe('the table of folders in docs/architecture.md', () => {
  const folders = [...read('docs/architecture.md').matchAll(/^\| `((?:src|runbooks|test|docs)\/\S*)` /gm)].map(
    ([, path = '']) => path,
  );

  it('names what exists', () => {
    expect(folders.length).toBeGreaterThan(10);
    for (const path of folders) expect(existsSync(join(root, path))).toBe(true);
  });

  it('is complete for src', () => {
    const entries = readdirSync(join(root, 'src'), { withFileTypes: true });
    for (const entry of entries) expect(folders).toContain(`src/${entry.name}${entry.isDirectory() ? '/' : ''}`);
  });

  it('is complete for src/domain', () => {
    const page = read('docs/architecture.md');
    for (const entry of readdirSync(join(root, 'src/domain'), { withFileTypes: true }))
      expect(page).toContain(`\`${entry.name}${entry.isDirectory() ? '/' : ''}\``);
  });
});

/** Which rooms of src each room may import. A room is below those that import it, so the table has no circle. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  files: [],
  metrics: ['domain'],
  health: ['domain', 'network'],
  network: [],
  simulator: [],
  time: [],
  logging: ['domain'],
  tracing: ['domain', 'network'],
  rendering: ['domain'],
  temporal: ['domain'],
  codec: ['domain', 'files'],
  yaml: ['domain', 'files'],
  servicestage: ['domain', 'network'],
  workflows: ['domain'],
  client: ['codec', 'domain', 'rendering', 'temporal', 'tracing'],
  nexus: ['client', 'domain', 'temporal'],
  calendars: ['domain', 'files', 'time', 'yaml'],
  runbooks: ['domain', 'files', 'yaml'],
  approvers: ['domain', 'files'],
  'codec-server': ['approvers', 'domain', 'logging', 'network'],
  config: ['approvers', 'codec', 'domain', 'files', 'network', 'servicestage'],
  notifications: ['domain', 'logging', 'network', 'servicestage', 'yaml'],
  activities: [
    'approvers',
    'calendars',
    'client',
    'domain',
    'notifications',
    'runbooks',
    'servicestage',
    'temporal',
    'time',
  ],
  schedules: ['calendars', 'domain', 'runbooks', 'temporal', 'time', 'yaml'],
  gateway: ['domain', 'files', 'health', 'logging', 'metrics', 'network', 'runbooks', 'temporal', 'time', 'yaml'],
  embedded: ['config', 'domain', 'network', 'runbooks', 'simulator', 'temporal'],
  worker: [
    'activities',
    'calendars',
    'client',
    'config',
    'domain',
    'logging',
    'health',
    'metrics',
    'network',
    'nexus',
    'notifications',
    'runbooks',
    'servicestage',
    'temporal',
    'tracing',
  ],
  replay: ['temporal'],
  'worker.ts': [
    'activities',
    'config',
    'domain',
    'files',
    'logging',
    'notifications',
    'servicestage',
    'temporal',
    'worker',
  ],
  doctor: [
    'calendars',
    'client',
    'config',
    'domain',
    'gateway',
    'notifications',
    'runbooks',
    'servicestage',
    'temporal',
  ],
  cli: [
    'calendars',
    'client',
    'codec-server',
    'config',
    'doctor',
    'domain',
    'embedded',
    'files',
    'gateway',
    'logging',
    'network',
    'notifications',
    'rendering',
    'replay',
    'runbooks',
    'schedules',
    'servicestage',
    'simulator',
    'temporal',
    'worker',
    'tracing',
    'worker.ts',
    'yaml',
  ],
};

describe('rooms', () => {
  const roomOf = (path: string) => path.split('/')[0] ?? path;
  const importsOf = (path: string) =>
    [...read(`src/${path}`).matchAll(/(?:from|import\(?) ?'(\.[^']+)'/g)].map(([, target = '']) =>
      posix.normalize(posix.join(posix.dirname(path), target)).replace(/\.js$/, '.ts'),
    );
  const imports = sources.flatMap((path) =>
    importsOf(path).map((target) => ({ from: roomOf(path), to: roomOf(target) })),
  );
  const arrows = new Set(imports.filter(({ from, to }) => from !== to).map(({ from, to }) => `${from} → ${to}`));
  const allowed = new Set(Object.entries(MAY_IMPORT).flatMap(([from, to]) => to.map((room) => `${from} → ${room}`)));

  it('are all in the table', () => {
    expect(new Set(sources.map(roomOf))).toEqual(new Set(Object.keys(MAY_IMPORT)));
  });

  it('import only the rooms that the table allows, and each of those', () => {
    expect([...arrows].toSorted()).toEqual([...allowed].toSorted());
  });

  it('form layers without a circle', () => {
    const below = (room: string, seen: readonly string[]): readonly string[] => {
      expect(seen).not.toContain(room);
      return (MAY_IMPORT[room] ?? []).flatMap((next) => below(next, [...seen, room]));
    };
    for (const room of Object.keys(MAY_IMPORT)) below(room, []);
  });

  it('contain files without import circles, types included', () => {
    const done = new Set<string>();
    const visit = (path: string, above: readonly string[]): void => {
      expect(above).not.toContain(path);
      if (done.has(path)) return;
      for (const target of importsOf(path)) visit(target, [...above, path]);
      done.add(path);
    };
    for (const path of sources) if (!path.endsWith('.d.ts')) visit(path, []);
  });

  it('contain all files of src except the worker', () => {
    expect(sources.filter((path) => !path.includes('/'))).toEqual(['worker.ts']);
  });
});

describe('sources', () => {
  it('read the environment only where processes begin', () => {
    const readers = sources.filter((path) => read(`src/${path}`).includes('process.env'));
    expect(readers.every((path) => /^(worker\.ts|cli\/|embedded\/)/.test(path))).toBe(true);
  });

  it('of the domain read no clock: they create a Date only from a given moment', () => {
    const asking = sources.filter(
      (path) => path.startsWith('domain/') && /\bDate\(\)|\bnew Date(?!\()/.test(read(`src/${path}`)),
    );
    expect(asking).toEqual([]);
  });

  it('open only connections that can be closed while calls are in flight', () => {
    const all = ['src', 'test', 'bench', 'scripts', 'examples'].flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((path) => /\.m?ts$|\.mjs$/.test(path) && !path.includes('node_modules'))
        .map((path) => `${folder}/${path}`),
    );
    const opening = all.filter((path) => /(?<![A-Za-z])Connection\.(connect|lazy)\(/.test(read(path)));
    expect(opening).toEqual([]);
  });

  it('begin with a sentence about their purpose', () => {
    for (const path of sources)
      expect(read(`src/${path}`)).toMatch(/^(#!.*\n)?(\/\*\*|\/\/) ?\S|^(#!.*\n)?\/\*\*\n \* \S/);
  });

  it('of workflows do not contain zod in the bundle', () => {
    expect(existsSync(join(root, 'dist/workflow-bundle.js'))).toBe(true);
    expect(read('dist/workflow-bundle.js')).not.toMatch(/node_modules\/zod/);
  });
});
