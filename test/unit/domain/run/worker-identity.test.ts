import { describe, expect, it } from 'vitest';
import { otherProjects, workerIdentity } from '../../../../src/domain/run/worker-identity.js';

const NOW = 1_000_000;
const poller = (project: string, agoMs = 1_000) => ({
  identity: workerIdentity(42, 'host', project),
  lastAccessAtMs: NOW - agoMs,
});

describe('the other projects on a task queue', () => {
  it('are named by the identities of their workers, each once', () => {
    const pollers = [poller('b'), poller('own'), poller('a'), poller('b')];
    expect(otherProjects(pollers, 'own', NOW)).toEqual(['a', 'b']);
  });

  it('do not count once their workers have stopped polling', () => {
    expect(otherProjects([poller('stopped', 80_000), poller('here', 70_000)], 'own', NOW)).toEqual(['here']);
  });

  it('are not known of workers that do not say', () => {
    expect(otherProjects([{ identity: '42@host', lastAccessAtMs: NOW }], 'own', NOW)).toEqual([]);
  });
});
