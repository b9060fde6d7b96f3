/** Every export of `src` has a doc comment. `npm run lint:docs` lists those that have none, and exits with 1 if there are any. */
import { readdirSync, readFileSync } from 'node:fs';

const EXPORT =
  /^export (?:declare )?(?:abstract )?(?:async )?(?:const|let|function\*?|class|interface|type|enum) (\w+)/;

/** A type and a value of one name count once: one doc comment serves both, as it does for a zod schema and its type. */
function exportsOf(path) {
  const lines = readFileSync(path, 'utf8').split('\n');
  const found = new Map();
  for (const [index, line] of lines.entries()) {
    const name = EXPORT.exec(line)?.[1];
    if (name === undefined) continue;
    const documented = lines[index - 1]?.trimEnd().endsWith('*/') ?? false;
    const before = found.get(name);
    found.set(name, {
      path,
      line: before?.line ?? index + 1,
      name,
      documented: documented || before?.documented === true,
    });
  }
  return [...found.values()];
}

const paths = readdirSync('src', { recursive: true }).map((path) => `src/${path.replaceAll('\\', '/')}`);
const all = paths
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
  .sort()
  .flatMap(exportsOf);
const missing = all.filter(({ documented }) => !documented);
for (const { path, line, name } of missing) console.error(`${path}:${line}  ${name} has no doc comment`);
console.log(`${all.length - missing.length} of ${all.length} exports in src have a doc comment`);
process.exitCode = missing.length === 0 ? 0 : 1;
