import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { decodeModel } from '../../../../src/formats/onnx/protobuf.ts';
import { describeTflite } from '../../../../src/formats/tflite/describe/describe.ts';
import { runRecipe } from '../../../../src/run/run.ts';
import { makeRecipe } from '../../../../src/setup/make-recipe.ts';
import { isWorse } from '../../../../src/tasks/classification/classes.ts';
import { DIGITS, QUICK } from '../../../support/digits.ts';
import { temporaryFolder } from '../../../support/folder.ts';

const folder = temporaryFolder();

/** `count` samples of which the last `wrong` are wrong. */
const right = (count: number, wrong: number): boolean[] => Array.from({ length: count }, (_, i) => i < count - wrong);

it.each([
  [0, false],
  [5, false],
  [6, true],
  [20, true],
])('%d samples that one has wrong and the other right are more than chance: %s', (lost, expected) => {
  expect(isWorse(right(100, lost), right(100, 0))).toBe(expected);
  expect(isWorse(right(100, 0), right(100, lost))).toBe(false);
});

it('samples that only the other has wrong count against it', () => {
  const [a, b] = [right(100, 12), right(100, 12).reverse()];
  expect(isWorse(a, b)).toBe(false);
  expect(isWorse(a, right(100, 0))).toBe(true);
});

/** A hidden unit with a weight of `large` on the first pixel, which is 0 in every digit: nothing but the scales change. */
const student = (large: number): string => `
export default ({ tf, inputShape, classes, seed }) => {
  const init = { className: 'GlorotUniform', config: { seed } };
  const model = tf.sequential({
    layers: [
      tf.layers.flatten({ inputShape }),
      tf.layers.dense({ units: 16, activation: 'relu', kernelInitializer: init, name: 'hidden' }),
      tf.layers.dense({ units: classes, kernelInitializer: init, name: 'logits' }),
    ],
  });
  const [kernel, ...others] = model.getWeights();
  const values = kernel.dataSync().slice();
  values[15] = ${large};
  model.setWeights([tf.tensor(values, kernel.shape), ...others]);
  return model;
};
`;

const QUANTIZE = [
  { samples: 64, maxDrop: 100 },
  { scheme: 'dynamic-int8', maxDrop: 100 },
  { scheme: 'int16x8', samples: 64, maxDrop: 100 },
  { samples: 64, method: 'qat', qat: { epochs: 1 }, maxDrop: 100 },
];
const NAMES = ['int8', 'dynamic-int8', 'int16x8', 'int8-qat'];

/** The run's report, and by ending of its name what each file with int8 weights has for the first dense layer. */
async function shipped(large: number, quantize: readonly object[]) {
  await writeFile(path.join(folder(), 'student.mjs'), student(large));
  const recipe = {
    name: 'r',
    dataset: DIGITS,
    student: { module: path.join(folder(), 'student.mjs') },
    distill: { epochs: 8, batchSize: 64 },
    export: ['onnx', 'tflite'],
    quantize,
    ...QUICK,
  };
  const { report } = await runRecipe(makeRecipe(recipe, folder()), { out: folder() });
  const read = async (name: string): Promise<Uint8Array> =>
    new Uint8Array(await readFile(path.join(folder(), 'r/exports', `scratch-${name}`)));
  const onTflite = async (name: string): Promise<unknown> => {
    const { layers, minimumRuntime } = describeTflite(await read(`${name}.tflite`));
    const versions = layers.flatMap(({ op, version }) => (op === 'FULLY_CONNECTED' ? [version] : []));
    return [versions[0], minimumRuntime];
  };
  const onOnnx = async (name: string): Promise<number> => {
    const { graph } = decodeModel(await read(`${name}.onnx`), name);
    const stored = new Map(graph.initializers.map((one) => [one.name, one]));
    const [weights] = graph.nodes.filter(
      ({ op, inputs }) => op === 'DequantizeLinear' && stored.get(inputs[0]!)?.dims.length === 2,
    );
    return stored.get(weights!.inputs[1]!)!.dims[0] ?? 1;
  };
  return { report, onTflite, onOnnx };
}

it('dense layers of TFLite files have one scale; ONNX files have one by output unless both share a training', async () => {
  const { report, onTflite, onOnnx } = await shipped(0, QUANTIZE);
  const found = await Promise.all(NAMES.map(onTflite));
  expect(found).toEqual([
    [4, '1.14.0'],
    [9, '2.3.0'],
    [7, '2.3.0'],
    [4, '1.14.0'],
  ]);
  expect(await Promise.all(['int8', 'int8-qat'].map(onOnnx))).toEqual([16, 1]);
  expect(report.notes.filter((note) => note.includes('dense layer'))).toEqual([]);
  const [float, ...others] = report.models;
  for (const { score } of others) expect(score.validation).toBeGreaterThan(float!.score.validation! - 0.05);
}, 120_000);

it('they have one by output where one for all costs validation accuracy, which the report says', async () => {
  const { report, onTflite, onOnnx } = await shipped(60, QUANTIZE);
  for (const name of NAMES) expect([name, await onTflite(name)]).toEqual([name, [12, '2.17.0']]);
  expect(await Promise.all(['int8', 'int8-qat'].map(onOnnx))).toEqual([16, 16]);
  expect(report.notes).toContainEqual(
    expect.stringMatching(
      /^TFLite files have one scale for each output of a dense layer, which needs TensorFlow Lite 2\.17: .* is right on \d+\.\d+ % of the validation split, accuracy \d+\.\d+ % with one scale for a layer$/,
    ),
  );
  const [float, ...others] = report.models;
  for (const { score } of others) expect(score.validation).toBeGreaterThan(float!.score.validation! - 0.1);
}, 120_000);
