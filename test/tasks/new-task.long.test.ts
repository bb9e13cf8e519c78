// Needs the feature shadow.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { numbersAnswers } from '../../src/answers/numbers/index.ts';
import { decodeModel, encodeModel } from '../../src/formats/onnx/protobuf.ts';
import type { Dataset } from '../../src/data/dataset.ts';
import type { RunEvent } from '../../src/base/events.ts';
import { answerForms } from '../../src/recipe/answer-forms.ts';
import { argMax, sum } from '../../src/base/numbers.ts';
import type { Report } from '../../src/report/types.ts';
import type { RunOptions } from '../../src/run/options.ts';
import { ROOT } from '../support/built.ts';
import { fruit, fruits, KINDS, MODULE, NAME, reader, row, table } from '../support/new-task.ts';
import type { Fruit } from '../support/new-task.ts';

const { unstable_mockModule: mock } = import.meta.jest as unknown as {
  unstable_mockModule: (file: string, exports: () => object) => void;
};
// Worker threads and child processes, which later Nodes start from TypeScript, have the rows of src/features.ts alone.
mock('../../src/base/process/entry.ts', () => ({ entryBeside: () => undefined }));
// The row of the new form of answers, before the schema of recipes is made of the rows. What is said of its answers is said of numbers.
answerForms.add(
  { ...numbersAnswers, name: 'fruits', tasks: { [NAME]: row }, keys: [] },
  {
    tasks: () => Promise.resolve({ tasks: { [NAME]: fruit } }),
    labels: () => Promise.resolve({ labels: { [NAME]: reader } }),
    evaluationText: () => import('../../src/answers/numbers/evaluation.ts'),
    kit: () => import('../../src/answers/numbers/kit.ts'),
    node: () => import('../../src/consumers/node/values.ts'),
    browser: () => import('../../src/consumers/browser/values.ts'),
    said: () => import('../../src/answers/numbers/said.ts'),
  },
);

const { runRecipe } = await import('../../src/run/run.ts');
const { makeRecipe } = await import('../../src/setup/make-recipe.ts');
const { writeKit } = await import('../../src/ship/kit/kit.ts');
const { evaluateFile } = await import('../../src/tools/evaluate.ts');
const { viewOf } = await import('../../src/data/batches/batches.ts');
const { onnxTeacher } = await import('../../src/distill/teachers/onnx-teacher.ts');
const { alike } = await import('../../src/distill/teachers/int8-teacher.ts');
const { loadData } = await import('../../src/setup/data.ts');
const { ask, serving } = await import('../serve/server.ts');

const folder = mkdtempSync(path.join(tmpdir(), 'limbeck-task-'));
const inFolder = (...names: string[]): string => path.join(folder, ...names);
afterAll(() => rmSync(folder, { recursive: true }));

/** Rows of train. */
const TRAINED = 500;
const BASE = {
  dataset: {
    type: 'csv',
    task: NAME,
    train: 'train.csv',
    test: 'test.csv',
    label: ['kind', 'weight'],
    validation: 100,
  },
  student: { module: 'student.mjs' },
  distill: { epochs: 12, batchSize: 32, optimizer: { learningRate: 0.02 } },
  ...{ threads: 1, report: { latency: { seconds: 0 } } },
};

beforeAll(async () => {
  await writeFile(inFolder('train.csv'), table(TRAINED, 0));
  await writeFile(inFolder('test.csv'), table(200, TRAINED));
  await writeFile(inFolder('student.mjs'), MODULE);
});

/** Losses of a run's epochs, and its report. */
async function run(change: object, options: Partial<RunOptions> = {}) {
  const losses: number[] = [];
  const onEvent = (event: RunEvent): void => {
    if (event.type === 'epoch') losses.push(event.loss);
    options.onEvent?.(event);
  };
  const { report } = await runRecipe(makeRecipe({ ...BASE, ...change }, folder), { out: folder, ...options, onEvent });
  return { report, losses };
}

/** The file with other names of its outputs, in another order. */
function renamed(bytes: Uint8Array, names: Readonly<Record<string, string>>): Uint8Array {
  const model = decodeModel(bytes, 'first');
  const { nodes, outputs } = model.graph;
  const called = (name: string): string => names[name] ?? name;
  const graph = {
    ...model.graph,
    nodes: nodes.map((node) => ({ ...node, inputs: node.inputs.map(called), outputs: node.outputs.map(called) })),
    outputs: outputs.map((output) => ({ ...output, name: called(output.name) })).reverse(),
  };
  return encodeModel({ ...model, graph });
}

/** The file with an operator behind the output that it reads; its result takes the name of that output. */
function withEnd(bytes: Uint8Array, op: string, inputs: readonly [string, ...string[]]): Uint8Array {
  const [output] = inputs;
  const inner = renamed(bytes, { [output]: 'inner' });
  const { graph, ...rest } = decodeModel(inner, 'inner');
  const end = { op, domain: '', name: op, inputs: inputs.map(() => 'inner'), outputs: [output], attrs: new Map() };
  const outputs = graph.outputs.map((one) => (one.name === 'inner' ? { ...one, name: output } : one));
  return encodeModel({ ...rest, graph: { ...graph, nodes: [...graph.nodes, end], outputs } });
}

/** Share of the test samples with the right kind, and R² of the weight, by answers [samples, kinds + 1]. */
function heads(answers: readonly (readonly number[])[]): { kind: number; weight: number } {
  const known = fruits(answers.length, TRAINED);
  const isRight = ({ kind }: Fruit, i: number): boolean => kind === KINDS[argMax(answers[i]!, 0, 3)];
  const mean = sum(known.map(({ weight }) => weight)) / known.length;
  const error = sum(known.map(({ weight }, i) => (answers[i]![3]! - weight) ** 2));
  const spread = sum(known.map(({ weight }) => (weight - mean) ** 2));
  return { kind: known.filter(isRight).length / known.length, weight: 1 - error / spread };
}

const TEACHER = { onnx: 'teacher.onnx', outputs: { logits: 'kind', numbers: 'grams' } };
const WHOLE = {
  name: 'whole',
  teacher: TEACHER,
  baseline: false,
  distill: { ...BASE.distill, alpha: 0.7 },
  prune: [{ type: 'channels', amount: 0.25, maxDrop: 100, finetune: { epochs: 4 } }],
  quantize: { samples: 100, maxDrop: 100 },
  export: ['onnx', 'tflite'],
};
const FILES = ['distilled.onnx', 'pruned-1.onnx', 'pruned-1.tflite', 'pruned-1-int8.onnx', 'pruned-1-int8.tflite'];
const bytesOf = (name: string) => Promise.all(FILES.map((file) => readFile(inFolder(name, 'exports', file), 'base64')));

it('is trained: the loss falls, and both heads learn', async () => {
  const { report, losses } = await run({ name: 'first' });
  expect(losses.at(-1)).toBeLessThan(losses[0]! / 4);
  expect(report.models[0]!.score.test).toBeGreaterThan(0.8);
  const [weight] = report.models[0]!.errors!.rows;
  expect([weight!.name, weight!.r2! > 0.8]).toEqual(['weight', true]);
  const first = await readFile(inFolder('first/exports/scratch.onnx'));
  await writeFile(inFolder('teacher.onnx'), renamed(first, TEACHER.outputs));
});

let report: Report;
it('is taught by a file with outputs of other names, pruned and quantized, and goes on to the same bytes when it was stopped', async () => {
  ({ report } = await run(WHOLE));
  expect(report.teacher).toMatchObject({ source: 'teacher.onnx', store: 'fp32' });
  const before = await bytesOf('whole');
  const stop = new AbortController();
  const onEvent = (event: RunEvent): void => {
    if (event.type === 'epoch' && event.stage === 'distill' && event.epoch === 5) stop.abort();
  };
  const again = run(WHOLE, { existing: 'fresh', signal: stop.signal, onEvent });
  await expect(again).rejects.toThrow(/stopped distill after step \d+/);
  await run(WHOLE);
  expect(await bytesOf('whole')).toEqual(before);
});

it('says the likeness of each output of each file', () => {
  expect(report.parity.map(({ file }) => file.replace('exports/', ''))).toEqual(FILES);
  for (const { file, outputs } of report.parity) {
    expect(outputs!.map(({ name }) => name)).toEqual(['logits', 'numbers']);
    if (file.includes('int8')) for (const { sqnrDb } of outputs!) expect(sqnrDb).toBeGreaterThan(20);
  }
});

it.each([
  [
    { teacher: { ...TEACHER, outputs: { logits: 'grams', numbers: 'kind' } } },
    'teacher.onnx: expected [3] for the field logits, received the output grams [1]',
  ],
  [{ teacher: { onnx: 'teacher.onnx' } }, 'teacher.onnx has no output logits for the field logits'],
  [{ teacher: { ...TEACHER, outputs: { boxes: 'kind' } } }, 'expected a field of an answer: logits, numbers, received boxes'], // prettier-ignore
  [{ teacher: { ...TEACHER, output: 'kind' } }, 'teacher.output: expected no such key for fruit: outputs names an output for each field'], // prettier-ignore
  [{ teacher: { ensemble: [TEACHER, { ...TEACHER, outputs: { boxes: 'kind' } }] } }, 'teacher.ensemble[1].outputs.boxes: expected a field of an answer'], // prettier-ignore
  [{ teacher: { ...TEACHER, onnx: 'stuck.onnx' } }, 'stuck.onnx: field numbers: gives the same answer to 100 different samples'], // prettier-ignore
  [
    { student: { model: 'mlp' } },
    'model mlp: has one output that is trained, and answers of fruit are the outputs logits [3], numbers [1]',
  ],
  [{ student: { onnx: 'teacher.onnx' } }, 'student.onnx: has one output that is trained'],
  [{ student: { module: 'other.mjs' } }, 'expected one input and the outputs logits [3], numbers [1], received'],
])('refuses %j', async (change, message) => {
  await writeFile(
    inFolder('other.mjs'),
    MODULE.replace('{ units, name,', "{ units, name: name.replace('numbers', 'grams'),"),
  );
  await writeFile(inFolder('stuck.onnx'), withEnd(await readFile(inFolder('teacher.onnx')), 'Sub', ['grams', 'grams']));
  await expect(run({ ...WHOLE, name: 'refused', ...change })).rejects.toThrow(message);
});

it('answers with the order and the probabilities of a file turned into those of the data', async () => {
  const bytes = await readFile(inFolder('teacher.onnx'));
  const dataset = (await loadData(makeRecipe({ ...BASE, name: 'd' }, folder).recipe)).validation;
  const probe = { x: viewOf(dataset, [0, 1, 2, 3], { seed: 0, view: 0, augment: [] }), n: 4 };
  const settings = { layout: 'auto', outputs: TEACHER.outputs, intermediate: [] } as const;
  const answersOf = async (file: Uint8Array, classes?: readonly string[]): Promise<number[]> => {
    const source = { name: 't', bytes: file, dataset, probe, session: { executionProviders: ['cpu'] } };
    const teacher = await onnxTeacher(source, { ...settings, classes });
    const { logits } = await teacher.answer(probe.x, 4);
    await teacher.dispose();
    return [...logits];
  };
  const plain = await answersOf(bytes);
  const turned = await answersOf(bytes, ['plum', 'apple', 'pear', 'weight']);
  expect(turned).toEqual(plain.map((_, i) => plain[i - (i % 4) + [1, 2, 0, 3][i % 4]!]));
  const shares = await answersOf(withEnd(bytes, 'Softmax', ['kind']));
  // Logarithms of the probabilities: the logits but for a constant.
  for (let row = 0; row < 4; row++) {
    const at = row * 4;
    expect(shares[at + 1]! - shares[at]!).toBeCloseTo(plain[at + 1]! - plain[at]!, 3);
    expect(shares[at + 3]).toBe(plain[at + 3]);
  }
});

it('is compared field by field with its answers in 8 bits', () => {
  const dataset = { task: NAME, classNames: [...KINDS, 'weight'] } as unknown as Dataset;
  const [exact, rounded] = [Float32Array.of(3, 0, 0, 150, 0, 3, 0, 170), Float32Array.of(3, 0, 0, 160, 0, 3, 0, 160)];
  expect(alike([exact], [exact], dataset)).toMatchObject({ isEnough: true });
  expect(alike([exact], [rounded], dataset)).toMatchObject({
    isEnough: false,
    text: 'logits no difference; numbers 0.0 dB',
  });
});

it('is scored by a file', async () => {
  const found = await evaluateFile(
    inFolder('whole/exports/distilled.onnx'),
    makeRecipe({ ...BASE, name: 'e' }, folder),
    'test',
  );
  expect(found.score).toEqual({
    name: 'both right',
    value: report.models.find(({ id }) => id === 'distilled')!.score.test,
  });
});

it('is served: values of both outputs by name, and each output as a tensor', async () => {
  const server = await serving({ 'fruit.onnx': await readFile(inFolder('whole/exports/pruned-1-int8.onnx')) });
  try {
    const inputs = fruits(30, TRAINED).map(({ features }) => features);
    const { json } = await ask(server, '/v1/fruit', { body: { inputs } });
    const { predictions } = json as unknown as { predictions: { values: { label: string; score: number }[] }[] };
    expect(predictions[0]!.values.map(({ label }) => label)).toEqual(['apple', 'pear', 'plum', 'weight']);
    const { kind, weight } = heads(predictions.map(({ values }) => values.map((value) => value.score)));
    expect(kind).toBeGreaterThan(0.8);
    expect(weight).toBeGreaterThan(0.8);
    const tensor = { name: 'input', shape: [1, 3], datatype: 'FP32', data: [0, 0, 0] };
    const v2 = await ask(server, '/v2/models/fruit/infer', { body: { inputs: [tensor] } });
    expect(v2.json['outputs']).toMatchObject([
      { name: 'logits', shape: [1, 3] },
      { name: 'numbers', shape: [1, 1] },
    ]);
  } finally {
    await server.end();
  }
});

it('has no shadow, which keeps the logits of classes', async () => {
  const bytes = await readFile(inFolder('whole/exports/distilled.onnx'));
  const shadow = { teacher: inFolder('teacher.onnx'), share: 1 };
  await expect(serving({ 'fruit.onnx': bytes }, { shadow })).rejects.toThrow(
    'expected models that answer with one output, received the outputs logits, numbers',
  );
});

it('has a kit whose program for Node reads both outputs', async () => {
  const { skipped } = await writeKit(inFolder('whole'), inFolder('kit'));
  expect(skipped.map(({ what, why }) => `${what}: ${why}`)).toEqual([
    'samples/android: fruits have no sample for Android: classes, numbers, labels, tags, mask, boxes, points, vector have',
    'samples/ios: fruits have no sample for iOS: classes, numbers, labels, tags, mask, boxes, points, vector have',
    'samples/react-native: fruits have no sample for React Native: classes have',
    'samples/browser: it reads one output, and answers of fruit are 2',
  ]);
  const at = inFolder('kit/samples/node');
  await symlink(path.join(ROOT, 'node_modules'), path.join(at, 'node_modules'));
  const { stdout, stderr } = spawnSync(process.execPath, ['predict.mjs'], { cwd: at, encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^(apple \S+, pear \S+, plum \S+, weight \S+\n){5}$/);
});
