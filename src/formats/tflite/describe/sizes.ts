import { modelTableSchema } from '../schema/model.ts';
import { fieldsOf, scalarSize } from '../schema/notation.ts';
import type { Field } from '../schema/notation.ts';

/** Kinds of content of a `.tflite` file, in the order of listing. */
const PARTS = ['constants', 'quantization', 'tensors', 'operators', 'names', 'metadata', 'other'] as const;

/** Bytes by content: `constants` are weights and other data, `other` is padding and files archived after the model. */
export type SizesByContent = Readonly<Record<(typeof PARTS)[number], number>>;

/** Kind of content of a table with its vectors. Texts are names if they belong to tensors, else metadata. */
const OF_TABLE: Readonly<Record<string, keyof SizesByContent>> = {
  Tensor: 'tensors',
  SparsityParameters: 'tensors',
  DimensionMetadata: 'tensors',
  VariantSubType: 'tensors',
  QuantizationParameters: 'quantization',
  Operator: 'operators',
  OperatorCode: 'operators',
  SubGraph: 'tensors',
  Buffer: 'constants',
  Metadata: 'metadata',
  SignatureDef: 'metadata',
  TensorMap: 'metadata',
  Model: 'metadata',
};

/** Bytes of a valid file by content; shared bytes count once. `metadata`: indexes of buffers that hold no constants of the model. */
export function sizesByContent(bytes: Uint8Array, metadata: readonly number[]): SizesByContent {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const sizes = Object.fromEntries(PARTS.map((part) => [part, 0])) as Record<keyof SizesByContent, number>;
  const seen = new Set<number>();
  const isNew = (part: keyof SizesByContent, at: number, size: number): boolean => {
    if (seen.has(at)) return false;
    seen.add(at);
    sizes[part] += size;
    return true;
  };
  const follow = (at: number): number => at + view.getUint32(at, true);
  const placeOf = (at: number, slot: number): number => {
    const vtable = at - view.getInt32(at, true);
    const entry = 4 + 2 * slot;
    const offset = entry + 2 <= view.getUint16(vtable, true) ? view.getUint16(vtable + entry, true) : 0;
    return offset === 0 ? 0 : at + offset;
  };
  const table = (name: string, at: number, part = OF_TABLE[name] ?? 'operators'): void => {
    const vtable = at - view.getInt32(at, true);
    isNew(part, vtable, view.getUint16(vtable, true));
    if (!isNew(part, at, view.getUint16(vtable + 2, true))) return;
    for (const field of fieldsOf(modelTableSchema, name)) {
      const place = placeOf(at, field.slot);
      if (place !== 0) child(name, field, place, part, at);
    }
  };
  const child = (name: string, field: Field, place: number, part: keyof SizesByContent, at: number): void => {
    if (field.kind === 'scalar') return;
    if (field.kind === 'union') {
      const member = field.members[view.getUint8(place) - 1];
      const to = placeOf(at, field.slot + 1);
      if (member !== undefined && to !== 0) table(member, follow(to), part);
      return;
    }
    const target = follow(place);
    if (field.kind === 'table') {
      table(field.table, target);
      return;
    }
    const length = view.getUint32(target, true);
    const ofText = name === 'Tensor' ? 'names' : 'metadata';
    if (field.kind === 'string') isNew(ofText, target, 5 + length);
    if (field.kind === 'scalars') isNew(part, target, 4 + length * scalarSize[field.type]);
    if (field.kind !== 'tables' || !isNew(part, target, 4 + 4 * length)) return;
    for (let i = 0; i < length; i++) {
      const isMetadata = field.table === 'Buffer' && metadata.includes(i);
      table(field.table, follow(target + 4 + 4 * i), isMetadata ? 'metadata' : undefined);
    }
  };
  table(modelTableSchema.root, follow(0));
  const known = PARTS.reduce((sum, part) => sum + sizes[part], 0);
  return { ...sizes, other: bytes.length - known };
}
