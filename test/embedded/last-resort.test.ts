/** A process whose pool of threads hangs ends all the same. Each thread opens a named pipe in the way that waits for a writer. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { startSimulator, type RunningSimulator } from '../../src/simulator/server.js';
import { useTemporal } from '../support/temporal.js';
import { startWorkerProcess } from '../support/worker-process.js';

const dist = new URL('../../dist/', import.meta.url);
const temporal = useTemporal();
let simulator: RunningSimulator;
let folder = '';
let pipe = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'last-resort-'));
  pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  simulator = await startSimulator({ world: 'demo' });
});
afterAll(async () => {
  await simulator.close();
  await rm(folder, { recursive: true });
});

const HANG = `import { open } from 'node:fs/promises';
for (let thread = 0; thread < 2; thread++) void open(process.env.PIPE, 'r');`;

function program(code: string): ChildProcess {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], {
    env: { ...process.env, PIPE: pipe },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

async function linesUntilTheEnd(child: ChildProcess): Promise<{ lines: string[]; signal: string | null }> {
  const lines: string[] = [];
  if (child.stdout === null) throw new Error('it has no output');
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    if (line === 'ready') child.kill('SIGTERM');
  });
  return new Promise((resolve) => child.once('close', (_code, signal) => resolve({ lines, signal })));
}

it('ends after its limit when asked to stop, and reports what kept it running', async () => {
  const code = `${HANG}
    import { endWithin } from ${JSON.stringify(new URL('files/last-resort.js', dist).href)};
    endWithin(50, (hanging) => console.log(JSON.stringify(hanging)));
    console.log('ready');`;
  const { lines, signal } = await linesUntilTheEnd(program(code));
  expect(signal).toBe('SIGKILL');
  expect(JSON.parse(lines[1] ?? '')).toMatchObject({ folders: [], waitsFor: { FSReqPromise: 2 } });
});

it('ends at once when only a file is left', async () => {
  const code = `
    import { open } from 'node:fs/promises';
    import { fileAccess } from ${JSON.stringify(new URL('files/file-access.js', dist).href)};
    import { endUnlessAnswered } from ${JSON.stringify(new URL('files/last-resort.js', dist).href)};
    await fileAccess.run('/nfs', 1, () => open(process.env.PIPE, 'r')).catch(() => undefined);
    endUnlessAnswered(({ folders }) => console.log(...folders));`;
  expect(await linesUntilTheEnd(program(code))).toEqual({ lines: ['/nfs'], signal: 'SIGKILL' });
});

it('is a worker too: it stops its work, and then itself', async () => {
  const worker = await startWorkerProcess({
    address: temporal.address,
    taskQueue: temporal.taskQueue,
    simulator,
    env: { PIPE: pipe },
    program: fileURLToPath(new URL('hanging-worker.mjs', import.meta.url)),
  });
  const stopped = worker.nextLine((line) => line.includes('worker stopped'));
  const forced = worker.nextLine((line) => line.includes('ended by force'));
  await worker.kill('SIGTERM');
  await stopped;
  expect(JSON.parse(await forced)).toMatchObject({ waitsFor: { FSReqPromise: 2 } });
});
