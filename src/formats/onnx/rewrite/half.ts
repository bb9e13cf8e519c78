import { fromHalf, toHalf, toHalfArray } from '../../../base/typed-bytes.ts';
import type { Skipped } from '../../../base/skipped.ts';
import { dataTypes, tensor, tensorData } from '../model.ts';
import type { Model, OnnxAttr, OnnxNode, OnnxTensor } from '../model.ts';
import { producersOf } from '../../../graph/passes/uses.ts';

/** Inputs that must be float32 whatever the data type, by op and index: the scales of a resize. */
const ALWAYS_FLOAT: Readonly<Record<string, readonly number[]>> = { Resize: [1, 2] };

const LARGEST = 65504;

interface Units {
  /** Value that the first of the nodes reads. */
  readonly from: string;
  readonly nodes: readonly OnnxNode[];
}

/**
 * The last nodes before each output that scale answers to their units: a product, and optionally a sum, with constants that nothing else reads. They
 * stay float32: eleven bits cannot hold a mean of a thousand with a deviation of five.
 */
function unitsOf({ nodes, initializers, outputs }: Model['graph']): Units[] {
  const producers = producersOf(nodes);
  const isConstant = new Set(initializers.map(({ name }) => name));
  const reads = new Map<string, number>();
  for (const { inputs } of nodes) for (const name of inputs) reads.set(name, (reads.get(name) ?? 0) + 1);
  const stepFrom = (value: string, op: string): { node: OnnxNode; from: string } | undefined => {
    const node = producers.get(value);
    const [from, ...more] = node?.inputs.filter((name) => !isConstant.has(name)) ?? [];
    return node?.op === op && from !== undefined && more.length === 0 ? { node, from } : undefined;
  };
  return outputs.flatMap(({ name, dtype }) => {
    const sum = stepFrom(name, 'Add');
    const product = stepFrom(sum?.from ?? name, 'Mul');
    if (product === undefined || dtype !== 'float32' || reads.has(name)) return [];
    const nodes = [product.node, ...(sum === undefined ? [] : [sum.node])];
    const otherInputs = nodes.flatMap(({ inputs }) => inputs).filter((input) => input !== product.from);
    return otherInputs.every((input) => reads.get(input) === 1) ? [{ from: product.from, nodes }] : [];
  });
}

/**
 * Transposes that stay in float32, between casts: recurrent layers begin with such a transpose. They move the first axis to the last place or the last but
 * one, and a product with a stored matrix reads them. ONNX Runtime (1.30, cpu, all optimizations) fuses both in float16, has no kernel for the fused node,
 * and ends the process while it opens the file.
 */
function unopenable({ nodes, initializers }: Model['graph']): ReadonlySet<OnnxNode> {
  const matrices = new Set(initializers.filter(({ dims }) => dims.length === 2).map(({ name }) => name));
  const products = nodes.filter(({ op, inputs }) => op === 'MatMul' && inputs.some((name) => matrices.has(name)));
  const factors = new Set(products.flatMap(({ inputs }) => inputs));
  return new Set(nodes.filter((node) => node.op === 'Transpose' && factors.has(node.outputs[0]!) && movesFirst(node)));
}

/** True for [1, 0, 2], [1, 2, 0], [1, 2, 0, 3] and so on. */
function movesFirst({ attrs }: OnnxNode): boolean {
  const perm = attrs.get('perm');
  if (perm?.type !== 'ints' || perm.value.length < 3) return false;
  const order = perm.value.map(Number);
  const others = order.filter((axis) => axis !== 0);
  return order.indexOf(0) >= order.length - 2 && others.every((axis, i) => axis === i + 1);
}

/**
 * The model computed and stored in float16, with float32 inputs and outputs. Finite constants beyond the range of a half become the largest half, and
 * are reported. Nodes with `keepFloat`, the first of the model, stay float32. ONNX Runtime's cpu provider widens ops without a float16 kernel.
 */
export function halveModel(
  model: Model,
  keepFloat: (node: string) => boolean = () => false,
): { result: Model; skipped: Skipped[] } {
  const { graph } = model;
  const skipped: Skipped[] = [];
  const isFront = (node: OnnxNode): boolean => keepFloat(node.name);
  const front = graph.nodes.filter(isFront);
  const units = unitsOf(graph);
  const inUnits = new Set(units.flatMap(({ nodes }) => nodes));
  const inFloat = unopenable(graph);
  const wide = (value: string): string => (isFed.has(value) ? value : `${value}/wide`);
  const kept = new Set([
    ...graph.nodes.flatMap(({ op, inputs }) => (ALWAYS_FLOAT[op] ?? []).map((i) => inputs[i] ?? '')),
    ...[...front, ...inUnits].flatMap(({ inputs }) => inputs),
  ]);
  const isWide = new Set([...inUnits].flatMap(({ outputs }) => outputs));
  const ends = [...graph.inputs, ...graph.outputs]
    .filter(({ name, dtype }) => dtype === 'float32' && !isWide.has(name))
    .map(({ name }) => name);
  const halves = graph.nodes.filter((node) => !isFront(node) && !inUnits.has(node));
  const readAsHalf = new Set(halves.flatMap(({ inputs }) => inputs));
  const between = new Set(front.flatMap(({ outputs }) => outputs).filter((value) => readAsHalf.has(value)));
  const readByFront = new Set(front.flatMap(({ inputs }) => inputs));
  const both = graph.initializers.filter(
    ({ name, dtype }) => dtype === 'float32' && readAsHalf.has(name) && readByFront.has(name),
  );
  const renamed = new Map([...ends, ...between, ...both.map((t) => t.name)].map((name) => [name, `${name}/half`]));
  const name = (value: string): string => renamed.get(value) ?? value;
  const cast = (from: string, to: string, dtype: 'float16' | 'float32'): OnnxNode => ({
    op: 'Cast',
    domain: '',
    name: `${to}/cast`,
    inputs: [from],
    outputs: [to],
    attrs: new Map([['to', { type: 'int', value: dataTypes[dtype] }]]),
  });
  const isFed = new Set(graph.inputs.map((input) => input.name));
  // Inputs that are cast first, such as token ids, would lose digits in half precision.
  const asFed = (op: string, input: string): string => (op === 'Cast' && isFed.has(input) ? input : name(input));
  const starts = new Map(units.map(({ from, nodes: [first] }) => [first, from] as const));
  const nodes = graph.nodes.flatMap((node): OnnxNode[] => {
    if (isFront(node))
      return [node, ...node.outputs.filter((out) => between.has(out)).map((out) => cast(out, name(out), 'float16'))];
    const from = starts.get(node);
    if (from !== undefined) {
      const widened = { ...node, inputs: node.inputs.map((input) => (input === from ? wide(from) : input)) };
      return isFed.has(from) ? [widened] : [cast(name(from), wide(from), 'float32'), widened];
    }
    if (inUnits.has(node)) return [node];
    if (inFloat.has(node)) {
      const [x, y] = [node.inputs[0]!, node.outputs[0]!];
      const [wideIn, wideOut] = [isFed.has(x) ? x : `${y}/before`, `${y}/after`];
      const turned = [{ ...node, inputs: [wideIn], outputs: [wideOut] }, cast(wideOut, name(y), 'float16')];
      return isFed.has(x) ? turned : [cast(name(x), wideIn, 'float32'), ...turned];
    }
    const attrs = [...node.attrs].map(([key, value]) => [key, halfAttr(node.op, key, value, skipped)] as const);
    const inputs = node.inputs.map((input) => asFed(node.op, input));
    return [{ ...node, inputs, outputs: node.outputs.map(name), attrs: new Map(attrs) }];
  });
  const isRead = new Set(nodes.flatMap(({ inputs }) => inputs));
  const result: Model = {
    ...model,
    graph: {
      ...graph,
      initializers: [
        ...graph.initializers.map((t) => (kept.has(t.name) ? t : halved(t, skipped))),
        ...both.map((t) => ({ ...halved(t, skipped), name: name(t.name) })),
      ],
      nodes: [
        ...ends.filter((end) => isFed.has(end) && isRead.has(name(end))).map((end) => cast(end, name(end), 'float16')),
        ...nodes,
        ...ends.filter((end) => !isFed.has(end)).map((end) => cast(name(end), end, 'float32')),
      ],
    },
  };
  return { result, skipped };
}

function halfAttr(op: string, key: string, attr: OnnxAttr, skipped: Skipped[]): OnnxAttr {
  if (attr.type === 'tensor') return { type: 'tensor', value: halved(attr.value, skipped) };
  const isType = key === 'to' || key === 'dtype';
  return isType && op === 'Cast' && attr.value === dataTypes.float32 ? { type: 'int', value: dataTypes.float16 } : attr;
}

function halved(t: OnnxTensor, skipped: Skipped[]): OnnxTensor {
  if (t.dtype !== 'float32') return t;
  const values = tensorData(t) as Float32Array;
  const beyond = values.filter((value) => Number.isFinite(value) && !Number.isFinite(fromHalf(toHalf(value))));
  if (beyond.length > 0)
    skipped.push({
      what: t.name,
      why: `${beyond.length} of its values, such as ${beyond[0]!.toExponential(2)}, are beyond ±${LARGEST}`,
    });
  const held = values.map((v) => (Number.isFinite(v) ? Math.max(-LARGEST, Math.min(LARGEST, v)) : v));
  return tensor(t.name, 'float16', t.dims, toHalfArray(held));
}
