// Keeps the workflow bundle of this build as that of the last release: part of cutting one. `test/replay/released-bundle.test.ts` replays with it
// what the newer code records. Needs `npm run build` first.
import { readFile, writeFile } from 'node:fs/promises';
import { brotliCompressSync } from 'node:zlib';

const code = await readFile(new URL('../dist/workflow-bundle.js', import.meta.url), 'utf8');
const end = code.lastIndexOf('//# sourceMappingURL=');
// The source map is two thirds of it. Workers refuse a bundle without one, and take an empty one.
const emptyMap = { version: 3, file: 'released-workflow-bundle.js', sources: [], mappings: '' };
const map = Buffer.from(JSON.stringify(emptyMap)).toString('base64');
const recorded = `${code.slice(0, end)}//# sourceMappingURL=data:application/json;base64,${map}`;
const file = new URL('../test/replay/released-workflow-bundle.js.br', import.meta.url);
await writeFile(file, brotliCompressSync(recorded));
