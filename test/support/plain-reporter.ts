/** Prints what failed and the plain closing line `N passed, N failed`, which vitest's own reporters do not have. */
import { relative } from 'node:path';
import type { Reporter, SerializedError, TestCase, TestModule, TestSuite } from 'vitest/node';

/** More are a whole file that was skipped, or a filter of tests by name. */
const MOST_NAMED = 30;

export default class PlainReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const lines = closingLines(modules, unhandledErrors);
    // On exit, so that nothing is printed after it.
    process.on('exit', () => process.stdout.write(`\n${lines.join('\n')}\n`));
  }
}

/** One line for each test that failed, and for each error outside any test; last the plain line that counts all of them. */
export function closingLines(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): string[] {
  const tests = modules.flatMap(({ children }) => [...children.allTests()]);
  // A skipped or unfinished test proves nothing, so it counts against the run.
  const failed = tests.filter((test) => test.result().state !== 'passed');
  const groups = modules.flatMap((module) => [module, ...module.children.allSuites()]);
  const lines = [
    ...failed.map((test) => `Failed: ${nameOf(test)}`),
    ...groups.flatMap((group) =>
      group.errors().map((error) => `Failed outside any test: ${described(error)}, in ${nameOf(group)}`),
    ),
    ...unhandledErrors.map((error) => `Failed outside any test: ${described(error)}, while ${origin(error)} ran`),
  ];
  const shown = lines.slice(0, MOST_NAMED);
  if (lines.length > MOST_NAMED) shown.push(`and ${lines.length - MOST_NAMED} more, which failed or did not run`);
  return [...shown, `${tests.length - failed.length} passed, ${lines.length} failed`];
}

function nameOf(entity: TestModule | TestSuite | TestCase): string {
  if (entity.type === 'module') return entity.relativeModuleId;
  return `${entity.module.relativeModuleId} > ${entity.fullName}`;
}

function described({ name = 'Error', message }: SerializedError): string {
  return `${name}: ${message.split('\n')[0]}`;
}

/** Vitest notes the test file that ran when a promise was rejected. */
function origin(error: SerializedError): string {
  const path: unknown = error['VITEST_TEST_PATH'];
  return typeof path === 'string' ? relative(process.cwd(), path) : 'no test file';
}
