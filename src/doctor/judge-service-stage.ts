/** Judges what ServiceStage and IAM answer. Pure. */
import { clockProblem } from '../domain/time/clock-problem.js';
import type { ServiceStageFacts } from './facts.js';
import { fail, notChecked, ok, warn, type Finding } from './finding.js';
import { count } from './judge-temporal.js';

/** Signatures are good for 15 minutes. Chosen: a minute less, for the way. */
const CLOCK_BREAKS_SIGNATURES_MS = 14 * 60_000;

const SIGN_IN: Readonly<Record<ServiceStageFacts['signIn'], string>> = {
  accessKey: 'an access key in variables',
  keyFiles: 'an access key in files',
  ecsAgency: 'temporary keys of the agency of this ECS',
  token: 'a ready-made token',
  password: 'an IAM user and password',
};

/** The endpoint, and whether anything answers there. A refusal is an answer too. */
export function judgeEndpoint({ endpoint, applications }: ServiceStageFacts): Finding {
  if (applications.kind === 'failed' && applications.cause === 'unreachable')
    return fail(
      `${endpoint}: ${applications.reason}`,
      'Check SERVICESTAGE_REGION or SERVICESTAGE_ENDPOINT, the proxies, and the network; where keys come from an agency, the metadata service as well',
    );
  return applications.kind === 'unasked' ? notChecked(applications.why) : ok(endpoint);
}

/** Whether the credentials are taken, and how long that lasts. */
export function judgeCredentials({ applications, signIn, isTemporary }: ServiceStageFacts): Finding {
  const way = SIGN_IN[signIn];
  if (isWrongProject(applications)) return notChecked('the project was refused');
  if (applications.kind === 'failed' && applications.cause === 'denied')
    return fail(`${way}: refused: ${applications.reason}`, remedyOfRefusal(signIn));
  if (applications.kind !== 'answer') return notChecked('ServiceStage did not answer');
  if (signIn === 'token')
    return warn(`${way}: taken, but it is good for a day at most`, 'Use an access key, or an agency (docs/secrets.md)');
  if (isTemporary)
    return warn(
      `${way}: taken, but temporary, and nothing renews it`,
      'Give it in files that are replaced in time, or set SERVICESTAGE_CREDENTIALS=ecsAgency (docs/secrets.md)',
    );
  return ok(`${way}: taken`);
}

function remedyOfRefusal(signIn: ServiceStageFacts['signIn']): string {
  if (signIn === 'ecsAgency')
    return 'Choose an agency for this server (its details, Management Information) that may use ServiceStage in this project';
  return 'Check the credentials, and that their user may use ServiceStage in this project; with an access key, also the clock. Wait five minutes before you try again: the API locks keys';
}

/** API Gateway's code for a project that is not available to the credentials. */
const WRONG_PROJECT = 'APIGW.0310';

function isWrongProject(applications: ServiceStageFacts['applications']): boolean {
  return applications.kind === 'failed' && applications.reason.includes(WRONG_PROJECT);
}

/** The project, which every path and signature names. */
export function judgeProject({ projectId, applications }: ServiceStageFacts): Finding {
  if (applications.kind === 'answer') return ok(`${projectId}, ${count(applications.value, 'application')}`);
  if (applications.kind === 'failed' && applications.cause === 'denied' && !isWrongProject(applications))
    return notChecked('the credentials were refused', 'Correct the credentials first');
  if (applications.kind === 'failed' && applications.cause !== 'unreachable')
    return fail(
      `${projectId}: ${applications.reason}`,
      'Set HUAWEICLOUD_SDK_PROJECT_ID to the id of the project in this region, as "My Credentials" of the console shows it',
    );
  return notChecked('ServiceStage did not answer');
}

/** What the credentials may read. */
export function judgeReading({ instance, snapshots }: ServiceStageFacts): Finding {
  if (instance.kind === 'unasked') return notChecked(instance.why);
  if (instance.kind === 'failed')
    return fail(
      `components or instances cannot be read: ${instance.reason}`,
      'Give the user the rights to list and get components and instances',
    );
  if (instance.value === null)
    return notChecked('there is no instance to read', 'Deploy one, or check the project id, and run this again');
  if (snapshots.kind === 'failed')
    return fail(
      `the snapshots of ${instance.value} cannot be listed: ${snapshots.reason}`,
      'Rollbacks need them: give the user that right',
    );
  return ok(`applications, components, instances and snapshots, such as those of ${instance.value}`);
}

/** Actions, which the doctor never tries. */
export function judgeActing({ instance }: ServiceStageFacts): Finding {
  const path =
    instance.kind === 'answer' && instance.value !== null ? instance.value : 'APPLICATION/COMPONENT/INSTANCE';
  return notChecked(
    'only an action shows whether actions are allowed, and none is sent',
    `Restart an instance that is not needed: runbook start restart --target ${path}`,
  );
}

/** Our own user, by which cloud jobs of a lost answer are recognized. */
export function judgeUser({ user, signIn }: ServiceStageFacts): Finding {
  const set = 'Set SERVICESTAGE_USER_ID to the id of the user that cloud jobs of ours show as their creator';
  const why = 'cloud jobs whose answer was lost are recognized less often';
  if (user.kind === 'unasked') return notChecked(user.why);
  if (user.kind === 'answer')
    return user.value === null
      ? warn(`IAM does not report who we are${signIn === 'ecsAgency' ? ' with temporary keys' : ''}; ${why}`, set)
      : ok(user.value);
  return warn(
    `IAM did not answer: ${user.reason}; until it does, ${why}`,
    `Check HUAWEICLOUD_SDK_IAM_ENDPOINT. ${set}`,
  );
}

/** The clock of this machine. */
export function judgeClock({ clockAheadMs, signIn }: ServiceStageFacts): Finding {
  if (clockAheadMs === null) return notChecked('no answer of ServiceStage had a date');
  const problem = clockProblem(clockAheadMs);
  if (problem === null) return ok('agrees with that of ServiceStage');
  const signs = signIn !== 'token' && signIn !== 'password';
  const remedy = 'Set the clock right (NTP); signatures are good for 15 minutes, and evidence is dated by it';
  return signs && Math.abs(clockAheadMs) >= CLOCK_BREAKS_SIGNATURES_MS ? fail(problem, remedy) : warn(problem, remedy);
}
