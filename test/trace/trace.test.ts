import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { UserError } from '../../src/base/errors.ts';
import { printGraph } from '../../src/graph/print.ts';
import { batchNormTrain } from '../../src/trace/ops/batch-norm.ts';
import { uniformFeed } from '../../src/trace/random.ts';
import { traceFunction, traceProgram } from '../../src/trace/trace.ts';
import { useCpu } from '../support/cpu.ts';
import { float32, opsOf } from '../support/graphs.ts';

beforeAll(useCpu);

/** The error's message and hint, as the user sees them. */
function refusal(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return `${error.message}\n${error.hint}`;
  }
  throw new Error('nothing was refused');
}

describe('a traced program', () => {
  it('may be deeper than what is computed at once outside of a trace', () => {
    const graph = traceFunction(
      ({ x }) => {
        let y = x!;
        for (let i = 0; i < 1200; i++) y = tf.mul(tf.relu(y), x!);
        return { y };
      },
      { x: float32(2) },
    );
    expect(graph.nodes.filter(({ op }) => op === 'Relu')).toHaveLength(1200);
  });

  const run = (
    feeds: Readonly<Record<string, tf.Tensor>>,
    w: tf.Variable,
    moved: tf.Variable,
  ): Record<string, tf.Tensor> => {
    const y = tf.matMul(feeds.x as tf.Tensor2D, w);
    moved.assign(tf.mul(moved, 0.9));
    return { loss: tf.sum(y) };
  };

  it('has feeds as inputs, variables as state, results as outputs and assignments as updates', () => {
    const [w, moved] = [tf.variable(tf.ones([3, 2])), tf.variable(tf.ones([2]))];
    const graph = traceProgram({
      feeds: { x: float32(4, 3) },
      state: { w, moved },
      run: (feeds) => run(feeds, w, moved),
    });
    expect(printGraph(graph)).toBe(
      [
        'input  x: float32[4, 3]',
        'state  w: float32[3, 2]',
        'state  moved: float32[2]',
        `const  const_1: float32[] = ${Math.fround(0.9)}`,
        'BatchMatMul_1: float32[4, 2] = BatchMatMul(x, w) {transposeA: false, transposeB: false}',
        'Multiply_1: float32[2] = Multiply(moved, const_1)',
        'Sum_1: float32[] = Sum(BatchMatMul_1) {axes: [0, 1], keepDims: false}',
        'output loss = Sum_1',
        'update moved = Multiply_1',
      ].join('\n'),
    );
    tf.dispose([w, moved]);
  });

  it('leaves variables, the current backend and the count of tensors as they were', () => {
    const [w, moved] = [tf.variable(tf.ones([3, 2])), tf.variable(tf.fill([2], 7))];
    const before = tf.memory();
    traceProgram({ feeds: { x: float32(4, 3) }, state: { w, moved }, run: (feeds) => run(feeds, w, moved) });
    const after = tf.memory();
    expect([after.numTensors, after.numDataBuffers, after.numBytes]).toEqual([
      before.numTensors,
      before.numDataBuffers,
      before.numBytes,
    ]);
    expect(tf.getBackend()).toBe('cpu');
    expect([...moved.dataSync()]).toEqual([7, 7]);
    tf.dispose([w, moved]);
  });

  it('leaves them so when the program throws', () => {
    const w = tf.variable(tf.fill([2], 3));
    const before = tf.memory().numTensors;
    const program = {
      feeds: { x: float32(2) },
      state: { w },
      run: (): Record<string, tf.Tensor> => {
        w.assign(tf.zeros([2]));
        throw new Error('in the step');
      },
    };
    expect(() => traceProgram(program)).toThrow('in the step');
    expect([...w.dataSync()]).toEqual([3, 3]);
    expect(tf.memory().numTensors).toBe(before);
    w.dispose();
  });

  it('gives the same text every time', () => {
    const model = tfl.sequential({
      layers: [
        tfl.layers.dense({ units: 3, inputShape: [4], activation: 'relu', name: 'hidden' }),
        tfl.layers.dense({ units: 2, name: 'logits' }),
      ],
    });
    const state = Object.fromEntries(
      model.weights.map((weight, i) => [`w${i}`, weight.read() as unknown as tf.Variable]),
    );
    const trace = (): string =>
      printGraph(traceFunction(({ x }) => ({ y: model.apply(x!) as tf.Tensor }), { x: float32(5, 4) }, state));
    expect(trace()).toBe(trace());
    expect(trace()).toContain('# logits');
    expect(trace()).not.toContain(model.name);
  });

  it('converts feeds of dtypes that tfjs has not', () => {
    const graph = traceFunction(({ image }) => ({ y: tf.div(tf.cast(image!, 'float32'), 255) }), {
      image: { dtype: 'uint8', shape: [2, 4] },
    });
    expect(graph.inputs.get('image')!.dtype).toBe('uint8');
    expect(opsOf(graph)).toEqual(['Cast', 'Cast', 'RealDiv']);
  });

  it('names random feeds in the order of their calls', () => {
    const graph = traceFunction(({ x }) => ({ y: tf.add(tf.add(x!, uniformFeed([2])), uniformFeed([2])) }), {
      x: float32(2),
    });
    expect([...graph.inputs.keys()]).toEqual(['x', 'random/0', 'random/1']);
  });

  it('has training batch norm as one op forward and one backward', () => {
    const graph = traceFunction(
      ({ x, scale, offset }) => {
        const fn = (a: tf.Tensor): tf.Scalar => tf.sum(tf.square(batchNormTrain(a, scale!, offset!, 1e-3).y));
        return { dx: tf.grad(fn)(x!) };
      },
      { x: float32(8, 3), scale: float32(3), offset: float32(3) },
    );
    expect(opsOf(graph).filter((op) => op.startsWith('BatchNorm'))).toEqual(['BatchNormTrain', 'BatchNormTrainGrad']);
  });
});

describe('a program that cannot be traced is refused', () => {
  it('when it reads a value, naming op, layer and remedy', () => {
    const layer = tfl.layers.dense({ units: 2, name: 'logits' });
    layer.apply(tf.zeros([1, 3]));
    const state = {
      kernel: layer.weights[0]!.read() as unknown as tf.Variable,
      bias: layer.weights[1]!.read() as unknown as tf.Variable,
    };
    const message = refusal(() =>
      traceFunction(
        ({ x }) => {
          const y = layer.apply(x!) as tf.Tensor;
          return { y: y.dataSync()[0]! > 0 ? y : tf.neg(y) };
        },
        { x: float32(4, 3) },
        state,
      ),
    );
    expect(message).toMatch(/a step read the result of Add in layer logits.*while a step is traced it has no value/);
    expect(message).toMatch(/Return the tensor from the step/);
  });

  it('when a feed itself is read', () => {
    expect(
      refusal(() => traceFunction(({ x }) => ({ y: tf.mul(x!, x!.dataSync()[0]!) }), { x: float32(1) })),
    ).toContain('a step read the input x');
  });

  it.each<[string, (w: tf.Variable) => Record<string, tf.Tensor>, string]>([
    ['reads', (w) => ({ y: tf.neg(w) }), 'the step reads the variable forgotten, which is not in its state'],
    [
      'assigns',
      (w) => (w.assign(tf.ones([2])), {}),
      'the step assigns the variable forgotten, which is not in its state',
    ],
  ])('when it %s a variable that is not in its state', (_, run, message) => {
    const w = tf.variable(tf.zeros([2]), true, 'forgotten');
    expect(refusal(() => traceProgram({ feeds: {}, state: {}, run: () => run(w) }))).toContain(message);
    w.dispose();
  });

  it('when it makes a variable', () => {
    let made: tf.Variable | undefined;
    const run = (): Record<string, tf.Tensor> => {
      made = tf.variable(tf.zeros([2]), true, 'late');
      return { y: tf.neg(made) };
    };
    expect(refusal(() => traceProgram({ feeds: {}, state: {}, run }))).toContain('the step creates the variable late');
    made!.dispose();
  });

  it('when a kernel depends on values, naming it', () => {
    const message = refusal(() =>
      traceFunction(({ x }) => ({ y: tf.unique(x as tf.Tensor1D).values }), { x: float32(4) }),
    );
    expect(message).toMatch(/^Unique cannot be part of a traced step/);
  });

  it('when a feed has a symbolic size', () => {
    expect(
      refusal(() => traceFunction(({ x }) => ({ y: x! }), { x: { dtype: 'float32', shape: ['batch', 2] } })),
    ).toContain('feed x: the shape [batch, 2] has a symbolic dimension');
  });
});
