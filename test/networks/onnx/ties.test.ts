import { tensor } from '../../../src/formats/onnx/model.ts';
import type { Model, OnnxTensor } from '../../../src/formats/onnx/model.ts';
import { onnxNetwork } from '../../../src/networks/onnx/onnx.ts';
import { untied } from '../../../src/networks/onnx/ties.ts';
import { evaluator } from '../../../src/runtime/onnxruntime/evaluator.ts';
import { useLazyBackend } from '../../../src/trace/use.ts';
import { floats, modelOf, scalar } from '../../support/onnx-steps.ts';
import type { Step } from '../../support/onnx-steps.ts';

beforeAll(() => useLazyBackend(evaluator));

const filled = (value: number, ...dims: number[]): OnnxTensor =>
  tensor('', 'float32', dims, new Float32Array(dims.reduce((a, b) => a * b, 1)).fill(value));

/** Model of nodes with these names, by this producer. */
function named(model: Model, names: readonly string[], producerName = 'pytorch'): Model {
  const nodes = model.graph.nodes.map((node, i) => ({ ...node, name: names[i] ?? node.name }));
  return { ...model, producerName, graph: { ...model.graph, nodes } };
}

/** Model of PyTorch's newer exporter: parameters and buffers by their names, and the calls that nodes are of, with the rule that changed them. */
function noted(model: Model, signature: Record<string, string>, calls: readonly (string | readonly [string, string])[]): Model {
  const lines = Object.entries(signature).map(([name, kind]) => `p_${name.replaceAll('.', '_')}: ${kind} target='${name}'\n`);
  const metadata = new Map([['pkg.torch.export.ExportedProgram.graph_signature', `\n# inputs\n${lines.join('')}x: USER_INPUT\n`]]);
  const nodes = model.graph.nodes.map((node, i) => {
    const [call, rule = ''] = [calls[i] ?? ''].flat();
    const notes = { 'pkg.torch.onnx.fx_node': call!, 'pkg.onnxscript.rewriter.rule_name': rule };
    return { ...node, metadata: new Map(Object.entries(notes)) };
  });
  return { ...model, producerName: 'pytorch', graph: { ...model.graph, nodes, metadata } };
} // prettier-ignore

const call = (target: string, ...args: string[]): string =>
  `%y : [num_users=1] = call_function[target=torch.ops.aten.${target}.default](args = (%x, ${args.join(', ')}), kwargs = {})`;

/** The stored tensors that each node reads. */
function readBy({ graph }: Model): string[][] {
  const stored = new Set(graph.initializers.map(({ name }) => name));
  return graph.nodes.map(({ inputs }) => inputs.filter((name) => stored.has(name)));
}

const OPTIONS = { inputShape: [4], classes: 4, seed: 0, head: 'keep', freeze: [] } as const;

const trainedIn = (model: Model): string[] => Object.keys(onnxNetwork(model, 'm.onnx', OPTIONS).trainable).sort();
const originIn = (model: Model): string => onnxNetwork(model, 'm.onnx', OPTIONS).origin!.join('\n');

describe('weights that a file stores as one', () => {
  const norm: Step = ['LayerNormalization', ['x', 'one', 'nought']];
  const norms: Step[] = [
    norm,
    ['LayerNormalization', ['y0', 'one', 'nought']],
    ['LayerNormalization', ['y1', 'one', 'nought']],
  ];
  const stored = { one: filled(1, 4), nought: filled(0, 4) };

  it('are told apart by the names that Identities keep; one that is read twice under a name stays one', () => {
    const steps: Step[] = [
      ['Identity', ['w'], {}, ['b.weight']],
      ['Identity', ['onnx::MatMul_7'], {}, ['onnx::MatMul_8']],
      ['Identity', ['onnx::MatMul_7'], {}, ['onnx::MatMul_9']],
      ['MatMul', ['x', 'w']],
      ['MatMul', ['y3', 'b.weight']],
      ['MatMul', ['y4', 'w']],
      ['MatMul', ['y5', 'onnx::MatMul_7']],
      ['MatMul', ['y6', 'onnx::MatMul_8']],
      ['MatMul', ['y7', 'onnx::MatMul_9']],
    ];
    // The second Identity is of a layer that is called again, the third of another layer.
    const names = ['', '', '', '/a/MatMul', '/b/MatMul', '/a_1/MatMul', '/c/MatMul', '/c_1/MatMul', '/d/MatMul'];
    const model = named(modelOf(['N', 4], { w: floats(4, 4), 'onnx::MatMul_7': floats(4, 4) }, steps), names);
    const { model: own, split } = untied(model);
    expect(split).toEqual(['b.weight', 'onnx::MatMul_9']);
    const [first, copy] = ['w', 'b.weight'].map((name) => own.graph.initializers.find((one) => one.name === name)!);
    expect(copy!.raw).toEqual(first!.raw);
    expect(copy!.raw.buffer).not.toBe(first!.raw.buffer);
    expect(trainedIn(model)).toEqual(['b.weight', 'onnx::MatMul_7', 'onnx::MatMul_9', 'w']);
    // Of another tool's file an Identity says nothing of that kind.
    expect(untied(named(model, names, 'tf2onnx')).split).toEqual([]);
  });

  it('are one for each node where their values are all equal, but one for all calls of a module', () => {
    const model = named(modelOf(['N', 4], stored, norms), ['/a/Norm', '/b/Norm', '/b_1/Norm'], 'simplifier');
    const { model: own, split } = untied(model);
    expect(split).toEqual(['/b/Norm.one', '/b/Norm.nought']);
    expect(readBy(own)).toEqual([
      ['one', 'nought'],
      ['/b/Norm.one', '/b/Norm.nought'],
      ['/b/Norm.one', '/b/Norm.nought'],
    ]);
    expect(trainedIn(model)).toHaveLength(4);
  });

  it('are one for each place of a batch norm, whose statistics are then its own', () => {
    const steps: Step[] = [
      ['BatchNormalization', ['x', 'one', 'nought', 'nought', 'one']],
      ['MatMul', ['y0', 'fc']],
    ];
    const model = modelOf(['N', 4], { ...stored, fc: floats(4, 4) }, steps);
    expect(readBy(untied(model).model)[0]).toEqual(['one', 'nought', 'node_0.3', 'node_0.4']);
    expect(trainedIn(model)).toEqual(['fc', 'nought', 'one']);
  });

  it('stay one where their values differ, and where they are one number', () => {
    const steps: Step[] = [
      ['MatMul', ['x', 'w']],
      ['Mul', ['y0', 'half']],
      ['MatMul', ['y1', 'w']],
      ['Mul', ['y2', 'half']],
    ];
    expect(untied(modelOf(['N', 4], { w: floats(4, 4), half: scalar(0.5) }, steps)).split).toEqual([]);
  });

  it('are told apart by the parameters that the exporter notes, whatever their values', () => {
    const parameters = ['a.weight', 'a.bias', 'b.weight', 'b.bias', 'c.weight', 'c.bias', 'd.weight', 'd.bias'];
    const signature = Object.fromEntries(parameters.map((name) => [name, 'PARAMETER']));
    const steps: Step[] = [
      ...norms.map(([op, inputs]): Step => [
        op,
        inputs.map((name) => ({ one: 'a.weight', nought: 'a.bias' })[name] ?? name),
      ]),
      ['MatMul', ['y2', 'c.weight']],
      ['Add', ['y3', 'a.bias']],
      ['MatMul', ['y4', 'c.weight']],
      ['Add', ['y5', 'a.bias']],
    ];
    const model = modelOf(
      ['N', 4],
      { 'a.weight': stored.one, 'a.bias': stored.nought, 'c.weight': floats(4, 4) },
      steps,
    );
    const [a, b] = ['a', 'b'].map((name) => call('layer_norm', `%p_${name}_weight`, `%p_${name}_bias`));
    const [c, d] = ['c', 'd'].map((name) => call('linear', `%p_${name}_weight`, `%p_${name}_bias`));
    // The first norm is called again at last.
    const { model: own } = untied(noted(model, signature, [a!, b!, a!, c!, c!, d!, d!]));
    expect(readBy(own)).toEqual([
      ...[
        ['a.weight', 'a.bias'],
        ['b.weight', 'b.bias'],
        ['a.weight', 'a.bias'],
      ],
      ...[['c.weight'], ['c.bias'], ['d.weight'], ['d.bias']],
    ]);
    expect(trainedIn(noted(model, signature, [a!, b!, a!, c!, c!, d!, d!]))).toEqual([...parameters].sort());
  });

  it('are told apart where the exporter stores a parameter in another shape, under the name of that call', () => {
    const steps: Step[] = [
      ['Mul', ['x', 'view']],
      ['Add', ['y0', 'view']],
      ['MatMul', ['y1', 'fc']],
    ];
    const addcmul = `%y : [num_users=1] = call_function[target=torch.ops.aten.addcmul.default](args = (%view, %view_1, %x), kwargs = {})`;
    const model = noted(modelOf(['N', 4], { view: stored.nought, fc: floats(4, 4) }, steps), { fc: 'PARAMETER' }, [addcmul, addcmul]); // prettier-ignore
    expect(readBy(untied(model).model)).toEqual([['view_1'], ['view'], ['fc']]);
  });

  it('have the kind of the parameter that they are: a buffer is not trained', () => {
    const steps: Step[] = [
      ['Mul', ['x', 'gain']],
      ['Mul', ['y0', 'gain']],
      ['MatMul', ['y1', 'fc']],
    ];
    const signature = { gain: 'PARAMETER', mask: 'BUFFER', fc: 'PARAMETER' };
    const calls = [call('mul', '%p_gain'), call('mul', '%p_mask')];
    const model = noted(modelOf(['N', 4], { gain: stored.one, fc: floats(4, 4) }, steps), signature, calls);
    expect(readBy(untied(model).model)).toEqual([['gain'], ['mask'], ['fc']]);
    expect(trainedIn(model)).toEqual(['fc', 'gain']);
  });
});

it.each([
  ['Gemm', [4, 4], 4],
  ['Gemm', [4, 3], 3],
  ['Gemm, transposed', [3, 4], 3],
] as const)('a bias of zeros that the exporter left out is there again: %s %j', (op, dims, size) => {
  const attrs = op === 'Gemm' ? {} : { transB: 1 };
  const model = modelOf(['N', 4], { 'fc.weight': floats(...dims) }, [['Gemm', ['x', 'fc.weight'], attrs]]);
  const signature = { 'fc.weight': 'PARAMETER', 'fc.bias': 'PARAMETER' };
  const linear = (args: string[], of: Record<string, string> = signature) =>
    noted(model, of, [[call('linear', ...args), 'RemoveOptionalBiasFromGemm']]);
  const { model: own, restored } = untied(linear(['%p_fc_weight', '%p_fc_bias']));
  expect(restored).toEqual(['fc.bias']);
  expect(own.graph.initializers.at(-1)).toMatchObject({ name: 'fc.bias', dims: [size], raw: new Uint8Array(4 * size) });
  // A layer without a bias has none, though the exporter wrote zeros and took them away.
  expect(untied(linear(['%p_fc_weight', 'None'])).restored).toEqual([]);
  // PyTorch does not train a buffer.
  const ofBuffer = linear(['%p_fc_weight', '%p_fc_bias'], { ...signature, 'fc.bias': 'BUFFER' });
  expect(untied(ofBuffer).restored).toEqual([]);
});

describe('a bias of zeros of a layer with computed weights, as NFNets have them', () => {
  const steps: Step[] = [
    ['Mul', ['fc.weight', 'fc.weight'], {}, ['mul']],
    ['Gemm', ['x', 'mul'], { transB: 1 }],
  ];
  const model = modelOf(['N', 4], { 'fc.weight': floats(4, 4) }, steps);
  const signature = { 'fc.weight': 'PARAMETER', 'fc.bias': 'PARAMETER' };
  const calls = [call('mul', '%p_fc_weight'), [call('linear', '%mul', '%p_fc_bias'), 'RemoveOptionalBiasFromGemm']] as const; // prettier-ignore
  const given = noted(model, signature, calls);

  it('is trained where the file has the size of the weights', () => {
    const whole = { ...given, graph: { ...given.graph, valueInfos: [{ name: 'mul', dims: [4, 4] }] } };
    expect(trainedIn(whole)).toEqual(['fc.bias', 'fc.weight']);
    expect(originIn(whole)).toMatch(/biases of zeros, which the exporter left out, are trained: fc\.bias$/m);
    expect(originIn(whole)).not.toMatch(/that the file has not/);
  });

  it('is named as a parameter that is not trained where it has not', () => {
    expect(trainedIn(given)).toEqual(['fc.weight']);
    expect(originIn(given)).toMatch(/parameters that the file has not, so that they are not trained .*: fc\.bias$/m);
  });
});

it('a parameter that the file has not is named: of two equal norms of one value the exporter keeps one, with the notes of that', () => {
  const steps: Step[] = [
    ['LayerNormalization', ['x', 'a.weight', 'a.bias']],
    ['Mul', ['y0', 'y0']],
    ['MatMul', ['y1', 'fc']],
  ];
  const stored = { 'a.weight': filled(1, 4), 'a.bias': filled(0, 4), fc: floats(4, 4) };
  const names = ['a.weight', 'a.bias', 'b.weight', 'b.bias', 'fc', 'folded.weight'];
  const calls = [
    call('layer_norm', '%p_a_weight', '%p_a_bias'),
    call('mul', '%layer_norm', '%layer_norm_1'),
    // A batch norm that was folded into the layer is in its call.
    call('linear', '%mul', '%p_fc', '%p_folded_weight'),
  ];
  const model = noted(modelOf(['N', 4], stored, steps), Object.fromEntries(names.map((one) => [one, 'PARAMETER'])), calls); // prettier-ignore
  expect(originIn(model)).toMatch(
    /parameters that the file has not, so that they are not trained \([^)]*\): b\.weight, b\.bias$/m,
  );
  const whole = noted(modelOf(['N', 4], stored, steps), Object.fromEntries(names.slice(0, 2).map((one) => [one, 'PARAMETER'])), calls); // prettier-ignore
  expect(originIn(whole)).not.toMatch(/that the file has not/);
});

it('copies of a stored table have its notes: numbers of the model are not trained, and tables of parameters have the names of their own modules', () => {
  const tables = (from: string): { model: Model; origin: string } => {
    const steps: Step[] = [
      ['Add', ['x', 'select']],
      ['Add', ['y0', 'select']],
      ['MatMul', ['y1', 'fc']],
    ];
    const signature = {
      'a.table': 'PARAMETER',
      'b.table': 'PARAMETER',
      fc: 'PARAMETER',
      'a.cached': 'CONSTANT_TENSOR',
    };
    const calls = [call('add', '%select'), call('add', '%select_1'), call('linear', '%p_fc')];
    const { graph, ...rest } = noted(modelOf(['N', 4], { select: filled(0, 4), fc: floats(4, 4) }, steps), signature, calls); // prettier-ignore
    const scopes = ["['', 'a', 'add']", "['', 'b', 'add_1']", "['', 'fc', 'linear']"];
    const nodes = graph.nodes.map((node, i) => ({
      ...node,
      metadata: new Map([...node.metadata!, ['pkg.torch.onnx.name_scopes', scopes[i]!]]),
    }));
    const folded = new Map([['pkg.onnxscript.optimizer.folded_from', `['${from}', 'val_3']`]]);
    const model = { ...rest, graph: { ...graph, nodes, valueInfos: [{ name: 'select', metadata: folded }] } };
    return { model, origin: originIn(model) };
  };
  const ofParameters = tables('a.table');
  expect(trainedIn(ofParameters.model)).toEqual(['fc', 'select', 'select_1']);
  expect(ofParameters.origin).toMatch(/trained in their place: select \(computed from a\.table\), select_1 \(computed from b\.table\)$/m); // prettier-ignore
  expect(ofParameters.origin).not.toMatch(/that the file has not/);
  const ofNumbers = tables('a.cached');
  expect(trainedIn(ofNumbers.model)).toEqual(['fc']);
  expect(ofNumbers.origin).toMatch(/that are not learned stay as they are: select, select_1$/m);
  expect(ofNumbers.origin).toMatch(/that the file has not, .*: a\.table, b\.table$/m);
  const asked = onnxNetwork(ofNumbers.model, 'm.onnx', { ...OPTIONS, trainable: ['select*'] });
  expect(Object.keys(asked.trainable).sort()).toEqual(['fc', 'select', 'select_1']);
});

it('a matrix that is stored beside its transpose stays one weight', () => {
  const w = floats(6, 4);
  const turned = tensor(
    '',
    'float32',
    [4, 6],
    Float32Array.from({ length: 24 }, (_, i) => new Float32Array(w.raw.buffer)[(i % 6) * 4 + Math.floor(i / 6)]!),
  );
  const steps: Step[] = [
    ['MatMul', ['x', 'val_3']],
    ['MatMul', ['y0', 'embedding']],
  ];
  expect(trainedIn(modelOf(['N', 4], { embedding: w, val_3: turned }, steps))).toEqual(['embedding']);
  expect(trainedIn(modelOf(['N', 4], { embedding: w, val_3: floats(4, 6) }, steps))).toEqual(['embedding', 'val_3']);
});
