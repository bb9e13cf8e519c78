import type { Operation, Program, TfliteValue } from './lower/program.ts';
import { changed } from './lower/program.ts';
import type { Fields } from './schema/notation.ts';

/** Dimension formats of TFLite's sparse tensors. */
const DENSE = 0;
const CSR = 1;

/** Maximum size of a sparse filter, as a share of the dense one's bytes. */
const WORTH = 0.9;

/**
 * Stores mostly zero filters of float32 1×1 convolutions as their nonzero weights and positions (compressed rows, one for each output channel). A
 * DENSIFY operation restores them when the model is loaded: a smaller file for the same computation. Returns the number of filters.
 */
export function storeSparse(program: Program): number {
  const spread = new Map<string, string>();
  const spreading: Operation[] = [];
  const operations = program.operations.map((operation) => {
    const name = operation.inputs[1] ?? '';
    if (operation.op !== 'CONV_2D') return operation;
    let wide = spread.get(name);
    if (wide === undefined) {
      const sparse = compressed(program.value(name));
      if (sparse === undefined) return operation;
      wide = program.add(`${name}/dense`, { type: sparse.type });
      spreading.push({ op: 'DENSIFY', inputs: [program.add(`${name}/sparse`, sparse)], outputs: [wide] });
      spread.set(name, wide);
    }
    const inputs = operation.inputs.map((input, i) => (i === 1 ? wide : input));
    return changed(operation, { inputs });
  });
  program.operations = [...spreading, ...operations];
  return spreading.length;
}

/** The filter [out, 1, 1, in] as compressed rows, if that is smaller. */
function compressed({ type, data }: TfliteValue): TfliteValue | undefined {
  const shape = type.shape as readonly number[];
  if (!(data instanceof Float32Array) || shape.length !== 4 || shape[1] !== 1 || shape[2] !== 1) return undefined;
  const depth = shape[3]!;
  const [segments, indices, kept] = [[0], [] as number[], [] as number[]];
  data.forEach((value, i) => {
    if (value !== 0) {
      indices.push(i % depth);
      kept.push(value);
    }
    if ((i + 1) % depth === 0) segments.push(indices.length);
  });
  const dense = (denseSize: number): Fields => ({ format: DENSE, denseSize });
  const rows = { format: CSR, arraySegments: vector(segments), arrayIndices: vector(indices) };
  const bytes = 4 * kept.length + sizeOf(segments) + sizeOf(indices);
  if (bytes >= WORTH * data.byteLength || kept.length === 0) return undefined;
  const sparsity = { traversalOrder: [0, 1, 2, 3], dimMetadata: [...shape.slice(0, 3).map(dense), rows] };
  return { type, data: Float32Array.from(kept), sparsity };
}

function widthOf(values: readonly number[]): 1 | 2 | 4 {
  const largest = values.reduce((a, b) => Math.max(a, b), 0);
  return largest < 2 ** 8 ? 1 : largest < 2 ** 16 ? 2 : 4;
}

function sizeOf(values: readonly number[]): number {
  return values.length * widthOf(values);
}

function vector(values: readonly number[]): Fields {
  const type$ = { 1: 'Uint8Vector', 2: 'Uint16Vector', 4: 'Int32Vector' }[widthOf(values)];
  return { type$, values };
}
