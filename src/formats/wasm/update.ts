import type { FusedUpdate, UpdateNode, UpdateOp } from '../../graph/passes/step/fused-update.ts';
import { updatePasses } from '../../graph/passes/step/fused-update.ts';
import type { UpdatePass } from '../../graph/passes/step/fused-update.ts';
import {
  advance,
  clear,
  get,
  I32_ADD,
  I32_CONST,
  LOAD,
  LOAD_ADDRESS,
  loopUntil,
  set,
  simd,
  STORE,
  vectorOf,
} from './instructions.ts';
import type { WasmFunction, WasmType } from './module.ts';

const SPLAT = simd(0x13);
const SUM = simd(0xe4);
/** A sum that begins with it has the bits of one that begins with its first number, also where that is -0. */
const MINUS_ZERO = vectorOf(new Float32Array(4).fill(-0));

/** Instructions of each operator. All are correctly rounded (IEEE 754), so that the bits are those of any other processor. */
const ARITHMETIC: Readonly<Record<Exclude<UpdateOp, 'Sum'>, (operands: readonly number[][]) => number[]>> = {
  Add: ([a, b]) => [...a!, ...b!, ...simd(0xe4)],
  Sub: ([a, b]) => [...a!, ...b!, ...simd(0xe5)],
  Multiply: ([a, b]) => [...a!, ...b!, ...simd(0xe6)],
  RealDiv: ([a, b]) => [...a!, ...b!, ...simd(0xe7)],
  Minimum: ([a, b]) => [...a!, ...b!, ...simd(0xe8)],
  Maximum: ([a, b]) => [...a!, ...b!, ...simd(0xe9)],
  Sqrt: ([a]) => [...a!, ...simd(0xe3)],
  Square: ([a]) => [...a!, ...a!, ...simd(0xe6)],
  Neg: ([a]) => [...a!, ...simd(0xe1)],
  Identity: ([a]) => a!,
  Reshape: ([a]) => a!,
};

/**
 * The passes of an update over the memory of its vectors, four numbers at a time. Parameters: the address of each vector, or of the addresses of
 * its rows, the address of the values of each column, each scalar, the bytes of a vector and of a row, multiples of 16.
 */
export function updateFunction(name: string, update: FusedUpdate): WasmFunction {
  const { vectors, rowed, columns, scalars } = update;
  const addresses = [...vectors, ...columns];
  const params: WasmType[] = [
    ...addresses.map(() => 'i32' as const),
    ...scalars.map(() => 'f32' as const),
    ...(['i32', 'i32'] as const),
  ];
  const locals: WasmType[] = ['i32', 'i32'];
  const add = (type: WasmType): number => params.length + locals.push(type) - 1;
  const [bytes, row, at, column] = [params.length - 2, params.length - 1, params.length, params.length + 1];
  const local = new Map<string, number>();
  const localOf = (value: string): number => {
    const found = local.get(value) ?? add('v128');
    local.set(value, found);
    return found;
  };
  const setup = scalars.flatMap((scalar, i) => [...get(addresses.length + i), ...SPLAT, ...set(localOf(scalar))]);
  const isColumn = new Set(columns);
  const rowAddress = new Map(rowed.map((name) => [name, add('i32')]));
  const address = (place: string): number[] => [
    ...get(rowAddress.get(place) ?? addresses.indexOf(place)),
    ...get(isColumn.has(place) || rowAddress.has(place) ? column : at),
    I32_ADD,
  ];
  const nextRow = [...rowAddress].flatMap(([name, local]) => {
    const next = addresses.indexOf(name);
    return [...get(next), ...LOAD_ADDRESS, ...set(local), ...get(next), I32_CONST, 4, I32_ADD, ...set(next)];
  });
  const loaded = (value: string, place: string): number[] => [...address(place), ...LOAD, ...set(localOf(value))];
  const stored = (place: string, value: string): number[] => [...address(place), ...get(localOf(value)), ...STORE];
  const computed = ({ op, inputs, output }: UpdateNode): number[] => {
    const operands = inputs.map((input) => get(localOf(input)));
    return [...ARITHMETIC[op as Exclude<UpdateOp, 'Sum'>](operands), ...set(localOf(output))];
  };
  const summed = ({ inputs: [value], output }: UpdateNode): number[] => [
    ...address(output),
    ...address(output),
    ...LOAD,
    ...get(localOf(value!)),
    ...SUM,
    ...STORE,
  ];
  /** Values of columns that these nodes read and do not compute. */
  const columnsFor = (nodes: readonly UpdateNode[]): number[] => {
    const made = new Set(nodes.map(({ output }) => output));
    const read = new Set(nodes.flatMap(({ inputs }) => inputs).filter((value) => isColumn.has(value)));
    return [...read].flatMap((value) => (made.has(value) ? [] : loaded(value, value)));
  };
  const overColumns = (body: readonly number[]): number[] => [
    ...clear(column),
    ...loopUntil(column, row, [...body, ...advance(column)]),
  ];
  const everyNumber = ({ reads, nodes, sums, writes }: UpdatePass): number[] => [
    ...[...reads].flatMap(([value, place]) => loaded(value, place)),
    ...columnsFor(nodes),
    ...nodes.flatMap(computed),
    ...sums.flatMap(summed),
    ...writes.flatMap(([place, value]) => stored(place, value)),
    ...advance(at),
  ];
  const everyColumn = ({ columns: nodes }: UpdatePass): number[] => [
    ...columnsFor(nodes),
    ...nodes.flatMap(computed),
    ...nodes.flatMap(({ output }) => stored(output, output)),
  ];
  const passes = updatePasses(update).passes.flatMap((pass) => [
    ...(pass.sums.length === 0
      ? []
      : overColumns(pass.sums.flatMap(({ output }) => [...address(output), ...MINUS_ZERO, ...STORE]))),
    ...clear(at),
    ...loopUntil(
      at,
      bytes,
      columns.length + rowed.length === 0 ? everyNumber(pass) : [...nextRow, ...overColumns(everyNumber(pass))],
    ),
    ...(pass.columns.length === 0 ? [] : overColumns(everyColumn(pass))),
  ]);
  return { name, params, locals, body: [...setup, ...passes] };
}

/** Kind of an update, without the names of its values: updates of one kind share a function. */
export function kindOf({ vectors, rowed, columns, scalars, nodes, writes }: FusedUpdate): string {
  const place = new Map([...vectors, ...scalars, ...nodes.map(({ output }) => output)].map((name, i) => [name, i]));
  return JSON.stringify([
    vectors.length,
    columns.length,
    scalars.length,
    rowed.map((name) => place.get(name)),
    nodes.map(({ op, inputs }) => [op, ...inputs.map((input) => place.get(input))]),
    [...writes].map(([variable, value]) => [place.get(variable), place.get(value)]),
  ]);
}
