/**
 * Stories of the once-only protocol as transcripts: what happens, and what the machine does about it. `npm run transcripts -- -u` writes
 * anew what the machine does; transcripts/README.md says how to read and to write one.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { playTranscript } from './transcript-player.js';

const folder = fileURLToPath(new URL('transcripts/', import.meta.url));
const names = readdirSync(folder).filter((name) => name.endsWith('.txt'));

describe('a transcript', () => {
  it.each(names)('%s', async (name) => {
    const path = `${folder}${name}`;
    await expect(playTranscript(readFileSync(path, 'utf8'))).toMatchFileSnapshot(path);
  });
});
