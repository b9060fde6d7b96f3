// Writes what is made from code and from the catalogue: the JSON Schema of runbooks, the tables in docs/, the types of inputs. With --check: lists what is stale and exits 1.
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import { z } from 'zod';
import { figureRows, sizeRows, workerRows } from './worker-table.mjs';

const at = (path) => new URL(`../${path}`, import.meta.url);
const load = (path) => import(at(`dist/${path}`).href);
const [
  { Runbook },
  { RUNBOOK_CHECKS },
  { FAILURES },
  { EXIT_CODES },
  { OTHER_EXIT_CODES },
  { ACTIONS },
  { configVariables },
  { ScheduleFile },
  { AlarmsFile },
  { NotificationsFile },
  { DECISIONS },
  { listRunbooks },
  { GATEWAY_METRICS, WORKER_METRICS },
  { workerSizes },
] = await Promise.all([
  load('domain/runbook/runbook.js'),
  load('domain/runbook/runbook-checks.js'),
  load('domain/failures.js'),
  load('domain/report/report.js'),
  load('cli/output.js'),
  load('domain/target/actions.js'),
  load('config/variables.js'),
  load('schedules/schedule-file.js'),
  load('gateway/alarms-file/schema.js'),
  load('notifications/webhooks-file.js'),
  load('domain/alarms/alarm.js'),
  load('runbooks/catalogue.js'),
  load('metrics/table.js'),
  load('config/worker-sizes.js'),
]);

// Made by driving the once machine, once dist is there.
const [{ answerTable, entryTable, interruptionTable }, { actingDiagram, endingHead, endingTable, settlingDiagram }] =
  await Promise.all([import('./once-tables.mjs'), import('./once-diagram.mjs')]);
const before = ['nothing was sent before (proved)', 'something may have been sent before'];

// Measured by the benches.
const baseline = JSON.parse(await readFile(at('bench/baseline.json'), 'utf8'));

const tables = {
  'once-entry': table(['reading', ...before], entryTable),
  'once-answers': table(['answer to the POST', ...before], answerTable),
  'once-interruptions': table(
    ['phase', 'an operator cancels', 'the worker stops, or the activity is paused or reset', 'it is superseded'],
    interruptionTable,
  ),
  'once-endings': table(endingHead, endingTable),
  'once-acting': actingDiagram,
  'once-settling': settlingDiagram,
  variables: table(
    ['variable', 'value', 'default', 'meaning'],
    configVariables.map(({ name, form, default: byDefault, meaning, secret, fromFile }) => [
      `\`${name}\``,
      form,
      byDefault,
      `${meaning}${secret ? '. Secret' : ''}${fromFile ? '; may come from a file, with `_FILE`' : ''}`,
    ]),
  ),
  failures: table(
    ['failure', 'when', 'tried again?', 'who acts next', 'what to do'],
    Object.entries(FAILURES).map(([name, { when, retryable, whoActsNext, advice }]) => [
      `\`${name}\``,
      when,
      retryable ? 'yes' : 'no',
      whoActsNext,
      advice,
    ]),
  ),
  'exit-codes': table(
    ['code', 'meaning'],
    Object.entries({ ...EXIT_CODES, ...OTHER_EXIT_CODES })
      .sort(([, left], [, right]) => left - right)
      .map(([meaning, code]) => [String(code), meaning]),
  ),
  actions: table(
    ['action', 'parameters', 'desired state', 'undone by', 'step deadline'],
    Object.entries(ACTIONS).map(([name, rule]) => [
      `\`${name}\``,
      Object.entries(rule.parameters)
        .map(([key, { type, required }]) => `\`${key}\` (${type}${required ? '' : ', optional'})`)
        .join(', ') || 'none',
      rule.desiredState({ action: name, replica: 'n', version: 'v' }),
      rule.reversal === 'inverse'
        ? rule.inverses.join(', ')
        : rule.reversal === 'self'
          ? 'nothing owed: ends as it began'
          : `nothing: ${rule.irreversibleBecause}`,
      `${rule.deadlineMs / 60_000}m`,
    ]),
  ),
  'worker-metrics': metricsTable(WORKER_METRICS),
  'gateway-metrics': metricsTable(GATEWAY_METRICS),
  'workers-for-runs': table(
    [
      'runs a day',
      'open at once',
      'a cloud job',
      'workers',
      'calls a second',
      'budget of each',
      'actions of a run',
      'actions a month',
      'what fills first',
    ],
    workerRows(workerSizes, baseline),
  ),
  'workers-for-runs-figures': table(['figure', 'value', 'measured by'], figureRows(baseline)),
  'worker-sizes': table(['memory', 'heap limit', 'cached workflows', 'steps at once'], sizeRows(workerSizes)),
  decisions: table(
    ['decision', 'meaning'],
    Object.entries(DECISIONS).map(([kind, meaning]) => [`\`${kind}\``, meaning]),
  ),
  checks: table(
    ['code', 'what is proved'],
    Object.entries(RUNBOOK_CHECKS).map(([code, meaning]) => [`\`${code}\``, meaning]),
  ),
};

const PAGES = [
  'once-machine',
  'configuration',
  'failures',
  'alarms-reference',
  'runbook-reference',
  'monitoring',
  'performance',
].map((name) => `docs/${name}.md`);

const placed = new Set();
const outputs = [
  ['runbooks/runbook.schema.json', schemaText('A servicestage-runbooks runbook', Runbook)],
  ['runbooks/schedules.schema.json', schemaText('A servicestage-runbooks schedule file', ScheduleFile)],
  ['runbooks/alarms.schema.json', schemaText('A servicestage-runbooks alarms file', AlarmsFile)],
  ['runbooks/notifications.schema.json', schemaText('A servicestage-runbooks notifications file', NotificationsFile)],
  ['.env.example', environmentExample()],
  ...(await Promise.all(PAGES.map(async (path) => [path, await withTables(path)]))),
  ['src/client/catalogue-inputs.ts', await catalogueInputs()],
];

const lost = Object.keys(tables).filter((name) => !placed.has(name));
if (lost.length > 0) throw new Error(`No page has a place for: ${lost.join(', ')}`);

const stale = [];
for (const [path, text] of outputs) {
  const current = await readFile(at(path), 'utf8').catch(() => '');
  if (current === text) continue;
  stale.push(path);
  if (!process.argv.includes('--check')) await writeFile(at(path), text);
}
if (stale.length > 0)
  console.log(`${process.argv.includes('--check') ? 'Stale, run `npm run generate`' : 'Written'}: ${stale.join(', ')}`);
if (stale.length > 0 && process.argv.includes('--check')) process.exitCode = 1;

/** What editors complete and check against. */
function schemaText(title, shape) {
  return `${JSON.stringify({ title, ...z.toJSONSchema(shape, { target: 'draft-7', io: 'input' }) }, null, 2)}\n`;
}

/** The document with every marked table generated again, formatted like the rest of the repository. */
async function withTables(path) {
  let text = await readFile(at(path), 'utf8');
  for (const [name, rows] of Object.entries(tables)) {
    const block = new RegExp(`(<!-- generated:${name} -->)[\\s\\S]*?(<!-- /generated:${name} -->)`);
    text = text.replace(block, (_match, before, after) => {
      placed.add(name);
      return `${before}\n\n${rows}\n\n${after}`;
    });
  }
  return format(text, { parser: 'markdown', filepath: fileURLToPath(at(path)), singleQuote: true, printWidth: 120 });
}

function metricsTable(metrics) {
  return table(
    ['metric', 'type', 'labels', 'meaning'],
    Object.entries(metrics).map(([name, { type, labels, help }]) => [
      `\`${name}\``,
      type,
      labels.map((label) => `\`${label}\``).join(', '),
      help,
    ]),
  );
}

function table(head, rows) {
  const line = (cells) => `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Every variable as a comment, to be copied to `.env` and filled in: `node --env-file`, `docker run --env-file` and compose read it. */
function environmentExample() {
  const entries = configVariables.map(({ name, form, default: byDefault, meaning, secret }) =>
    [
      `# ${meaning.replaceAll('`', '').replaceAll(/\*(\w+)\*/g, '$1')}${secret ? '. Secret' : ''}`,
      `# Value: ${form}${byDefault === '' ? '' : `; default: ${byDefault}`}`,
      `#${name}=`,
    ].join('\n'),
  );
  return `# Made by \`npm run generate\` from src/config/variables.ts. Copy it to .env and set what you need.\n\n${entries.join('\n\n')}\n`;
}

/** The inputs of the built-in runbooks, as the types that `RunbookClient` checks a start by. */
async function catalogueInputs() {
  const { runbooks, problems } = await listRunbooks([]);
  if (problems.length > 0) throw new Error(`The catalogue does not load: ${JSON.stringify(problems)}`);
  const entries = runbooks.map(({ name, title, runbook }) => {
    const inputs = Object.entries(runbook.inputs);
    const type = inputs.length === 0 ? 'Record<string, never>' : `{ ${inputs.map(inputProperty).join('\n')} }`;
    return `/** ${docText(title)}. */\n${JSON.stringify(name)}: ${type};`;
  });
  const head = '/** Inputs of the built-in runbooks, by name. Generated from runbooks/*.yaml: `npm run generate`. */';
  const text = `${head}\nexport interface CatalogueInputs {\n${entries.join('\n')}\n}\n`;
  return format(text, { parser: 'typescript', singleQuote: true, printWidth: 120, trailingComma: 'all' });
}

function inputProperty([name, input]) {
  const byDefault = input.default === undefined ? '' : `Default \`${input.default}\`.`;
  const doc = docText([input.description ? `${input.description}.` : '', byDefault].filter(Boolean).join(' '));
  const optional = input.default !== undefined;
  const type = `${typeOfInput(input)}${optional ? ' | undefined' : ''}`;
  return `${doc === '' ? '' : `/** ${doc} */\n`}readonly ${name}${optional ? '?' : ''}: ${type};`;
}

function typeOfInput({ type, enum: values }) {
  if (values !== undefined) return values.map((value) => JSON.stringify(value)).join(' | ');
  const types = { string: 'string', duration: 'string', integer: 'number', boolean: 'boolean' };
  if (types[type] === undefined) throw new Error(`What is an input of type "${type}" in TypeScript? Say it here`);
  return types[type];
}

function docText(text) {
  return text.replaceAll('*/', '*\\/').replaceAll(/\s+/g, ' ').trim();
}
