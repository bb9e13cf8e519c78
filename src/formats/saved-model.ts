import { Reader } from './onnx/protobuf/wire.ts';

/** By field number, what a message holds: bytes of strings and messages, numbers of varints. Other wire types are skipped. */
type Fields = ReadonlyMap<number, readonly (Uint8Array | bigint)[]>;

interface GraphNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly attrs: ReadonlyMap<string, Fields>;
}

/**
 * How many parameters a signature of a TensorFlow SavedModel computes with: the elements of the variables and of the constant
 * matrices that its outputs depend on. Field numbers are those of TensorFlow's saved_model.proto, meta_graph.proto,
 * graph.proto and attr_value.proto. Throws for bytes that are no protobuf.
 */
export function savedModelParameters(bytes: Uint8Array, signature: string): number {
  const meta = fieldsOf(messages(fieldsOf(bytes), 2)[0]!);
  const nodes = nodesOf(fieldsOf(messages(meta, 2)[0]!));
  const definition = mapOf(meta, 5).get(signature);
  const outputs = definition === undefined ? [] : [...mapOf(definition, 2).values()];
  const waiting = outputs.flatMap((info) => messages(info, 1).map(text));
  const seen = new Set<string>();
  let parameters = 0;
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const plain = name.replace(/^\^/, '').replace(/:\d+$/, '');
    const node = nodes.get(plain);
    if (node === undefined || seen.has(plain)) continue;
    seen.add(plain);
    waiting.push(...node.inputs);
    parameters += parametersOf(node);
  }
  return parameters;
}

/** `AttrValue`: 7 is a shape, 8 a tensor, whose shape is 2. */
function parametersOf({ op, attrs }: GraphNode): number {
  if (op === 'VarHandleOp' || op === 'VariableV2') return product(dimsOf(attrs.get('shape'), 7));
  if (op !== 'Const') return 0;
  const [tensor] = messages(attrs.get('value') ?? new Map(), 8);
  const dims = tensor === undefined ? [] : dimsOf(fieldsOf(tensor), 2);
  return dims.length > 1 ? product(dims) : 0;
}

function dimsOf(fields: Fields | undefined, shape: number): number[] {
  const [found] = messages(fields ?? new Map(), shape);
  if (found === undefined) return [];
  return messages(fieldsOf(found), 2).map((dim) => Number(fieldsOf(dim).get(1)?.[0] ?? 0n));
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total * size, 1);
}

function nodesOf(graph: Fields): Map<string, GraphNode> {
  return new Map(
    messages(graph, 1).map((bytes) => {
      const node = fieldsOf(bytes);
      const [name, op] = [1, 2].map((field) => messages(node, field).map(text)[0] ?? '');
      return [name!, { op: op!, inputs: messages(node, 3).map(text), attrs: mapOf(node, 5) }] as const;
    }),
  );
}

function mapOf(fields: Fields, field: number): Map<string, Fields> {
  return new Map(
    messages(fields, field).map((bytes) => {
      const entry = fieldsOf(bytes);
      const [value] = messages(entry, 2);
      return [messages(entry, 1).map(text)[0] ?? '', value === undefined ? new Map() : fieldsOf(value)] as const;
    }),
  );
}

function messages(fields: Fields, field: number): Uint8Array[] {
  return (fields.get(field) ?? []).filter((value) => typeof value !== 'bigint');
}

function fieldsOf(bytes: Uint8Array): Fields {
  const fields = new Map<number, (Uint8Array | bigint)[]>();
  const reader = new Reader(bytes);
  for (let tag = reader.next(); tag !== undefined; tag = reader.next()) {
    const { field, wire } = tag;
    if (wire !== 0 && wire !== 2) {
      reader.skip(wire);
      continue;
    }
    const values = fields.get(field) ?? [];
    values.push(wire === 0 ? reader.varint() : reader.bytes());
    fields.set(field, values);
  }
  return fields;
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
