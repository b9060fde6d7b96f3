// The worker as an embedder would start it with a payload codec of their own.
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { slowCodec } from './slow-codec.mjs';

const { main } = await import(pathToFileURL(join(process.env.CHAOS_DIST, 'worker.js')).href);
delete process.env.CHAOS_DIST;
process.exitCode = await main(process.env, { dataConverter: { payloadCodecs: [slowCodec] } });
