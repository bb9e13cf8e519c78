import type { FusedUpdate, UpdateOp } from '../../graph/passes/split-updates.ts';
import type { WasmFunction, WasmType } from './module.ts';
import { unsigned } from './module.ts';

/** Bytes of a vector of WebAssembly: four floats. */
export const VECTOR_BYTES = 16;

const get = (local: number): number[] => [0x20, ...unsigned(local)];
const set = (local: number): number[] => [0x21, ...unsigned(local)];
const simd = (opcode: number): number[] => [0xfd, ...unsigned(opcode)];
/** Alignment of 16 bytes, no offset. */
const [LOAD, STORE, SPLAT] = [[...simd(0x00), 4, 0], [...simd(0x0b), 4, 0], simd(0x13)];
const I32_ADD = [0x6a];

/** Instructions of each operator. All are correctly rounded (IEEE 754), so that the bits are those of any other processor. */
const ARITHMETIC: Readonly<Record<UpdateOp, (operands: readonly number[][]) => number[]>> = {
  Add: ([a, b]) => [...a!, ...b!, ...simd(0xe4)],
  Sub: ([a, b]) => [...a!, ...b!, ...simd(0xe5)],
  Multiply: ([a, b]) => [...a!, ...b!, ...simd(0xe6)],
  RealDiv: ([a, b]) => [...a!, ...b!, ...simd(0xe7)],
  Sqrt: ([a]) => [...a!, ...simd(0xe3)],
  Square: ([a]) => [...a!, ...a!, ...simd(0xe6)],
  Neg: ([a]) => [...a!, ...simd(0xe1)],
  Identity: ([a]) => a!,
  Reshape: ([a]) => a!,
};

/**
 * One pass over the memory of an update's vectors, four numbers at a time. Parameters: the address of each vector, each scalar, the
 * bytes of a vector, a multiple of 16.
 */
export function updateFunction(name: string, update: FusedUpdate): WasmFunction {
  const { vectors, scalars, nodes, writes } = update;
  const params: WasmType[] = [...vectors.map(() => 'i32' as const), ...scalars.map(() => 'f32' as const), 'i32'];
  const locals: WasmType[] = ['i32'];
  const add = (type: WasmType): number => params.length + locals.push(type) - 1;
  const [bytes, at] = [params.length - 1, params.length];
  const local = new Map<string, number>();
  const setup = scalars.flatMap((scalar, i) => {
    local.set(scalar, add('v128'));
    return [...get(vectors.length + i), ...SPLAT, ...set(local.get(scalar)!)];
  });
  const address = (vector: string): number[] => [...get(vectors.indexOf(vector)), ...get(at), ...I32_ADD];
  const read = new Set(nodes.flatMap(({ inputs }) => inputs));
  const loads = vectors.flatMap((vector) => {
    if (!read.has(vector)) return [];
    local.set(vector, add('v128'));
    return [...address(vector), ...LOAD, ...set(local.get(vector)!)];
  });
  const computed = nodes.flatMap(({ op, inputs, output }) => {
    const operands = inputs.map((input) => get(local.get(input)!));
    local.set(output, add('v128'));
    return [...ARITHMETIC[op](operands), ...set(local.get(output)!)];
  });
  const stores = [...writes].flatMap(([variable, value]) => [
    ...address(variable),
    ...get(local.get(value)!),
    ...STORE,
  ]);
  const step = [...get(at), 0x41, VECTOR_BYTES, ...I32_ADD, 0x22, ...unsigned(at)];
  // loop; …; at += 16; br_if 0 (at < bytes); end
  const loop = [0x03, 0x40, ...loads, ...computed, ...stores, ...step, ...get(bytes), 0x49, 0x0d, 0, 0x0b];
  return { name, params, locals, body: [...setup, ...loop] };
}

/** Kind of an update, without the names of its values: updates of one kind share a function. */
export function kindOf({ vectors, scalars, nodes, writes }: FusedUpdate): string {
  const place = new Map([...vectors, ...scalars, ...nodes.map(({ output }) => output)].map((name, i) => [name, i]));
  return JSON.stringify([
    ...[vectors.length, scalars.length],
    nodes.map(({ op, inputs }) => [op, ...inputs.map((input) => place.get(input))]),
    [...writes].map(([variable, value]) => [place.get(variable), place.get(value)]),
  ]);
}
