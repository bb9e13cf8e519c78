import { tensor } from './model.ts';
import type { Model, OnnxAttr, OnnxNode, OnnxTensor } from './model.ts';
import { producersOf } from '../../graph/passes/uses.ts';

/**
 * Number of zero channels that a convolution needs so that ONNX Runtime's WebGPU provider (1.30) computes it correctly. If channels are a multiple of
 * 3 and not of 4, and filters a multiple of 4, it reads channels by threes and all but the first three from the wrong place:
 * https://github.com/microsoft/onnxruntime/issues/29651
 */
export function missingChannels(channels: number, filters: number): number {
  const byThree = channels > 3 && channels % 3 === 0 && channels % 4 !== 0 && filters % 4 === 0;
  return byThree ? 4 - (channels % 4) : 0;
}

/** Amounts of a Pad that appends `count` channels to a tensor of `rank` axes. */
export function channelsBehind(rank: number, count: number): number[] {
  return Array.from({ length: 2 * rank }, (_, i) => (i === rank + 1 ? count : 0));
}

/** Ops between stored weights and a convolution. */
const SAME_SHAPE = ['DequantizeLinear', 'Cast', 'Identity'];

/** The model with zero channels where WebGPU needs them; the same object if it needs none. Weights must be stored. */
export function padChannels(model: Model): Model {
  const { graph } = model;
  const stored = new Map(graph.initializers.map((t) => [t.name, t]));
  const producers = producersOf(graph.nodes);
  const added: OnnxTensor[] = [];
  const weightsOf = (name: string): OnnxTensor | undefined => {
    const producer = producers.get(name);
    return (
      stored.get(name) ?? (producer && SAME_SHAPE.includes(producer.op) ? weightsOf(producer.inputs[0]!) : undefined)
    );
  };
  const nodes = graph.nodes.flatMap((node, index): OnnxNode[] => {
    if (node.op !== 'Conv' || node.domain !== '' || (node.attrs.get('group')?.value ?? 1) !== 1) return [node];
    const dims = weightsOf(node.inputs[1]!)?.dims;
    const count = dims === undefined ? 0 : missingChannels(dims[1]!, dims[0]!);
    if (dims === undefined || count === 0) return [node];
    const amounts = channelsBehind(dims.length, count);
    const padded = [0, 1].map((input): OnnxNode => {
      const name = `${node.outputs[0]!}/channels ${index} ${input}`;
      const pad = { op: 'Pad', domain: '', name, outputs: [name] };
      // Before operator set 11 the amounts are an attribute.
      if ((model.opsets.get('') ?? 1) < 11) {
        const attrs = new Map<string, OnnxAttr>([['pads', { type: 'ints', value: amounts }]]);
        return { ...pad, inputs: [node.inputs[input]!], attrs };
      }
      added.push(tensor(`${name} pads`, 'int64', [amounts.length], BigInt64Array.from(amounts.map(BigInt))));
      return { ...pad, inputs: [node.inputs[input]!, `${name} pads`], attrs: new Map() };
    });
    return [...padded, { ...node, inputs: [...padded.map(({ outputs }) => outputs[0]!), ...node.inputs.slice(2)] }];
  });
  if (nodes.length === graph.nodes.length) return model;
  return { ...model, graph: { ...graph, nodes, initializers: [...graph.initializers, ...added] } };
}
