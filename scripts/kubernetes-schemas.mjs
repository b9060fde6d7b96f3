/**
 * Cuts the schemas of the kinds in deploy/kubernetes out of Kubernetes' own, for test/unit/kubernetes: without descriptions, and strict, so that a
 * field that Kubernetes does not know is an error. By hand, for a newer version of Kubernetes:
 *
 *     pip download --no-deps kubernetes-validate && unzip -d unpacked kubernetes_validate-*.whl
 *     node scripts/kubernetes-schemas.mjs unpacked/kubernetes_validate/kubernetes-json-schema/v1.37.0-local-strict
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const KINDS = {
  'v1 ConfigMap': 'io.k8s.api.core.v1.ConfigMap',
  'v1 Service': 'io.k8s.api.core.v1.Service',
  'v1 ServiceAccount': 'io.k8s.api.core.v1.ServiceAccount',
  'apps/v1 Deployment': 'io.k8s.api.apps.v1.Deployment',
  'networking.k8s.io/v1 NetworkPolicy': 'io.k8s.api.networking.v1.NetworkPolicy',
  'policy/v1 PodDisruptionBudget': 'io.k8s.api.policy.v1.PodDisruptionBudget',
};
const TARGET = new URL('../test/unit/kubernetes/schemas.json', import.meta.url);

const folder = process.argv[2];
if (folder === undefined) throw new Error('Name the folder of strict schemas, as the comment of this file shows');
const all = JSON.parse(readFileSync(join(folder, '_definitions.json'), 'utf8')).$defs;

/** Without what only people read, and with references into one file. */
function cut(value) {
  if (Array.isArray(value)) return value.map(cut);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(
    ([key, inner]) => !(key === 'description' && typeof inner === 'string') && !key.startsWith('x-kubernetes'),
  );
  return Object.fromEntries(
    kept.map(([key, inner]) => [
      key,
      key === '$ref' && typeof inner === 'string'
        ? inner.replace(/^.*#\/(?:definitions|\$defs)\//, '#/$defs/')
        : cut(inner),
    ]),
  );
}

const $defs = {};
function addSchema(name) {
  if (Object.hasOwn($defs, name)) return;
  if (all[name] === undefined) throw new Error(`There is no ${name}`);
  $defs[name] = cut(all[name]);
  for (const [, next] of JSON.stringify($defs[name]).matchAll(/"\$ref":"#\/\$defs\/([^"]+)"/g)) addSchema(next);
}
for (const name of Object.values(KINDS)) addSchema(name);

const version = /v(\d+\.\d+)/.exec(folder)?.[1];
const $comment = `Schemas of Kubernetes ${version} (Apache-2.0), cut by scripts/kubernetes-schemas.mjs`;
writeFileSync(TARGET, `${JSON.stringify({ $comment, kinds: KINDS, $defs }, null, 1)}\n`);
