import { withTensorEnds } from '../../../../src/formats/onnx/rewrite/classifier-ends.ts';
import type { Model, OnnxAttr, OnnxNode, ValueInfo } from '../../../../src/formats/onnx/model.ts';
import { decodeModel, encodeModel } from '../../../../src/formats/onnx/protobuf.ts';
import { InferenceModel } from '../../../../src/runtime/inference.ts';

const NAMES = ['setosa', 'versicolor', 'virginica'];
const COEFFICIENTS = [1, -2, 0.5, 3, -1, 0.25];

function node(op: string, inputs: string[], outputs: string[], attrs: [string, OnnxAttr][]): OnnxNode {
  return { op, domain: op === 'Cast' ? '' : 'ai.onnx.ml', name: op, inputs, outputs, attrs: new Map(attrs) };
}

/** sequence(map(string, tensor(float))), as skl2onnx and CatBoost declare what a ZipMap gives. */
const DICTIONARIES = Uint8Array.from([
  0x22, 0x0c, 0x0a, 0x0a, 0x2a, 0x08, 0x08, 0x08, 0x12, 0x04, 0x0a, 0x02, 0x08, 0x01,
]);
const LABEL: ValueInfo = { name: 'label', dtype: 'string', dims: [null] };

/** A linear classifier of three classes whose outputs are a label in words, and `scores` made by `nodes` of the tensor `raw`. */
function classifier(
  nodes: readonly OnnxNode[],
  outputs: readonly ValueInfo[],
  metadata = new Map<string, string>(),
): Model {
  const linear = node(
    'LinearClassifier',
    ['x'],
    ['label', 'raw'],
    [
      ['classlabels_strings', { type: 'strings', value: NAMES }],
      ['coefficients', { type: 'floats', value: COEFFICIENTS }],
      ['intercepts', { type: 'floats', value: [0, 0.5, -0.5] }],
      ['multi_class', { type: 'int', value: 1 }],
      ['post_transform', { type: 'string', value: 'SOFTMAX' }],
    ],
  );
  const x: ValueInfo = { name: 'x', dtype: 'float32', dims: ['n', 2] };
  const graph = { name: 'g', nodes: [linear, ...nodes], initializers: [], inputs: [x], outputs, valueInfos: [] };
  const opsets = new Map([
    ['', 13],
    ['ai.onnx.ml', 2],
  ]);
  const model = { irVersion: 8, opsets, producerName: '', producerVersion: '', graph, metadata, functions: [] };
  return decodeModel(encodeModel(model), 'm.onnx');
}

const X = Float32Array.of(1, 2, -1, 0.5);
const [first, second] = [X.subarray(0, 2), X.subarray(2)];
const expected = [first, second].flatMap((x) => {
  const scores = [0, 1, 2].map(
    (c) => COEFFICIENTS[2 * c]! * x[0]! + COEFFICIENTS[2 * c + 1]! * x[1]! + [0, 0.5, -0.5][c]!,
  );
  const exps = scores.map(Math.exp);
  return exps.map((value) => value / (exps[0]! + exps[1]! + exps[2]!));
});

async function answersOf(model: Model, output: string, x = X): Promise<number[]> {
  const session = new InferenceModel(encodeModel(model), 'm.onnx', { executionProviders: ['cpu'] });
  const { [output]: given } = await session.run({ x: { data: x, shape: [2, 2] } }, [output]);
  session.dispose();
  expect(given!.shape).toEqual([2, 3]);
  return [...(given!.data as Float32Array)];
}

it.each<[string, readonly OnnxNode[], ValueInfo]>([
  [
    'dictionaries of scores',
    [node('ZipMap', ['raw'], ['scores'], [['classlabels_strings', { type: 'strings', value: NAMES }]])],
    { name: 'scores', otherType: DICTIONARIES },
  ],
  ['scores', [], { name: 'raw', dtype: 'float32', dims: [null, 3] }],
  [
    'scores of 64 bits',
    [node('Cast', ['raw'], ['scores'], [['to', { type: 'int', value: 11 }]])],
    { name: 'scores', dtype: 'float64', dims: [null, 3] },
  ],
])('%s beside a label in words become numbers, with the names of the classes', async (_, nodes, output) => {
  const model = withTensorEnds(classifier(nodes, [LABEL, output]));
  expect(model.graph.outputs).toEqual([{ name: output.name, dtype: 'float32', dims: [null, 3] }]);
  expect(model.metadata.get('labels')).toBe(JSON.stringify(NAMES));
  expect(await answersOf(model, output.name)).toEqual(expected.map((value) => expect.closeTo(value, 5) as number));
});

it('takes inputs of 64 bits in 32, as skl2onnx writes them for columns of pandas', async () => {
  const plain = classifier([], [LABEL, { name: 'raw', dtype: 'float32', dims: [null, 3] }]);
  const [x] = plain.graph.inputs;
  const narrow = node('Cast', ['x'], ['x32'], [['to', { type: 'int', value: 1 }]]);
  const nodes = [narrow, ...plain.graph.nodes.map((one) => ({ ...one, inputs: ['x32'] }))];
  const inputs: ValueInfo[] = [{ ...x!, dtype: 'float64' }];
  const model = withTensorEnds({ ...plain, graph: { ...plain.graph, inputs, nodes } });
  expect(model.graph.inputs).toEqual([x]);
  expect(await answersOf(model, 'raw')).toEqual(expected.map((value) => expect.closeTo(value, 5) as number));
});

it('fills missing values of inputs of 64 bits, as a SimpleImputer of scikit-learn does', async () => {
  const plain = classifier([], [LABEL, { name: 'raw', dtype: 'float32', dims: [null, 3] }]);
  const imputer = node(
    'Imputer',
    ['x'],
    ['filled'],
    [
      ['imputed_value_floats', { type: 'floats', value: [1, 0.5] }],
      ['replaced_value_float', { type: 'float', value: NaN }],
    ],
  );
  const narrow = node('Cast', ['filled'], ['x32'], [['to', { type: 'int', value: 1 }]]);
  const nodes = [imputer, narrow, ...plain.graph.nodes.map((one) => ({ ...one, inputs: ['x32'] }))];
  const inputs: ValueInfo[] = [{ ...plain.graph.inputs[0]!, dtype: 'float64' }];
  const model = withTensorEnds({ ...plain, graph: { ...plain.graph, inputs, nodes } });
  const given = await answersOf(model, 'raw', Float32Array.of(NaN, 2, -1, NaN));
  expect(given).toEqual(expected.map((value) => expect.closeTo(value, 5) as number));
});

it('keeps names that the file states itself, and a file of numbers as it is', () => {
  const output: ValueInfo = { name: 'raw', dtype: 'float32', dims: [null, 3] };
  const stated = new Map([['labels', '["a","b","c"]']]);
  expect(withTensorEnds(classifier([], [LABEL, output], stated)).metadata).toEqual(stated);
  const plain = classifier([], [output]);
  expect(withTensorEnds(plain)).toBe(plain);
  const wordsAlone = classifier([], [LABEL]);
  expect(withTensorEnds(wordsAlone)).toBe(wordsAlone);
});
