// Cuts the official schemas to what the manifests of docs/scale.md use: `node test/scale/cut.mjs FOLDER`, with the folders mpi-operator and
// trainer in it, checkouts of github.com/kubeflow. A key that an official schema does not know stops it. Kubernetes' own schema of a Job is
// in that of a training runtime.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';

const folder = process.argv[2];
const crd = (file, version) => {
  const { spec } = parse(readFileSync(path.join(folder, file), 'utf8'));
  return spec.versions.find(({ name }) => name === version).schema.openAPIV3Schema;
};
const crds = 'trainer/manifests/base/crds/trainer.kubeflow.org_';
const runtime = crd(`${crds}clustertrainingruntimes.yaml`, 'v1alpha1');
const job =
  runtime.properties.spec.properties.template.properties.spec.properties.replicatedJobs.items.properties.template;
const FULL = {
  Job: { type: 'object', properties: { ...job.properties, apiVersion: { type: 'string' }, kind: { type: 'string' } } },
  MPIJob: crd('mpi-operator/manifests/base/kubeflow.org_mpijobs.yaml', 'v2beta1'),
  TrainJob: crd(`${crds}trainjobs.yaml`, 'v1alpha1'),
};
const KEPT = ['type', 'enum', 'pattern', 'minimum', 'maximum', 'minItems', 'required'];

const text = readFileSync(new URL('../../docs/scale.md', import.meta.url), 'utf8');
for (const [, block] of text.matchAll(/```yaml\n(apiVersion[^]*?)```/g)) {
  const manifest = parse(block);
  const { apiVersion, kind } = manifest;
  const schema = cut(manifest, FULL[kind], kind);
  schema.properties.apiVersion = { const: apiVersion };
  schema.properties.kind = { const: kind };
  schema.required = ['apiVersion', 'kind', 'metadata', 'spec'];
  const file = new URL(`schemas/${kind}.json`, import.meta.url);
  writeFileSync(file, `${JSON.stringify(schema, null, 2)}\n`);
}

/** The part of a schema that a value uses. */
function cut(value, full, at) {
  const kept = Object.fromEntries(KEPT.flatMap((key) => (full[key] === undefined ? [] : [[key, full[key]]])));
  // A quantity may be a number, which the manifests do not write.
  if (full['x-kubernetes-int-or-string']) kept.type = 'string';
  if (Array.isArray(value))
    return { ...kept, items: merged(value.map((one, i) => cut(one, full.items, `${at}/${i}`))) };
  if (typeof value !== 'object') return kept;
  const known = full.properties;
  if (known === undefined && full.additionalProperties !== undefined) {
    const inner = Object.entries(value).map(([key, one]) => cut(one, full.additionalProperties, `${at}/${key}`));
    return { ...kept, additionalProperties: merged(inner) };
  }
  // Of metadata custom resources say no more than that they are an object.
  if (known === undefined) return { ...kept, properties: { name: { type: 'string' } }, additionalProperties: false };
  const properties = Object.entries(value).map(([key, one]) => {
    if (known[key] === undefined) throw new Error(`${at}: ${key} is not known`);
    return [key, cut(one, known[key], `${at}/${key}`)];
  });
  return { ...kept, properties: Object.fromEntries(properties), additionalProperties: false };
}

function merged(schemas) {
  return schemas.reduce((all, one) => {
    const properties = { ...all.properties };
    for (const [key, schema] of Object.entries(one.properties ?? {}))
      properties[key] = properties[key] === undefined ? schema : merged([properties[key], schema]);
    const items = all.items && one.items ? merged([all.items, one.items]) : (all.items ?? one.items);
    return { ...all, ...one, ...(one.properties && { properties }), ...(items && { items }) };
  });
}
