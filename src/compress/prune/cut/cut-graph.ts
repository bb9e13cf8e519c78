import { graphOf } from '../../../graph/builder.ts';
import { batchTimes } from '../../../graph/shapes.ts';
import type { Attrs, Dim, Graph, Node, TensorType } from '../../../graph/types.ts';
import type { State } from '../../../runtime/engine.ts';
import type { AxisLabels, Labels } from './channels.ts';

interface Around {
  /** Labels of the first input, and of each result. */
  readonly input: Labels;
  readonly outputs: readonly Labels[];
  readonly isGone: (label: number) => boolean;
}

type Resize = (attrs: Attrs, around: Around) => Attrs;

const lost = (labels: AxisLabels, isGone: Around['isGone']): number => labels?.filter(isGone).length ?? 0;

/** Sizes that a node is told, of its result. */
const shapeOf =
  (key: string): Resize =>
  (attrs, { outputs, isGone }) => {
    const sizes = (attrs[key] as readonly Dim[]).map((dim, axis): Dim => {
      const labels = outputs[0]![axis]!;
      const gone = lost(labels, isGone);
      if (gone === 0) return dim;
      return typeof dim === 'number' ? dim - gone : batchTimes(labels.length - gone);
    });
    return { ...attrs, [key]: sizes };
  };

/** Ops with attributes that hold channel counts or positions, and how each is changed. All other ops follow the shapes of their inputs. */
const resizing: Readonly<Record<string, Resize>> = {
  Reshape: shapeOf('shape'),
  BroadcastTo: shapeOf('shape'),
  Conv2DBackpropInput: shapeOf('inputShape'),
  Split: (attrs, { outputs, isGone }) => {
    const axis = attrs['axis'] as number;
    const sizes = attrs['sizes'] as readonly number[];
    return { ...attrs, sizes: sizes.map((size, i) => size - lost(outputs[i]![axis]!, isGone)) };
  },
  Slice: (attrs, { input, outputs, isGone }) => {
    const [begin, size] = [attrs['begin'] as number[], attrs['size'] as number[]];
    return {
      begin: begin.map((from, axis) => from - lost(input[axis]?.slice(0, from) ?? null, isGone)),
      size: size.map((count, axis) => (count === -1 ? -1 : count - lost(outputs[0]![axis]!, isGone))),
    };
  },
  StridedSlice: (attrs, { input, isGone }) => {
    const before = (key: string): number[] =>
      (attrs[key] as number[]).map((at, axis) => at - lost(input[axis]?.slice(0, Math.max(0, at)) ?? null, isGone));
    return { ...attrs, begin: before('begin'), end: before('end') };
  },
};

/**
 * The graph without the channels that `isGone` says: its state and constants as `tensors` has them, and every size and place that a
 * node is told as many fewer. `labels` are the labels of the graph's values for one sample.
 */
export function cutGraph(
  graph: Graph,
  labels: ReadonlyMap<string, Labels>,
  isGone: (label: number) => boolean,
  tensors: State,
): Graph {
  const resized = ({ op, attrs, inputs, outputs }: Node): Attrs => {
    const resize = Object.hasOwn(resizing, op) ? resizing[op] : undefined;
    const around = { input: labels.get(inputs[0]!)!, outputs: outputs.map((name) => labels.get(name)!), isGone };
    return resize?.(attrs, around) ?? attrs;
  };
  const typeOf = (name: string, type: TensorType): TensorType => tensors.get(name)?.type ?? type;
  return graphOf({
    ...graph,
    state: new Map([...graph.state].map(([name, type]) => [name, typeOf(name, type)])),
    constants: new Map([...graph.constants].map(([name, old]) => [name, tensors.get(name) ?? old])),
    nodes: graph.nodes.map((node) => ({ ...node, attrs: resized(node) })),
    updates: new Map(),
  });
}
