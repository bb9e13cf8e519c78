import type { GraphBuilder } from '../../builder.ts';
import type { Graph, Node } from '../../types.ts';
import { removeDeadCode } from '../simplify/dead-code.ts';
import { rewrite } from '../rewrite.ts';
import type { Replacement } from '../rewrite.ts';

const CONVOLUTIONS: ReadonlySet<string> = new Set(['Conv2D', 'DepthwiseConv2dNative']);

/**
 * Dilated convolutions in place of those whose filter is spread by zeros in the graph, as a training has them: tfjs' gradients know no dilation.
 * Files hold the taps alone, and runtimes multiply by no zeros.
 */
export function dilatedFilters(graph: Graph): Graph {
  return removeDeadCode(
    rewrite(graph, (node, builder) => (CONVOLUTIONS.has(node.op) ? withTaps(node, builder) : undefined)),
  );
}

function withTaps({ op, inputs, attrs, layer }: Node, builder: GraphBuilder): Replacement {
  const dilations = [...(attrs['dilations'] as readonly number[])];
  let filter = inputs[1]!;
  for (let found = tapsOf(filter, builder); found !== undefined; found = tapsOf(filter, builder)) {
    const before = builder.producerOf(found.spaced)?.inputs[0] ?? '';
    const isBefore = before !== '' && builder.typeOf(before).shape.join() === found.shape.join();
    filter = isBefore ? before : builder.op('Reshape', [found.spaced], { shape: found.shape }, layer);
    dilations[found.axis]! *= found.dilation;
  }
  return filter === inputs[1] ? undefined : [builder.op(op, [inputs[0]!, filter], { ...attrs, dilations }, layer)];
}

interface Taps {
  /** The taps with an axis of size 1 behind `axis`. */
  readonly spaced: string;
  readonly shape: readonly number[];
  readonly axis: number;
  readonly dilation: number;
}

/** Taps of a filter that zeros spread along one axis: Slice(Reshape(Pad(taps))); undefined for any other. */
function tapsOf(filter: string, builder: GraphBuilder): Taps | undefined {
  const [slice, long, pad] = ['Slice', 'Reshape', 'Pad'].reduce<(Node | undefined)[]>((found, op) => {
    const node = builder.producerOf(found.length === 0 ? filter : (found.at(-1)?.inputs[0] ?? ''));
    return [...found, node?.op === op ? node : undefined];
  }, []);
  if (slice === undefined || long === undefined || pad?.attrs['constantValue'] !== 0) return undefined;
  const sizesOf = (name: string): number[] => builder.typeOf(name).shape.map(Number);
  const spaced = sizesOf(pad.inputs[0]!);
  const pads = pad.attrs['paddings'] as readonly number[];
  const at = pads.findIndex((size) => size !== 0);
  const [axis, dilation] = [(at - 1) / 2 - 1, pads[at]! + 1];
  const isOne =
    axis >= 0 && Number.isInteger(axis) && spaced[axis + 1] === 1 && pads.every((size, i) => size === 0 || i === at);
  if (!isOne || spaced.length !== 5) return undefined;
  const shape = spaced.toSpliced(axis + 1, 1);
  const isLong = sizesOf(long.outputs[0]!).join() === shape.with(axis, shape[axis]! * dilation).join();
  const isCut = sizesOf(filter).join() === shape.with(axis, (shape[axis]! - 1) * dilation + 1).join();
  const isFromStart = (slice.attrs['begin'] as readonly number[]).every((begin) => begin === 0);
  return isLong && isCut && isFromStart ? { spaced: pad.inputs[0]!, shape, axis, dilation } : undefined;
}
