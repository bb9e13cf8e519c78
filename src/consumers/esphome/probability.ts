import { UserError } from '../../base/errors.ts';
import type { Quantization, TensorQuantization } from '../../graph/quantization.ts';
import { producersOf } from '../../graph/passes/uses.ts';
import type { Constant, Graph, Node, Shape } from '../../graph/types.ts';

/** Output of a file: probability of the wake word, [batch, 1]. */
const PROBABILITY = 'probability';

/**
 * The graph of a classifier of two classes with the probability of one of them as its answer: the sigmoid of the difference of the logits, which is
 * their softmax, with the difference in the weights of the last layer, so that no operator is added but the sigmoid. `UserError` if the last layer is not dense.
 */
export function probabilityGraph(graph: Graph, word: number): Graph {
  const [[, logits] = []] = graph.outputs;
  const producers = producersOf(graph.nodes);
  const add = producers.get(logits ?? '');
  const product = producers.get(add?.inputs[0] ?? '');
  const [kernel, bias] = [graph.constants.get(product?.inputs[1] ?? ''), graph.constants.get(add?.inputs[1] ?? '')];
  const isDense = add?.op === 'Add' && product?.op === 'BatchMatMul' && product.attrs['transposeB'] !== true;
  if (!isDense || kernel?.type.shape[1] !== 2 || kernel.type.shape.length !== 2 || bias?.data.length !== 2)
    throw new UserError(
      `export --esphome: expected a model that ends with a dense layer of two logits, received ${add?.layer ?? add?.op ?? 'none'}`,
      'Train a student by its name, such as stream-mixer.',
    );
  const difference = ({ type, data }: Constant): Constant => {
    const values = data as Float32Array;
    const own = Float32Array.from({ length: values.length / 2 }, (_, i) => {
      return values[2 * i + word]! - values[2 * i + 1 - word]!;
    });
    return { type: { ...type, shape: [...type.shape.slice(0, -1), 1] }, data: own };
  };
  const [x, w, b] = [product.inputs[0]!, product.inputs[1]!, add.inputs[1]!];
  const own = {
    kernel: `${PROBABILITY}/kernel`,
    bias: `${PROBABILITY}/bias`,
    product: `${PROBABILITY}/product`,
    difference: `${PROBABILITY}/difference`,
  };
  const changed: readonly Node[] = [
    { ...product, inputs: [x, own.kernel], outputs: [own.product] },
    { ...add, inputs: [own.product, own.bias], outputs: [own.difference] },
    { op: 'Sigmoid', inputs: [own.difference], attrs: {}, outputs: [PROBABILITY], layer: PROBABILITY },
  ];
  const constants = new Map([...graph.constants, [own.kernel, difference(kernel)], [own.bias, difference(bias)]]);
  const types = new Map(graph.types);
  for (const name of [w, b]) constants.delete(name);
  for (const name of [w, b, ...product.outputs, ...add.outputs]) types.delete(name);
  const shape: Shape = ['batch', 1];
  for (const name of [own.product, own.difference, PROBABILITY]) types.set(name, { dtype: 'float32', shape });
  for (const name of [own.kernel, own.bias]) types.set(name, constants.get(name)!.type);
  const nodes = [...graph.nodes.filter((node) => node !== product && node !== add), ...changed];
  return { ...graph, constants, types, nodes, outputs: new Map([[PROBABILITY, PROBABILITY]]) };
}

/** Operators that hand on numbers as they are. */
const HANDING_ON: ReadonlySet<string> = new Set(['Reshape', 'ExpandDims', 'Transpose', 'Identity', 'Squeeze']);

/** Scales of a graph in which its input, also in another shape, has `fixed`. */
export function withInputScale(graph: Graph, scales: Quantization, fixed: TensorQuantization): Quantization {
  const found = new Map(scales);
  const reached = new Set(graph.inputs.keys());
  for (const { op, inputs, outputs } of graph.nodes)
    if (HANDING_ON.has(op) && reached.has(inputs[0]!)) reached.add(outputs[0]!);
  for (const name of reached) found.set(name, fixed);
  return found;
}
