import type { TensorSpec } from '../graph/types.ts';
import type { InferRequest } from './batch/queue.ts';
import { byteLengthOf, elementsOf } from './dtypes.ts';
import type { ModelLimits } from './limits.ts';
import { Refusal } from './refusal.ts';
import type { ModelFacts } from '../measure/batching/facts.ts';

interface Asked {
  readonly name: string;
  readonly facts: ModelFacts;
  readonly limits: ModelLimits;
}

/**
 * Refusal of a request whose answer would be too large, before anything is computed. `asText`: names of the outputs whose values are written as text.
 * The size of an output may follow from nothing but the model itself: workers look at those.
 */
export function refuseLargeAnswer(
  model: Asked,
  { inputs, outputs, samples }: Pick<InferRequest, 'inputs' | 'outputs' | 'samples'>,
  asText: readonly string[],
): void {
  const { name, facts, limits } = model;
  const sizes = new Map<string, number>();
  for (const { name: input, shape } of inputs)
    facts.inputs
      .find((spec) => spec.name === input)!
      .shape.forEach((dim, i) => {
        if (typeof dim === 'string' && dim !== '') sizes.set(dim, shape[i]!);
      });
  const shapes = facts.outputs
    .filter((output) => outputs.includes(output.name))
    .map((output) => ({
      ...output,
      shape: knownShape(output, sizes, facts.batching.kind === 'whole' ? undefined : samples),
    }));
  const bytes = sum(shapes.map(({ dtype, shape }) => byteLengthOf(dtype, shape)));
  const remedy = samples > 1 ? 'send fewer samples' : 'ask for fewer outputs';
  if (bytes > limits.bytes)
    throw new Refusal(
      413,
      `the answer of model ${name} would have ${bytes} bytes, at most ${limits.bytes}: ${remedy} (--max-body sets this limit)`,
    );
  const values = sum(shapes.filter((one) => asText.includes(one.name)).map(({ shape }) => elementsOf(shape)));
  if (values > limits.values)
    throw new Refusal(
      413,
      `the answer of model ${name} would have ${values} values as text, at most ${limits.values}: ${remedy}, or ask for binary data at /v2/models/${name}/infer (--max-json sets this limit)`,
    );
}

/** Bytes of all outputs for one sample, as far as its file tells. */
export function bytesOfSample({ outputs, batching }: ModelFacts): number {
  const samples = batching.kind === 'whole' ? undefined : 1;
  return sum(outputs.map((output) => byteLengthOf(output.dtype, knownShape(output, new Map(), samples))));
}

/** Open sizes that nothing tells count as 1. */
function knownShape({ shape }: TensorSpec, sizes: ReadonlyMap<string, number>, samples?: number): number[] {
  return shape.map((dim, i) =>
    i === 0 && samples !== undefined ? samples : typeof dim === 'number' ? dim : (sizes.get(dim) ?? 1),
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
