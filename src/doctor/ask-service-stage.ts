/** Asks ServiceStage and IAM, with reads alone: no action is ever sent. */
import { noAnswerOf } from '../servicestage/no-answer.js';
import { createServiceStage, type ServiceStageOptions } from '../servicestage/service-stage-client.js';
import type { ServiceStage } from '../servicestage/service-stage.js';
import { answerWithin, type Answer, type ServiceStageFacts } from './facts.js';

/** Applications and components that are listed to find one instance to read. Chosen: the request budget is small. */
const MOST_LISTED = 3;

/** @param timeoutMs limit of each question */
export async function askServiceStage(options: ServiceStageOptions, timeoutMs: number): Promise<ServiceStageFacts> {
  const client = createServiceStage(options);
  const ask = <Value>(question: () => Promise<Value>) => answerWithin(timeoutMs, noAnswerOf, question);
  const limits = { timeoutMs };
  const { credentials } = options;
  const [applications, user] = await Promise.all([
    ask(() => client.listApplications(limits)),
    ask(() => client.ownUserId(limits)),
  ]);
  const place =
    applications.kind === 'answer'
      ? await ask(() => readSomeInstance(client, applications.value, limits))
      : unasked('applications cannot be listed');
  return {
    endpoint: options.endpoint,
    projectId: options.projectId,
    signIn: credentials.kind,
    isTemporary: credentials.kind === 'accessKey' && credentials.securityToken !== undefined,
    applications: mapped(applications, (list) => list.length),
    instance: mapped(place, (found) => found?.path ?? null),
    snapshots: await askForSnapshots(client, place, ask, limits),
    user,
    clockAheadMs: client.clockAheadMs(),
  };
}

interface Place {
  readonly path: string;
  readonly applicationId: string;
  readonly componentId: string;
  readonly instanceId: string;
}

/** Also shows whether components and instances can be listed. */
async function readSomeInstance(
  client: ServiceStage,
  applications: Awaited<ReturnType<ServiceStage['listApplications']>>,
  limits: { readonly timeoutMs: number },
): Promise<Place | null> {
  for (const application of applications.slice(0, MOST_LISTED)) {
    const components = await client.listComponents(application.id, limits);
    for (const component of components.slice(0, MOST_LISTED)) {
      const [instance] = await client.listInstances(application.id, component.id, limits);
      if (instance === undefined) continue;
      const ids = { applicationId: application.id, componentId: component.id, instanceId: instance.id };
      await client.readInstance(ids, limits);
      return { path: `${application.name}/${component.name}/${instance.name}`, ...ids };
    }
  }
  return null;
}

function askForSnapshots(
  client: ServiceStage,
  place: Answer<Place | null>,
  ask: <Value>(question: () => Promise<Value>) => Promise<Answer<Value>>,
  limits: { readonly timeoutMs: number },
): Promise<Answer<true>> | Answer<true> {
  if (place.kind !== 'answer' || place.value === null) return unasked('no instance was read');
  const { value } = place;
  return ask(async () => {
    await client.listSnapshots(value, limits);
    return true as const;
  });
}

function unasked(why: string): Answer<never> {
  return { kind: 'unasked', why };
}

function mapped<From, To>(answer: Answer<From>, change: (value: From) => To): Answer<To> {
  return answer.kind === 'answer' ? { kind: 'answer', value: change(answer.value) } : answer;
}
