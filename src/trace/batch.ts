import { UserError } from '../base/errors.ts';
import { GraphBuilder } from '../graph/builder.ts';
import { opSpec } from '../graph/ops.ts';
import { batchTimes, sameShape, withBatch } from '../graph/shapes.ts';
import type { Attrs, AttrValue, Constant, Dim, Graph, Node, Shape, TensorType } from '../graph/types.ts';
import type { StepProgram } from './program.ts';
import { traceProgram } from './trace.ts';

/** Two unusual sizes for a model, neither a multiple of the other. */
const SIZES = [23, 29] as const;

/**
 * Graph of a program for any batch size. It is traced at two sizes; dimensions that differ in proportion become `batch` or a multiple of it.
 * `UserError` for other dependencies on the size.
 */
export function traceWithBatch(make: (batch: number) => StepProgram): Graph {
  const [a, b] = SIZES.map((batch) => traceProgram(make(batch))) as [Graph, Graph];
  return mergeTraces(a, b, SIZES);
}

function mergeTraces(a: Graph, b: Graph, sizes: readonly [number, number]): Graph {
  const merge = new Merge(sizes);
  const builder = new GraphBuilder();
  for (const [name, type] of a.inputs) builder.input(name, merge.type(`input ${name}`, type, b.inputs.get(name)));
  for (const [name, type] of a.state) builder.state(name, merge.fixed(`variable ${name}`, type, b.state.get(name)));
  for (const [name, constant] of a.constants) {
    merge.constant(name, constant, b.constants.get(name));
    builder.constant(constant.type, constant.data, name);
  }
  if (a.nodes.length !== b.nodes.length)
    throw cannot(
      `the program has ${a.nodes.length} ops at batch ${sizes[0]} and ${b.nodes.length} at batch ${sizes[1]}`,
    );
  a.nodes.forEach((node, i) => addMerged(builder, merge, node, b.nodes[i]!, a));
  for (const [name, value] of a.outputs) builder.output(name, value);
  for (const [name, value] of a.updates) builder.update(name, value);
  return builder.build();
}

function addMerged(builder: GraphBuilder, merge: Merge, node: Node, other: Node, a: Graph): void {
  const where = `${node.layer === undefined ? '' : `${node.layer}: `}${node.op}`;
  const same = node.op === other.op && String(node.inputs) === String(other.inputs);
  if (!same) throw cannot(`${where}: another op stands here at another batch size (${other.op})`);
  const attrs = merge.attrs(where, node, other.attrs);
  try {
    builder.node(node.op, node.inputs, attrs, { layer: node.layer, outputs: node.outputs });
  } catch (error) {
    throw cannot(`${where}: ${(error as Error).message}`);
  }
  for (const name of node.outputs) {
    const { shape } = builder.typeOf(name);
    if (!sameShape(withBatch(shape, merge.sizes[0]), a.types.get(name)!.shape))
      throw cannot(`${where}: its result [${shape.join(', ')}] does not grow with the batch as the trace does`);
  }
}

function cannot(what: string): UserError {
  return new UserError(
    `the program cannot be made for any batch size: ${what}`,
    'Keep the batch as an axis of its own and its size out of numbers and attributes, or trace for one fixed batch size.',
  );
}

class Merge {
  readonly sizes: readonly [number, number];

  constructor(sizes: readonly [number, number]) {
    this.sizes = sizes;
  }

  dim(where: string, a: Dim, b: Dim | undefined): Dim {
    if (a === b) return a;
    const [times, again] = [Number(a) / this.sizes[0], Number(b) / this.sizes[1]];
    if (times !== again || !Number.isInteger(times))
      throw cannot(
        `${where}: a size is ${a} at batch ${this.sizes[0]} and ${b ?? 'missing'} at batch ${this.sizes[1]}`,
      );
    return batchTimes(times);
  }

  shape(where: string, a: Shape, b: Shape): Dim[] {
    if (a.length !== b.length) throw cannot(`${where}: its rank depends on the batch size`);
    return a.map((dim, i) => this.dim(where, dim, b[i]));
  }

  type(where: string, a: TensorType, b: TensorType | undefined): TensorType {
    if (b === undefined) throw cannot(`${where} is only there at some batch sizes`);
    return { dtype: a.dtype, shape: this.shape(where, a.shape, b.shape) };
  }

  fixed(where: string, a: TensorType, b: TensorType | undefined): TensorType {
    if (b === undefined || !sameShape(a.shape, b.shape)) throw cannot(`${where} depends on the batch size`);
    return a;
  }

  constant(name: string, a: Constant, b: Constant | undefined): void {
    const same =
      b !== undefined &&
      sameShape(a.type.shape, b.type.shape) &&
      a.data.every((value, i) => Object.is(value, b.data[i]));
    if (same) return;
    const shown = (constant: Constant | undefined): string =>
      constant?.data.length === 1 ? String(constant.data[0]) : `[${constant?.type.shape.join(', ') ?? ''}]`;
    throw cannot(
      `the constant ${name} is ${shown(a)} at batch ${this.sizes[0]} and ${shown(b)} at batch ${this.sizes[1]} (a mean over the batch?)`,
    );
  }

  attrs(where: string, node: Node, others: Attrs): Attrs {
    const kinds = opSpec(node.op).attrs;
    const merged = Object.entries(node.attrs).map(([name, value]): [string, AttrValue] => {
      const other = others[name]!;
      if (String(value) === String(other)) return [name, value];
      if (kinds[name] === 'shape') return [name, this.shape(where, value as Shape, other as Shape)];
      throw cannot(
        `${where}: ${name} is ${String(value)} at batch ${this.sizes[0]} and ${String(other)} at batch ${this.sizes[1]}`,
      );
    });
    return Object.fromEntries(merged);
  }
}
