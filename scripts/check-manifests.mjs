/**
 * Renders deploy/kubernetes with Kustomize and gives the result to kubeconform, against Kubernetes' own schemas, where an unknown field is an error. By
 * hand before a release, since neither tool is on every machine: `kustomize` and `kubeconform` have to be on the PATH.
 *
 *     GOFLAGS=-mod=mod go install github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0 sigs.k8s.io/kustomize/kustomize/v5@v5.7.1
 *     pip download --no-deps kubernetes-validate && unzip -d unpacked kubernetes_validate-*.whl
 *     node scripts/check-manifests.mjs unpacked/kubernetes_validate/kubernetes-json-schema/v1.37.0-local-strict
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Kinds of KEDA: Kubernetes has no schema of them. */
const NOT_OF_KUBERNETES = ['ScaledObject', 'TriggerAuthentication'];
const manifests = fileURLToPath(new URL('../deploy/kubernetes/', import.meta.url));

const given = process.argv[2];
if (given === undefined) throw new Error('Name the folder of strict schemas, as the comment of this file shows');
const schemas = mkdtempSync(join(tmpdir(), 'schemas-'));
try {
  for (const name of readdirSync(given)) {
    const { $id: _, ...schema } = JSON.parse(readFileSync(join(given, name), 'utf8'));
    // The schemas refer to each other by an address that nothing serves.
    writeFileSync(join(schemas, name), JSON.stringify(schema).replaceAll('"/api/_definitions', '"_definitions'));
  }
  for (const overlay of ['base', 'example']) {
    const rendered = execFileSync('kustomize', ['build', join(manifests, overlay)]);
    const location = join(schemas, '{{.ResourceKind}}{{.KindSuffix}}.json');
    const { status } = spawnSync(
      'kubeconform',
      ['-strict', '-verbose', '-summary', '-skip', NOT_OF_KUBERNETES.join(','), '-schema-location', location],
      { input: rendered, stdio: ['pipe', 'inherit', 'inherit'] },
    );
    if (status !== 0) process.exitCode = 1;
  }
} finally {
  rmSync(schemas, { recursive: true, force: true });
}
