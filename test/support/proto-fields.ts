import path from 'node:path';
import type { DescFile } from '@bufbuild/protobuf';
import { loadSync } from '@grpc/proto-loader';
import { ROOT } from './built.ts';

/** Fields of generated messages, sorted: `Message.field number type`. */
export function fieldsOf(file: DescFile): string[] {
  return [...namesOf(file.proto.messageType, '')].sort();
}

interface MessageType {
  readonly name: string;
  readonly field: readonly { readonly name: string; readonly number: number; readonly type: unknown }[];
  readonly nestedType: readonly MessageType[];
  readonly options?: { readonly mapEntry?: boolean } | null | undefined;
}

function* namesOf(types: readonly MessageType[], prefix: string): Generator<string> {
  for (const { name, field, nestedType, options } of types) {
    // The libraries name the entries of a map differently.
    if (options?.mapEntry === true) continue;
    for (const each of field) yield `${prefix}${name}.${each.name} ${each.number} ${typeOf(each.type)}`;
    yield* namesOf(nestedType, `${prefix}${name}.`);
  }
}

/** Both libraries' names of `FieldDescriptorProto.Type`. */
const TYPES = ['', 'DOUBLE', 'FLOAT', 'INT64', 'UINT64', 'INT32', '', '', '', 'STRING', '', 'MESSAGE', 'BYTES'];
function typeOf(type: unknown): string {
  return typeof type === 'number' ? TYPES[type]! : String(type).replace('TYPE_', '');
}

/** Fields of a `.proto` of the repository, as another library reads it, in the same form. */
export function fieldsIn(file: string): string[] {
  const top = Object.entries(loadSync(path.join(ROOT, file), { keepCase: true }))
    // Messages inside messages come with these.
    .filter(([key]) => /^limbeck\.\w+\.\w+$/.test(key))
    .map(([, { type }]) => type as MessageType);
  return [...namesOf(top, '')].sort();
}
