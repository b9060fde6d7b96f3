/** Reads deploy/kubernetes and checks each object against Kubernetes' own schemas, strictly: a field that does not exist is a problem. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';

export const kubernetes = fileURLToPath(new URL('../../../deploy/kubernetes/', import.meta.url));

const Env = z.object({ name: z.string(), value: z.string() });
const Volume = z.looseObject({
  name: z.string(),
  configMap: z.object({ name: z.string() }).optional(),
  secret: z.object({ secretName: z.string() }).optional(),
  projected: z
    .object({
      sources: z.array(
        z.object({
          configMap: z.object({ name: z.string() }).optional(),
          secret: z
            .object({ name: z.string(), items: z.array(z.object({ key: z.string(), path: z.string() })) })
            .optional(),
        }),
      ),
    })
    .optional(),
});
const Probe = z.object({ httpGet: z.object({ path: z.string(), port: z.string() }) });
const Container = z.object({
  name: z.string(),
  image: z.string(),
  command: z.array(z.string()),
  env: z.array(Env).default([]),
  envFrom: z.array(z.object({ configMapRef: z.object({ name: z.string() }) })),
  ports: z.array(z.object({ name: z.string(), containerPort: z.int() })),
  livenessProbe: Probe,
  readinessProbe: Probe,
  resources: z.object({ limits: z.object({ memory: z.string() }) }),
  securityContext: z.looseObject({}),
  volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string(), readOnly: z.boolean().default(false) })),
});
/** What the tests read of a Deployment; the rest is up to the schema. */
export const Deployment = z.object({
  spec: z.object({
    replicas: z.int(),
    selector: z.object({ matchLabels: z.record(z.string(), z.string()) }),
    template: z.object({
      metadata: z.object({ labels: z.record(z.string(), z.string()) }),
      spec: z.object({
        automountServiceAccountToken: z.boolean(),
        enableServiceLinks: z.boolean(),
        terminationGracePeriodSeconds: z.int(),
        securityContext: z.looseObject({}),
        containers: z.tuple([Container]),
        volumes: z.array(Volume),
      }),
    }),
  }),
});

const Generator = z.strictObject({
  name: z.string(),
  behavior: z.literal('merge').optional(),
  literals: z.array(z.string()).default([]),
  envs: z.array(z.string()).default([]),
  files: z.array(z.string()).default([]),
  options: z.strictObject({ disableNameSuffixHash: z.boolean() }).optional(),
});
const Label = z.strictObject({ pairs: z.record(z.string(), z.string()), includeTemplates: z.boolean().optional() });
/** The fields of a kustomization that are in use here; https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/ */
const Kustomization = z.strictObject({
  apiVersion: z.enum(['kustomize.config.k8s.io/v1beta1', 'kustomize.config.k8s.io/v1alpha1']),
  kind: z.enum(['Kustomization', 'Component']),
  namespace: z.string().optional(),
  resources: z.array(z.string()).default([]),
  components: z.array(z.string()).default([]),
  labels: z.array(Label).default([]),
  images: z.array(z.strictObject({ name: z.string(), newName: z.string(), newTag: z.string() })).default([]),
  configMapGenerator: z.array(Generator).default([]),
  patches: z
    .array(z.strictObject({ target: z.strictObject({ kind: z.string(), name: z.string() }), patch: z.string() }))
    .default([]),
});
type Kustomization = z.infer<typeof Kustomization>;

/** @param folder below deploy/kubernetes */
export function kustomizationOf(folder: string): Kustomization {
  return Kustomization.parse(parse(readFileSync(join(kubernetes, folder, 'kustomization.yaml'), 'utf8')));
}

/** An object of the API, and the file that it is in. */
export interface Manifest {
  readonly file: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly [field: string]: unknown;
}

const Head = z.looseObject({ apiVersion: z.string(), kind: z.string(), metadata: z.looseObject({ name: z.string() }) });

/** The objects in the resource files of a folder, without those of the folders that it names. */
export function manifestsOf(folder: string): readonly Manifest[] {
  return kustomizationOf(folder)
    .resources.filter((resource) => resource.endsWith('.yaml'))
    .flatMap((resource) => {
      const file = join(folder, resource);
      const documents = parseAllDocuments(readFileSync(join(kubernetes, file), 'utf8'));
      return documents.map((document) => ({ file, ...Head.parse(document.toJS()) }));
    });
}

/** The folders that a folder is made of, itself included. */
export function partsOf(folder: string): readonly string[] {
  const { resources, components } = kustomizationOf(folder);
  const folders = [...resources.filter((resource) => !resource.endsWith('.yaml')), ...components];
  return [folder, ...folders.flatMap((part) => partsOf(join(folder, part)))];
}

const schemas = z
  .looseObject({ kinds: z.record(z.string(), z.string()), $defs: z.record(z.string(), z.looseObject({})) })
  .parse(JSON.parse(readFileSync(join(dirname(fileURLToPath(import.meta.url)), 'schemas.json'), 'utf8')));
// Formats such as int32 say nothing that JSON could break.
const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true }).addSchema(
  { $defs: schemas.$defs },
  'kubernetes',
);

/** What Kubernetes would not accept. `null`: its schemas here do not know the kind. */
export function problemsOf({ file: _file, ...manifest }: Manifest): readonly string[] | null {
  const name = schemas.kinds[`${manifest.apiVersion} ${manifest.kind}`];
  if (name === undefined) return null;
  const validate = ajv.getSchema(`kubernetes#/$defs/${name}`);
  if (validate === undefined) throw new Error(`There is no schema ${name}`);
  if (validate(manifest) === true) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath}: ${message} ${JSON.stringify(params)}`,
  );
}
