/** Files that somebody else replaces: what counts after each change, on a clock and a disk of the test's own. */
import { expect, it, onTestFinished, vi } from 'vitest';
import { FileError } from '../../../src/files/file-access.js';
import { FollowedFiles, type FollowedNotice, type Texts } from '../../../src/files/followed-files.js';

interface Followed {
  /** Runs before each read of a file: what happens meanwhile. */
  readonly onRead?: (path: string) => void;
  /** `own`: that of the process. Default: one that the test sets. */
  readonly clock?: 'own';
}

function followed(first: Texts, { onRead = () => {}, clock: whose }: Followed = {}) {
  const clock = { nowMs: 1_000_000 };
  const disk = new Map(Object.entries(first).map(([name, text]) => [`/secrets/${name}`, text]));
  const notices: FollowedNotice[] = [];
  const reads: string[] = [];
  const files = new FollowedFiles(first, {
    paths: Object.fromEntries(Object.keys(first).map((name) => [name, `/secrets/${name}`])),
    problemOf: (_name, text) => (text.includes('\n') ? 'contains a line break' : null),
    report: (notice) => notices.push(notice),
    ...(whose === 'own' ? {} : { nowMs: () => clock.nowMs }),
    read: (path) => {
      onRead(path);
      reads.push(path);
      const text = disk.get(path);
      if (text === undefined) throw new FileError('missing', 'does not exist');
      return text;
    },
  });
  return { files, clock, disk, notices, reads };
}

it('a file is read at most once a second, at the time of use', () => {
  const { files, clock, disk, reads, notices } = followed({ key: 'old' });
  disk.set('/secrets/key', 'new');
  clock.nowMs += 999;
  expect([files.current(), reads.length]).toEqual([{ key: 'old' }, 0]);
  clock.nowMs += 1;
  expect(files.current()).toEqual({ key: 'new' });
  expect(notices).toEqual([{ kind: 'changed', names: ['key'] }]);
  // The second reading was the proof that it is whole; after that the file has the text that counts.
  clock.nowMs += 1_000;
  files.current();
  expect(reads).toHaveLength(3);
});

it.each([-3_600_000, 3_600_000])('a clock of the machine that is set by %i ms changes no duration', (jumpMs) => {
  vi.useFakeTimers({ toFake: ['Date', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const { files, disk, reads } = followed({ ak: 'ak-1', sk: 'sk-1' }, { clock: 'own' });
  disk.set('/secrets/ak', 'ak-2');
  const passes = (ms: number) => {
    vi.advanceTimersByTime(ms);
    return files.current()['ak'];
  };
  expect(passes(1_000)).toBe('ak-1');
  const readsBefore = reads.length;
  vi.setSystemTime(Date.now() + jumpMs);
  expect([passes(999), reads.length]).toEqual(['ak-1', readsBefore]);
  expect(passes(1)).toBe('ak-1');
  expect(reads.length).toBeGreaterThan(readsBefore);
  expect([passes(28_999), passes(1)]).toEqual(['ak-1', 'ak-1']);
  expect(passes(1_000)).toBe('ak-2');
});

it.each<[string, (disk: Map<string, string>) => void, string]>([
  ['vanishes', (disk) => disk.delete('/secrets/key'), 'does not exist'],
  ['is empty', (disk) => disk.set('/secrets/key', ''), 'is empty'],
  ['holds what cannot be used', (disk) => disk.set('/secrets/key', 'a\nb'), 'contains a line break'],
])('a file that %s keeps the last good text, which is reported once', (_name, spoil, why) => {
  const { files, clock, disk, notices } = followed({ key: 'good' });
  spoil(disk);
  for (let check = 0; check < 3; check++) {
    clock.nowMs += 1_000;
    expect(files.current()).toEqual({ key: 'good' });
  }
  expect(notices).toEqual([{ kind: 'kept', name: 'key', why }]);
  disk.set('/secrets/key', 'better');
  clock.nowMs += 1_000;
  expect(files.current()).toEqual({ key: 'better' });
  // After a recovery the same trouble is news again.
  spoil(disk);
  clock.nowMs += 1_000;
  files.current();
  expect(notices).toHaveLength(3);
});

it('a file that can be read again as it was is reported once, as the end of its trouble', () => {
  const { files, clock, disk, notices } = followed({ ak: 'ak-1', sk: 'sk-1' });
  disk.delete('/secrets/sk');
  clock.nowMs += 1_000;
  files.current();
  disk.set('/secrets/sk', 'sk-1');
  for (let check = 0; check < 2; check++) {
    clock.nowMs += 1_000;
    expect(files.current()).toEqual({ ak: 'ak-1', sk: 'sk-1' });
  }
  expect(notices).toEqual([
    { kind: 'kept', name: 'sk', why: 'does not exist' },
    { kind: 'readAgain', names: ['ak', 'sk'] },
  ]);
});

it('files that belong together never mix, whichever of them is read when they are swapped', () => {
  for (const swapAt of [1, 2, 3, 4, 5, 6]) {
    let read = 0;
    const onRead = () => {
      if (++read === swapAt) for (const name of ['ak', 'sk', 'token']) setup.disk.set(`/secrets/${name}`, `${name}-2`);
    };
    const setup = followed({ ak: 'ak-1', sk: 'sk-1', token: 'token-1' }, { onRead });
    const [old, other] = [1, 2].map((n) => ({ ak: `ak-${n}`, sk: `sk-${n}`, token: `token-${n}` }));
    setup.clock.nowMs += 1_000;
    expect([old, other]).toContainEqual(setup.files.current());
    expect(setup.files.readAgain()).toEqual(other);
  }
});

it('a group keeps all of its texts while one of its files is missing', () => {
  const { files, clock, disk } = followed({ ak: 'ak-1', sk: 'sk-1' });
  disk.set('/secrets/ak', 'ak-2');
  disk.delete('/secrets/sk');
  clock.nowMs += 1_000;
  expect(files.current()).toEqual({ ak: 'ak-1', sk: 'sk-1' });
});

it('a file that changes with every reading is not believed', () => {
  let read = 0;
  const onRead = () => void setup.disk.set('/secrets/key', `draft-${++read}`);
  const setup = followed({ key: 'old' }, { onRead });
  setup.clock.nowMs += 1_000;
  expect(setup.files.current()).toEqual({ key: 'old' });
  expect(setup.notices).toEqual([{ kind: 'kept', name: 'key', why: 'changes while it is read' }]);
});

it('a group whose files are replaced one after the other changes once, as a whole', () => {
  const { files, clock, disk, notices } = followed({ ak: 'ak-1', sk: 'sk-1' });
  disk.set('/secrets/ak', 'ak-2');
  for (let second = 0; second < 10; second++) {
    clock.nowMs += 1_000;
    expect(files.current()).toEqual({ ak: 'ak-1', sk: 'sk-1' });
    expect(files.readAgain()).toEqual({ ak: 'ak-1', sk: 'sk-1' });
  }
  disk.set('/secrets/sk', 'sk-2');
  clock.nowMs += 1_000;
  expect(files.current()).toEqual({ ak: 'ak-2', sk: 'sk-2' });
  const why = 'has changed, and those that belong to it have not yet (sk)';
  expect(notices).toEqual([
    { kind: 'kept', name: 'ak', why },
    { kind: 'changed', names: ['ak', 'sk'] },
  ]);
});

it('one file of a group that was corrected alone counts after half a minute', () => {
  const { files, clock, disk } = followed({ ak: 'ak-1', sk: 'mistyped' });
  const correct = (text: string) => {
    disk.set('/secrets/sk', text);
    clock.nowMs += 1_000;
    expect(files.current()['sk']).not.toBe(text);
    clock.nowMs += 29_000;
    expect(files.current()['sk']).not.toBe(text);
    clock.nowMs += 1_000;
    expect(files.current()['sk']).toBe(text);
  };
  correct('mistyped too');
  // The next change alone has to wait as long.
  correct('right');
});

it('the rest of a group counts at once after a part of it has begun to count alone', () => {
  const { files, clock, disk } = followed({ ak: 'ak-1', sk: 'sk-1' });
  disk.set('/secrets/ak', 'ak-2');
  files.readAgain();
  clock.nowMs += 30_000;
  // Too slow for one replacement: this may as well be a correction.
  expect(files.current()).toEqual({ ak: 'ak-2', sk: 'sk-1' });
  clock.nowMs += 60_000;
  disk.set('/secrets/sk', 'sk-2');
  expect(files.current()).toEqual({ ak: 'ak-2', sk: 'sk-2' });
  // It is whole: the next part alone waits again.
  disk.set('/secrets/ak', 'ak-3');
  expect(files.readAgain()).toEqual({ ak: 'ak-2', sk: 'sk-2' });
});

it('long after a correction of one file the others are parts of another replacement', () => {
  const { files, clock, disk } = followed({ ak: 'ak-1', sk: 'mistyped' });
  disk.set('/secrets/sk', 'sk-1');
  files.readAgain();
  clock.nowMs += 30_000;
  expect(files.current()).toEqual({ ak: 'ak-1', sk: 'sk-1' });
  clock.nowMs += 600_000;
  disk.set('/secrets/ak', 'ak-2');
  expect(files.current()).toEqual({ ak: 'ak-1', sk: 'sk-1' });
  disk.set('/secrets/sk', 'sk-2');
  expect(files.readAgain()).toEqual({ ak: 'ak-2', sk: 'sk-2' });
});

it('a group of three that is replaced very slowly waits for no file that has changed already', () => {
  const { files, clock, disk } = followed({ ak: 'ak-1', sk: 'sk-1', token: 'token-1' });
  for (const name of ['ak', 'sk']) {
    disk.set(`/secrets/${name}`, `${name}-2`);
    files.readAgain();
    clock.nowMs += 30_000;
    expect(files.current()[name]).toBe(`${name}-2`);
  }
  disk.set('/secrets/token', 'token-2');
  expect(files.readAgain()).toEqual({ ak: 'ak-2', sk: 'sk-2', token: 'token-2' });
});
