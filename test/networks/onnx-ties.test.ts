import { tensor } from '../../src/formats/onnx/model.ts';
import type { Model, OnnxTensor } from '../../src/formats/onnx/model.ts';
import { onnxNetwork } from '../../src/networks/onnx.ts';
import { untied } from '../../src/networks/onnx-ties.ts';
import { evaluator } from '../../src/runtime/evaluator.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { floats, modelOf, scalar } from '../support/onnx-steps.ts';
import type { Step } from '../support/onnx-steps.ts';

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

const trainedIn = (model: Model): string[] => {
  const options = { inputShape: [4], classes: 4, seed: 0, head: 'keep', freeze: [] } as const;
  return Object.keys(onnxNetwork(model, 'm.onnx', options).trainable).sort();
};

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
  const linear = (...args: string[]) =>
    noted(model, signature, [[call('linear', ...args), 'RemoveOptionalBiasFromGemm']]);
  const { model: own, restored } = untied(linear('%p_fc_weight', '%p_fc_bias'));
  expect(restored).toEqual(['fc.bias']);
  expect(own.graph.initializers.at(-1)).toMatchObject({ name: 'fc.bias', dims: [size], raw: new Uint8Array(4 * size) });
  // A layer without a bias has none, though the exporter wrote zeros and took them away.
  expect(untied(linear('%p_fc_weight', 'None')).restored).toEqual([]);
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
