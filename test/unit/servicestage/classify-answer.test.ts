/** What each answer proves: every row of the table in `protocol`, every documented error body, every throttle text. */
import { describe, expect, it } from 'vitest';
import { errorFromAnswer, errorWithoutAnswer, type Answer } from '../../../src/servicestage/classify-answer.js';

const PATH = '/v2/project/cas/jobs/JOB1';

function answerOf(httpStatus: number, body: unknown, headers: Answer['headers'] = {}): Answer {
  return { httpStatus, headers, body: typeof body === 'string' ? body : JSON.stringify(body) };
}

function classified(method: 'GET' | 'POST', status: number, code?: string, text = 'text'): string {
  const body = code === undefined ? '<html>Bad Gateway</html>' : { error_code: code, error_msg: text };
  const error = errorFromAnswer({ method, path: PATH }, answerOf(status, body));
  return `${error.code} ${error.sent}`;
}

describe.each(['APIGW', 'APIG'])('the gateway code %s', (prefix) => {
  it.each([
    [404, '0101', 'Unreachable no'],
    [500, '0103', 'Unreachable no'],
    [404, '0103', 'Unreachable no'],
    [400, '0104', 'Unreachable no'],
    [400, '0105', 'Unreachable no'],
    [401, '0301', 'NotAllowed no'],
    [403, '0302', 'NotAllowed no'],
    [401, '0303', 'NotAllowed no'],
    [401, '0305', 'NotAllowed no'],
    [403, '0306', 'NotAllowed no'],
    [401, '0307', 'TokenExpired no'],
    [429, '0308', 'Throttled no'],
    [403, '0310', 'NotAllowed no'],
    [503, '0613', 'Unreachable no'],
    [403, '0802', 'NotAllowed no'],
  ])('%i .%s proves that a POST or a read did not reach ServiceStage', (status, number, expected) => {
    expect(classified('POST', status, `${prefix}.${number}`)).toBe(expected);
    expect(classified('GET', status, `${prefix}.${number}`)).toBe(expected);
  });

  it.each([
    [400, '0201'],
    [413, '0201'],
    [414, '0201'],
    [494, '0201'],
    [500, '0201'],
    [502, '0201'],
    [504, '0201'],
    [500, '0601'],
  ])('%i .%s proves nothing about a POST', (status, number) => {
    expect(classified('POST', status, `${prefix}.${number}`)).toBe('Unanswered unknown');
    expect(classified('GET', status, `${prefix}.${number}`)).toBe('Unreachable no');
  });
});

describe('a refusal of ServiceStage itself', () => {
  it.each([
    [400, 'SVCSTG.00100400', 'InvalidRequest'],
    [422, 'SVCSTG.00100400', 'InvalidRequest'],
    [403, 'SVCSTG.00100403', 'NotAllowed'],
    [404, 'SVCSTG.00100412', 'NotFound'],
    [401, 'SVCSTG.00100401', 'NotFound'],
    [409, 'SVCSTG.00100400', 'Busy'],
    [404, undefined, 'NotFound'],
    [409, undefined, 'Busy'],
  ])('%i %s proves that it did not act', (status, code, expected) => {
    expect(classified('POST', status, code)).toBe(`${expected} refused`);
    // What we read is our responsibility: no author of a runbook can fix it.
    const ofRead = expected === 'InvalidRequest' ? 'UnreadableAnswer' : expected;
    expect(classified('GET', status, code)).toBe(`${ofRead} refused`);
  });

  it.each([
    'Incorrect IAM authentication information: token expires, expires_at: 2026-11-23T08:00:00Z',
    'The token must be updated',
    'Token expired',
  ])('401 "%s" is an expired token, whatever its code', (text) => {
    expect(classified('POST', 401, 'APIGW.0301', text)).toBe('TokenExpired no');
  });

  it('401 without a code is NotAllowed', () => {
    expect(classified('POST', 401)).toBe('NotAllowed no');
  });
});

it.each([301, 302, 307, 308, 408, 499, 500, 502, 503, 504, 599])('%i proves nothing about a POST', (status) => {
  expect(classified('POST', status)).toBe('Unanswered unknown');
  expect(classified('POST', status, 'SVCSTG.00100500')).toBe('Unanswered unknown');
  expect(classified('GET', status)).toBe('Unreachable no');
});

it.each([
  ['POST', true, 'Unanswered unknown'],
  ['POST', false, 'Unreachable no'],
  ['GET', true, 'Unreachable no'],
  ['GET', false, 'Unreachable no'],
] as const)('no answer to a %s, reached %s, is %s', (method, reached, expected) => {
  const error = errorWithoutAnswer({ method, path: PATH }, reached, 'reset');
  expect(`${error.code} ${error.sent}`).toBe(expected);
});

describe('an error body', () => {
  it.each([
    ['of the reference', { error_code: 'SVCSTG.00100412', error_msg: 'instance not found' }, 'SVCSTG.00100412'],
    ['of the V3 descriptor', { error_code: 'SVCSTG.00100412', error_message: 'instance not found' }, 'SVCSTG.00100412'],
    ['of IAM', { error: { code: 404, message: 'instance not found', title: 'Not Found' } }, '404'],
    ['of a sister service', { errorCode: 'SVCSTG.1', errorMessage: 'instance not found' }, 'SVCSTG.1'],
    ['of a sister service, short', { errorCode: 'SVCSTG.1', errorMsg: 'instance not found' }, 'SVCSTG.1'],
    ['in a list', [{ errorCode: 'SVCSTG.1', errorMessage: 'instance not found' }], 'SVCSTG.1'],
    ['without prefix', { code: 'X', message: 'instance not found' }, 'X'],
  ])('%s is understood', (_name, body, vendorCode) => {
    const error = errorFromAnswer({ method: 'GET', path: PATH }, answerOf(404, body));
    expect(error).toMatchObject({ code: 'NotFound', vendorCode, httpStatus: 404 });
    expect(error.message).toBe(`GET ${PATH}: 404 ${vendorCode}: instance not found`);
  });

  it.each([
    ['HTML', '<html><h1>502  Bad\nGateway</h1></html>', '502 Bad Gateway'],
    ['nothing', '', 'no text in the answer'],
    ['a JSON text', '"nope"', '"nope"'],
    ['an empty list', '[]', '[]'],
  ])('that is %s still gives a reason in one line', (_name, body, reason) => {
    const error = errorFromAnswer({ method: 'GET', path: PATH }, answerOf(502, body));
    expect(error.message).toBe(`GET ${PATH}: 502: ${reason}`);
    expect(error.vendorCode).toBeUndefined();
  });

  it('has the request id of the header, otherwise of the body', () => {
    const body = { error_code: 'APIGW.0301', error_msg: 'x', request_id: 'from-body' };
    const asked = { method: 'GET', path: PATH } as const;
    expect(errorFromAnswer(asked, answerOf(401, body, { 'x-request-id': 'from-header' })).requestId).toBe(
      'from-header',
    );
    expect(errorFromAnswer(asked, answerOf(401, body)).requestId).toBe('from-body');
  });

  it('is cut to a readable length', () => {
    const error = errorFromAnswer({ method: 'GET', path: PATH }, answerOf(500, 'x'.repeat(10_000)));
    expect(error.message.length).toBeLessThan(400);
  });

  it('shows no secret that it echoes, not even half of one at the cut', () => {
    const secret = 'hunter2"hunter2';
    const body = { error_msg: `${'x'.repeat(275)} ${secret} ${JSON.stringify(secret)}` };
    const { message } = errorFromAnswer({ method: 'GET', path: PATH }, answerOf(401, body), [secret, '']);
    expect(message).toContain('***');
    expect(message).not.toContain('hunter2');
  });
});

describe('a 429', () => {
  const policy = (window: string) =>
    `The throttling threshold has been reached: policy user over ratelimit,limit:5,${window}`;

  it.each([
    [policy('time:1 second'), {}, 1_000],
    [policy('time:5 minute'), {}, 300_000],
    [policy('time:2 hour'), {}, 7_200_000],
    [policy('time:3 fortnight'), {}, 60_000],
    ['slow down', {}, 60_000],
    [policy('time:5 minute'), { 'retry-after': '7' }, 7_000],
    [policy('time:1 second'), { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' }, 1_000],
  ])('"%s" with headers %o waits %i ms', (text, headers, expected) => {
    const body = { error_code: 'APIGW.0308', error_msg: text, request_id: 'r' };
    const error = errorFromAnswer({ method: 'POST', path: PATH }, answerOf(429, body, headers));
    expect(error).toMatchObject({ code: 'Throttled', sent: 'no', retryAfterMs: expected });
  });
});

describe('a clock that is off', () => {
  const NOW_MS = Date.parse('2026-11-30T12:00:00Z');
  const minutes = 60_000;
  const messageOf = (
    status: number,
    error_msg: string,
    aheadMs: number,
    isSigned = true,
    error_code = 'APIGW.0301',
  ) => {
    const headers = { date: new Date(NOW_MS - aheadMs).toUTCString() };
    const answer = answerOf(status, { error_code, error_msg }, headers);
    return errorFromAnswer({ method: 'GET', path: PATH }, answer, [], { isSigned, nowMs: NOW_MS }).message;
  };
  const IAM = 'Incorrect IAM authentication information: ';

  it.each<[number, string, number, string?]>([
    [401, `${IAM}verify aksk signature fail`, 20 * minutes],
    [401, `${IAM}AK access failed to reach the limit,forbidden.`, -20 * minutes],
    [401, `${IAM}calc aksk signature fail:signature expired, signature time:20211217T064303Z`, 3 * minutes],
    [403, 'RequestTimeTooSkewed: The difference is too large', 3 * minutes, 'OBS.0001'],
    [401, 'Unauthorized', 3_600_000, 'X.1'],
  ])('is the cause of a %i "%s" at %i ms', (status, text, aheadMs, code) => {
    expect(messageOf(status, text, aheadMs, true, code)).toContain('the clock of this machine is');
    expect(messageOf(status, text, aheadMs, false, code)).not.toContain('clock');
  });

  it.each<[number, string, number, string?]>([
    [403, "Policy doesn't allow servicestage:app:modify", 3 * minutes, 'SVCSTG.00100403'],
    [403, "Policy doesn't allow servicestage:app:modify", 3_600_000, 'SVCSTG.00100403'],
    [401, 'The token must be updated.', 3 * minutes, 'APIGW.0307'],
    [401, `${IAM}decrypt token fail`, 3_600_000],
    [401, `${IAM}Get secretKey failed,ak:AK,err:ak not exist`, 3_600_000],
    [401, `${IAM}verify aksk signature fail`, 3 * minutes],
    [401, 'no such instance', 3_600_000, 'SVCSTG.00100401'],
    [404, 'signature expired', 3_600_000],
  ])('is not the cause of a %i "%s" at %i ms', (status, text, aheadMs, code) => {
    expect(messageOf(status, text, aheadMs, true, code)).not.toContain('clock');
  });
});
