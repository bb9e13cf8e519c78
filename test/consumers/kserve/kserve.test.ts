import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { ShippedModel, Target } from '../../../src/ship/cluster/model.ts';
import { kserveFiles } from '../../../src/consumers/kserve/files.ts';
import { objectName, settingsOf } from '../../../src/consumers/kserve/settings.ts';
import type { Schema } from './schema.ts';
import { faults } from './schema.ts';

const MIB = 2 ** 20;
const curve = {
  ...{ fixedMs: 2, perSampleMs: 1, sizes: [1, 8, 32], threads: 2, device: 'cpu' },
  memoryBytes: 100 * MIB,
};
const model: ShippedModel = {
  ...{ name: 'My_bags.v2', bytes: new Uint8Array([1, 2, 3]), inputs: [], outputs: [], joins: true, curve },
};
const teacher = { bytes: new Uint8Array([9]), curve: { ...curve, threads: 1, memoryBytes: 900 * MIB } };
const made = (target: Target, beside?: typeof teacher) =>
  kserveFiles(model, { target, teacher: beside, limbeck: '1.2.3' });

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

function manifests(files: ReadonlyMap<string, string | Uint8Array>): Map<string, Manifest[]> {
  const yaml = [...files].filter(([name]) => name.endsWith('.yaml'));
  return new Map(
    yaml.map(([name, text]) => [
      name,
      parseAllDocuments(text as string).map((document) => {
        expect(document.errors).toEqual([]);
        return document.toJS() as Manifest;
      }),
    ]),
  );
}

function schemaOf({ kind }: Manifest): Schema {
  return JSON.parse(readFileSync(path.join(import.meta.dirname, 'schemas', `${kind}.json`), 'utf8')) as Schema;
}

it.each(['cpu', 'gpu', 'tensorrt'] as const)(
  'writes manifests that fit the schemas of their kinds, for %s',
  (target) => {
    const all = manifests(made(target, teacher));
    expect([...all.keys()].sort()).toEqual([
      ...['canary.yaml', 'deployment.yaml', 'hpa.yaml', 'inference-service.yaml', 'scaled-object.yaml', 'shadow.yaml'],
    ]);
    for (const [name, objects] of all)
      for (const one of objects) expect([name, faults(one, schemaOf(one))]).toEqual([name, []]);
    const text = made(target).get('deployment.yaml') as string;
    expect(text.includes('nvidia.com/gpu.present')).toBe(target !== 'cpu');
    expect(text).toContain(`\n            - ${{ cpu: 'cpu', gpu: 'cuda', tensorrt: 'tensorrt' }[target]}\n`);
  },
);

it('has schemas that refuse a wrong manifest', () => {
  const [service] = manifests(made('cpu')).get('inference-service.yaml')!;
  const spoilt = (change: object) => ({
    ...service,
    spec: { predictor: { ...(service!.spec.predictor as object), ...change } },
  });
  const schema = schemaOf(service!);
  expect(faults(spoilt({ scaleMetric: 'queue' }), schema)).toHaveLength(1);
  expect(faults(spoilt({ scaleTarget: '8' }), schema)).toHaveLength(1);
  expect(faults(spoilt({ terminationGracePeriodSeconds: 45 }), schema)).toHaveLength(1);
  expect(faults(spoilt({ containers: [] }), schema)).toHaveLength(1);
  expect(faults({ ...service, metadata: { name: 'My_bags' } }, schema)).toHaveLength(1);
});

it('wants a token from all who reach a pod, and lets it write nothing', () => {
  for (const [name, [first]] of manifests(made('cpu', teacher))) {
    if (!/^(canary|deployment|inference-service|shadow)/.test(name)) continue;
    const { predictor, template } = first!.spec as Record<string, { readonly spec: object }>;
    expect([name, predictor ?? template!.spec]).toMatchObject([
      name,
      {
        containers: [
          {
            args: expect.arrayContaining(['--token-file', '/tokens/tokens', '--open-metrics']) as unknown,
            securityContext: { readOnlyRootFilesystem: true, seccompProfile: { type: 'RuntimeDefault' } },
            volumeMounts: [{ name: 'tokens', mountPath: '/tokens', readOnly: true }],
            ...(template !== undefined && { lifecycle: { preStop: { exec: { command: ['sleep', '5'] } } } }),
          },
        ],
        volumes: [{ name: 'tokens', secret: { secretName: 'my-bags-v2-tokens' } }],
      },
    ]);
  }
});

it('takes scale, threads and memory from what was measured', () => {
  const settings = settingsOf('bags', { image: 'bags:1', target: 'cpu', curve });
  // Nine tenths of the most samples per second at 9 · 2 / 1; 2 · (2 + 18) ms and 5 more.
  expect(settings).toMatchObject({ threads: 2, concurrency: 36, p95Ms: 45 });
  const larger = settingsOf('bags', { image: 'bags:1', target: 'cpu', curve: { ...curve, memoryBytes: 300 * MIB } });
  expect(parseInt(larger.memory.request) - parseInt(settings.memory.request)).toBe(200);
  expect(parseInt(larger.memory.limit) - parseInt(settings.memory.limit)).toBe(500);
  expect(made('cpu', teacher).get('shadow.yaml')).toMatch(/cpu: 1500m\n *memory: 1124Mi\n/);
  const [scaled] = manifests(made('cpu')).get('scaled-object.yaml')!;
  expect(scaled!.spec.triggers).toMatchObject([
    { metadata: { query: 'sum(nv_inference_pending_request_count{model="My_bags.v2"})', threshold: '18' } },
    { metricType: 'Value', metadata: { threshold: '0.045' } },
  ]);
});

it('names the image after the models in it, and asks for nothing that is not in the folder', () => {
  const image = (files: ReturnType<typeof made>) => /image: (.*)/.exec(files.get('deployment.yaml') as string)![1];
  const other = kserveFiles({ ...model, bytes: new Uint8Array([4]) }, { target: 'cpu', limbeck: '1.2.3' });
  expect(image(made('cpu'))).toMatch(/^my-bags-v2:[0-9a-f]{12}$/);
  expect(image(made('cpu'))).toBe(image(made('cpu')));
  expect(image(other)).not.toBe(image(made('cpu')));
  expect(image(made('cpu', teacher))).not.toBe(image(made('cpu')));
  expect(made('cpu').has('shadow.yaml')).toBe(false);
  expect([...made('cpu', teacher).keys()]).toContain('models/teacher.onnx');
});

it.each([
  ['registry.example:5000/team/my-bags', true],
  ['my__bags.v2', true],
  ['Bags', false],
  ['bags:v1', false],
  ['bags@sha256:0123', false],
  ['registry.example/-bags', false],
])('an image is called %s: %s', (image, isName) => {
  const files = (): unknown => kserveFiles(model, { target: 'cpu', limbeck: '1.2.3', image });
  if (isName) expect(files).not.toThrow();
  else
    expect(files).toThrow(
      `--image: expected the name of an image in small letters, without a tag, received "${image}"`,
    );
});

it('quotes what YAML 1.1 takes for something else than text', () => {
  const files = kserveFiles({ ...model, name: 'on' }, { target: 'cpu', limbeck: '1.2.3' });
  expect(files.get('deployment.yaml')).toContain('name: "on"\n');
});

it.each([
  ['My_bags.v2', 'my-bags-v2'],
  ['2024', 'model-2024'],
  ['_x_', 'x'],
  [`a${'-'.repeat(50)}b`, 'a-b'],
  ['a'.repeat(35) + '_b', 'a'.repeat(35)],
])('gives %s the name %s in Kubernetes', (given, name) => {
  expect(objectName(given)).toBe(name);
});

it.each(['cpu', 'gpu', 'tensorrt'] as const)(
  'writes a Dockerfile of known instructions, as no root, for %s',
  (target) => {
    const lines = (made(target).get('Dockerfile') as string).replaceAll('\\\n', '').split('\n');
    const known = /^(#|$|(ARG|FROM|WORKDIR|COPY|RUN|ENV|USER|EXPOSE|ENTRYPOINT|CMD) \S)/;
    expect(lines.filter((line) => !known.test(line))).toEqual([]);
    expect(lines.find((line) => !/^#|^$|^ARG /.test(line))).toMatch(/^FROM /);
    // Every image can be given by its digest, and the versions of all packages stand in the lock.
    const images = lines.flatMap((line) => /^FROM (\S+)/.exec(line)?.[1] ?? []);
    expect(images.filter((image) => !lines.some((line) => line.startsWith(`ARG ${image.slice(2, -1)}=`)))).toEqual([]);
    expect(lines.find((line) => line.startsWith('RUN '))).toMatch(/^RUN npm ci /);
    const words = (instruction: string): unknown =>
      JSON.parse(lines.find((line) => line.startsWith(instruction))!.slice(instruction.length));
    expect(words('ENTRYPOINT ')).toEqual(['node', 'node_modules/limbeck/dist/cli.js']);
    expect(words('CMD ')).toEqual(['serve', '/models', '--host', '0.0.0.0', '--token-file', '/tokens/tokens']);
    expect(lines).toContain('USER 1000:1000');
    expect(lines).toContain('COPY limbeck-1.2.3.tgz package.json package-lock.json ./');
  },
);
