import { fromHalf, toHalf, toHalfArray } from '../../base/bytes.ts';
import type { Skipped } from '../skipped.ts';
import { dataTypes, tensor, tensorData } from './model.ts';
import type { Model, OnnxAttr, OnnxNode, OnnxTensor } from './model.ts';

/** Inputs that are float32 whatever the data is, by op and position: the scales of a resize. */
const ALWAYS_FLOAT: Readonly<Record<string, readonly number[]>> = { Resize: [1, 2] };

const LARGEST = 65504;

/**
 * The model computed and stored in float16 between float32 ends. Finite constants beyond what a half can hold become the
 * largest half, and are reported. Nodes that are kept, the first of the model, stay float32. ONNX Runtime's cpu provider widens what it has no float16 kernel for.
 */
export function halveModel(
  model: Model,
  keepFloat: (node: string) => boolean = () => false,
): { result: Model; skipped: Skipped[] } {
  const { graph } = model;
  const skipped: Skipped[] = [];
  const isKept = (node: OnnxNode): boolean => keepFloat(node.name);
  const inFloat = graph.nodes.filter(isKept);
  const kept = new Set([
    ...graph.nodes.flatMap(({ op, inputs }) => (ALWAYS_FLOAT[op] ?? []).map((i) => inputs[i] ?? '')),
    ...inFloat.flatMap(({ inputs }) => inputs),
  ]);
  const ends = [...graph.inputs, ...graph.outputs].filter(({ dtype }) => dtype === 'float32').map(({ name }) => name);
  const made = new Set(inFloat.flatMap(({ outputs }) => outputs));
  const readAsHalf = new Set(graph.nodes.filter((node) => !isKept(node)).flatMap(({ inputs }) => inputs));
  const between = new Set([...made].filter((value) => readAsHalf.has(value)));
  const both = graph.initializers.filter(
    ({ name, dtype }) =>
      dtype === 'float32' && readAsHalf.has(name) && inFloat.some(({ inputs }) => inputs.includes(name)),
  );
  const renamed = new Map([...ends, ...between, ...both.map((t) => t.name)].map((name) => [name, `${name}/half`]));
  const name = (value: string): string => renamed.get(value) ?? value;
  const cast = (from: string, to: string, dtype: 'float16' | 'float32'): OnnxNode => ({
    ...{ op: 'Cast', domain: '', name: `${to}/cast`, inputs: [from], outputs: [to] },
    attrs: new Map([['to', { type: 'int', value: dataTypes[dtype] }]]),
  });
  const isFed = new Set(graph.inputs.map((input) => input.name));
  // What is cast at once, as token ids are, would lose its lower digits in half precision.
  const asFed = (op: string, input: string): string => (op === 'Cast' && isFed.has(input) ? input : name(input));
  const nodes = graph.nodes.flatMap((node): OnnxNode[] => {
    if (isKept(node))
      return [node, ...node.outputs.filter((out) => between.has(out)).map((out) => cast(out, name(out), 'float16'))];
    const attrs = new Map(
      [...node.attrs].map(([key, value]) => [key, halfAttr(node.op, key, value, skipped)] as const),
    );
    const inputs = node.inputs.map((input) => asFed(node.op, input));
    return [{ ...node, inputs, outputs: node.outputs.map(name), attrs }];
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
