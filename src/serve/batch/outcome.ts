import type { ServedModel } from '../model.ts';
import type { WireTensor } from '../types.ts';
import type { Waiting } from './queue.ts';

/** Bytes of an output of several requests, above which each is given a copy of its own. */
const LARGE = 2 ** 20;

/** Answers of the requests of one call: each has its own samples of the outputs it asked for. */
export function answerShares(
  { facts }: ServedModel,
  together: readonly Waiting[],
  outputs: readonly WireTensor[],
): readonly WireTensor[][] {
  const byName = new Map(outputs.map((output) => [output.name, output]));
  if (facts.batching.kind === 'whole' || together.length === 1) {
    return together.map(({ request }) => request.outputs.map((name) => byName.get(name)!));
  }
  const samples = together.reduce((sum, { request }) => sum + request.samples, 0);
  for (const { name, shape } of outputs) if (shape[0] !== samples) throw new NotABatch(name, shape, samples);
  let from = 0;
  return together.map(({ request }) => {
    const own = request.outputs.map((name) => {
      const { bytes, shape, dtype } = byName.get(name)!;
      const size = bytes.length / samples;
      const view = bytes.subarray(from * size, (from + request.samples) * size);
      // One client that is slow to read must not keep the answers of all others.
      const part = bytes.length > LARGE ? view.slice() : view;
      return { name, dtype, shape: [request.samples, ...shape.slice(1)], bytes: part };
    });
    from += request.samples;
    return own;
  });
}

/** An output that has not one row for each sample, whatever the file declares. */
class NotABatch extends Error {
  constructor(name: string, shape: readonly number[], samples: number) {
    super(`output ${name} has the shape [${shape.join(', ')}] for ${samples} samples`);
  }
}
