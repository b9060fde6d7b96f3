/**
 * Carries out the steps of the Dockerfile in a temporary folder, for machines without a container engine, and tries what comes out: the command line
 * answers, and the worker starts far enough to say what is not configured. Prints the sizes.
 *
 *     node scripts/image-steps.mjs
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'image-'));
const steps = readFileSync(join(repository, 'Dockerfile'), 'utf8')
  .replaceAll(/^#.*\n/gm, '')
  .replaceAll(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line !== '');

/** A stage: its files are below `root`. */
const stages = new Map();
let stage = { root: '', workdir: '/' };

const CARRY_OUT = {
  FROM(text) {
    const [image = '', , name = 'image'] = text.split(' ');
    if (image !== `node:${process.versions.node.split('.')[0]}-bookworm-slim`)
      console.log(`${image}: its steps are carried out by Node ${process.versions.node} here`);
    stage = { root: join(folder, name), workdir: '/' };
    stages.set(name, stage);
    mkdirSync(stage.root);
  },
  WORKDIR(text) {
    stage.workdir = text;
    mkdirSync(join(stage.root, text), { recursive: true });
  },
  COPY(text) {
    const words = text.split(' ');
    const from = words[0]?.startsWith('--from=') ? stages.get(words.shift().slice(7)).root : repository;
    const target = join(stage.root, stage.workdir, words.pop());
    for (const source of words) {
      const isInto = target.endsWith('/') || words.length > 1;
      cpSync(join(from, source), isInto ? join(target, basename(source)) : join(target), { recursive: true });
    }
  },
  RUN(text) {
    const command = text.replaceAll(/(?<= )\/srv\//g, `${stage.root}/srv/`);
    execFileSync('sh', ['-ec', command], {
      cwd: join(stage.root, stage.workdir),
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  },
  ENV() {},
  USER() {},
  CMD() {},
};

function megabytes(path) {
  const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const bytes = files.reduce((sum, { parentPath, name }) => sum + lstatSync(join(parentPath, name)).size, 0);
  return `${Math.round(bytes / 1e6)} MB`;
}

function tryIt(args, status) {
  const ended = spawnSync(process.execPath, args, { cwd: join(stage.root, '/app'), env: {}, encoding: 'utf8' });
  const answer = `${ended.stdout}${ended.stderr}`.trim().split('\n')[0];
  if (ended.status !== status) throw new Error(`node ${args.join(' ')} ended with ${ended.status}: ${ended.stderr}`);
  console.log(`node ${args.join(' ')}: ${status}, ${answer}`);
}

try {
  for (const step of steps) {
    const [, verb = '', text = ''] = /^(\w+) (.*)$/.exec(step) ?? [];
    CARRY_OUT[verb](text);
  }
  tryIt(['dist/cli/main.js', '--version'], 0);
  tryIt(['dist/worker.js'], 2);
  for (const part of ['app/node_modules', 'app/dist', ''])
    console.log(`/${part}: ${megabytes(join(stage.root, part))}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
