import { UserError } from '../../base/errors.ts';
import type { TensorData } from '../../graph/types.ts';
import type { InferenceTensor } from '../../runtime/inference.ts';

export type NamedTensors = Readonly<Record<string, InferenceTensor>>;

export type Run = (feeds: NamedTensors, wanted: readonly string[]) => NamedTensors;

/**
 * Run a batch of any size on a file that takes `size` samples at a time: piece by piece, the last one filled up with its
 * own last sample, whose further answers are dropped.
 */
export function runInPieces(run: Run, size: number, feeds: NamedTensors, wanted: readonly string[]): NamedTensors {
  const rows = Object.values(feeds)[0]!.shape[0]!;
  const pieces: NamedTensors[] = [];
  for (let from = 0; from < rows; from += size) {
    const kept = Math.min(size, rows - from);
    const piece = mapped(feeds, (tensor) => filledUp(rowsOf(tensor, from, kept), size));
    pieces.push(mapped(run(piece, wanted), (tensor) => rowsOf(tensor, 0, kept)));
  }
  return Object.fromEntries(
    wanted.map((name) => [
      name,
      joined(
        name,
        pieces.map((piece) => piece[name]!),
      ),
    ]),
  );
}

/** `count` rows from `from` on, a view. */
export function rowsOf({ data, shape }: InferenceTensor, from: number, count: number): InferenceTensor {
  const [rows, ...inner] = shape;
  const size = data.length / rows!;
  return { data: data.subarray(from * size, (from + count) * size), shape: [count, ...inner] };
}

function filledUp(tensor: InferenceTensor, rows: number): InferenceTensor {
  const [have, ...inner] = tensor.shape;
  if (have === rows) return tensor;
  const size = tensor.data.length / have!;
  const data = new (tensor.data.constructor as new (length: number) => TensorData)(rows * size);
  data.set(tensor.data as never);
  for (let row = have!; row < rows; row++) data.set(tensor.data.subarray((have! - 1) * size) as never, row * size);
  return { data, shape: [rows, ...inner] };
}

function joined(name: string, parts: readonly InferenceTensor[]): InferenceTensor {
  const [first] = parts;
  if (parts.length === 1) return first!;
  const inner = first!.shape.slice(1);
  for (const { shape } of parts) {
    if (shape.length === inner.length + 1 && inner.every((size, i) => shape[i + 1] === size)) continue;
    throw new UserError(
      `output ${name} has the shape [${shape.join(', ')}] for one sample and [${first!.shape.join(', ')}] for another`,
      'Send such samples in requests of their own.',
    );
  }
  const data = new (first!.data.constructor as new (length: number) => TensorData)(
    parts.reduce((sum, part) => sum + part.data.length, 0),
  );
  let at = 0;
  for (const part of parts) {
    data.set(part.data as never, at);
    at += part.data.length;
  }
  return { data, shape: [parts.reduce((sum, { shape }) => sum + shape[0]!, 0), ...inner] };
}

export function mapped(tensors: NamedTensors, to: (tensor: InferenceTensor) => InferenceTensor): NamedTensors {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, to(tensor)]));
}
