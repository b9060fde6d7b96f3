/** Every entrance refuses the same text: the client, the command line, schedule files and the worker. */
import { describe, expect, it } from 'vitest';
import { readInputs, readStartArguments } from '../../../../src/domain/plan/start-arguments.js';
import { parseRunbook } from '../../../../src/runbooks/catalogue.js';
import { InvalidRequest, InvalidRunId } from '../../../../src/temporal/errors.js';
import { RunbookClient } from '../../../../src/client/runbook-client.js';
import { unprintableWords } from '../../../../src/domain/plan/caller-text.js';
import { CommandError } from '../../../../src/cli/output.js';
import { requestFrom } from '../../../../src/cli/run-request.js';
import type { Runbook } from '../../../../src/domain/runbook/runbook.js';
import { hasControlCharacters } from '../../../../src/domain/text/text.js';

const target = 'shop/checkout/prod-1';
const BAD = ['a\nSUCCEEDED', '\u001b[2J', '\u0007', 'a\u202eb', 'a\u200bb', '\u009b1A', 'tab\there'];
const inputsRunbook = parseRunbook(
  "name: x\ntitle: t\ninputs:\n  version: { type: string }\nsteps:\n  - action: rollback\n    with: { version: '${{ inputs.version }}' }\n    compensation: { irreversible: y }\n",
  'x.yaml',
) as Runbook;

describe.each(BAD)('the text %j', (bad) => {
  it('is refused by the worker, in a reason, a requester, a target, a calendar, an input', () => {
    const { problems } = readStartArguments({ targets: [`a/b/${bad}`], reason: bad, requestedBy: bad, freeze: [bad] });
    expect(problems.map(({ place }) => place)).toEqual(['targets.0', 'requestedBy', 'reason', 'freeze.0']);
    expect(readInputs(inputsRunbook, { version: bad }).problems.map(({ place }) => place)).toEqual(['inputs.version']);
  });

  it('is refused by the client before anything is sent, with its place', async () => {
    await using runbooks = RunbookClient.lazy({ address: '127.0.0.1:9' });
    const request = { targets: [target], reason: bad, inputs: { deep: [{ [bad]: bad }] } };
    for (const ask of [
      () => runbooks.start('restart', request as never),
      () => runbooks.plan('restart', request as never),
    ]) {
      const error: unknown = await ask().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(InvalidRequest);
      const { problems, message } = error as InvalidRequest;
      expect(problems.map(({ place }) => place.replace(/^(inputs\.deep\.0\.).*/, '$1*'))).toEqual([
        ...['reason', 'inputs.deep.0.*', 'inputs.deep.0.*'],
      ]);
      expect(message.split('\n').filter(hasControlCharacters)).toEqual([]);
    }
    await expect(runbooks.start(bad, { targets: [target], id: 'x' })).rejects.toThrow(InvalidRequest);
    await expect(runbooks.start('restart', { targets: [target], id: bad })).rejects.toThrow(InvalidRunId);
  });

  it('is refused on the command line', async () => {
    const asked = requestFrom({ target: [target], reason: bad, input: [`version=${bad}`] });
    const error = (await asked.catch((thrown: unknown) => thrown)) as CommandError;
    expect(error.problems.map(({ place }) => place.split(' ')[0])).toEqual(['--reason', '--input']);
  });
});

it('ordinary text of every language is accepted', () => {
  const words = ['Größe über 90 %', 'ディスクが一杯', 'قرص ممتلئ', '👩‍🚒 on call ⚠️', "it's 3:10"];
  expect(unprintableWords({ targets: [target], reason: words, inputs: { words } })).toEqual([]);
  for (const reason of words) expect(readStartArguments({ targets: [target], reason }).problems).toEqual([]);
});
