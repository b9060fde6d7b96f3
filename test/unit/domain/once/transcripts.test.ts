/**
 * Stories of the once-only protocol as transcripts: what happens, and how the machine reacts.
 * `npm run transcripts -- -u` rewrites the output of the machine; transcripts/README.md explains the format.
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
