import { monotonicMs } from '../../base/clock.ts';
import { RandomStream } from '../../base/random.ts';
import { noise } from '../inputs.ts';
import type { TensorSpec } from '../../graph/types.ts';
import type { Batching, ModelFacts } from './facts.ts';
import { likeness, worst } from './likeness.ts';
import type { Likeness } from './likeness.ts';
import { mapped, rowsOf, runInPieces } from './rows.ts';
import type { Run, NamedTensors } from './rows.ts';

export interface ProbeOptions {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly maxBatch: number;
  readonly sampleShape?: readonly number[] | undefined;
}

/** Milliseconds of running that a model may take at its start; two sizes of batch are always tried. */
const BUDGET_MS = 400;
const REPEATS = 3;
/** Sizes tried in turn for what a file leaves open besides the batch. */
const OPEN_SIZES = [32, 224, 8, 128];

/**
 * Run a model on noise: what a call costs by the size of its batch, and whether a sample's answer depends on the samples
 * beside it, as it does where a file chooses its quantization ranges by the whole batch.
 */
export function probe(run: Run, options: ProbeOptions): ModelFacts {
  const { inputs, outputs } = options;
  const declared = declaredBatching(inputs, outputs);
  const size = declared.kind === 'fixed' ? declared.size : 1;
  const sample = firstThatRuns(run, size, options);
  if (sample === undefined) {
    const notes =
      declared.kind === 'whole' ? [] : ['not batched: it leaves sizes open, and does not run on those that were tried'];
    return { inputs, outputs, batching: { kind: 'whole' }, cost: [], notes };
  }
  const measured = new Measurement(
    run,
    outputs.map(({ name }) => name),
    sample,
  );
  if (declared.kind === 'whole') return { inputs, outputs, batching: declared, cost: [measured.time(1)], notes: [] };
  if (declared.kind === 'fixed') return { inputs, outputs, ...fixed(measured, declared.size) };
  return { inputs, outputs, ...any(measured, options.maxBatch) };
}

type Found = Omit<ModelFacts, 'inputs' | 'outputs'>;

function any(measured: Measurement, maxBatch: number): Found {
  const cost = [measured.time(1)];
  let found: Likeness = 'bits';
  for (let n = 2; n <= maxBatch; n *= 2) {
    const expected = 2 * cost.at(-1)![1] * REPEATS;
    if (n > 2 && measured.spentMs + expected > BUDGET_MS) break;
    const alike = measured.compare(n);
    if (alike === 'other') return { batching: { kind: 'whole' }, cost: [cost[0]!], notes: [INTERACTING] };
    found = worst([found, alike]);
    cost.push(measured.time(n));
  }
  return { batching: { kind: 'any' }, ...(maxBatch > 1 && { exact: found === 'bits' }), cost, notes: [] };
}

function fixed(measured: Measurement, size: number): Found {
  const batching: Batching = { kind: 'fixed', size };
  const [, ms] = measured.time(size);
  const cost = [[size, ms] as const];
  if (size === 1) return { batching, exact: true, cost, notes: [] };
  const alike = measured.compareFilledUp(size);
  if (alike === 'other') return { batching: { kind: 'whole' }, cost, notes: [INTERACTING] };
  return { batching, exact: alike === 'bits', cost, notes: [] };
}

const INTERACTING = 'not batched: the answer to a sample depends on the samples beside it';

/** Feeds by number of samples. */
type Sample = (n: number) => NamedTensors;

function firstThatRuns(run: Run, size: number, { inputs, outputs, sampleShape }: ProbeOptions): Sample | undefined {
  const isOpen = inputs.some(({ shape }) => shape.slice(1).some((dim) => typeof dim === 'string'));
  const wanted = outputs.map(({ name }) => name);
  for (const open of isOpen ? OPEN_SIZES : [1]) {
    const sample: Sample = (n) =>
      Object.fromEntries(
        inputs.map(({ name, dtype, shape }) => {
          const inner = shape.slice(1).map((dim, i) => (typeof dim === 'number' ? dim : (sampleShape?.[i] ?? open)));
          const full = shape.length === 0 ? [] : [typeof shape[0] === 'number' ? shape[0] : n, ...inner];
          return [name, { data: dtype === 'float16' ? halves(full) : noise(dtype, full), shape: full }];
        }),
      );
    try {
      run(sample(size), wanted);
      return sample;
    } catch {
      // The next size.
    }
  }
  return undefined;
}

/** Between 1 and 1.5, or the same below 0: samples that differ. */
function halves(shape: readonly number[]): Uint16Array {
  const random = new RandomStream('probe');
  const size = shape.reduce((product, dim) => product * dim, 1);
  return Uint16Array.from({ length: size }, () => (random.below(2) << 15) | (0x3c00 + random.below(512)));
}

class Measurement {
  readonly #run: Run;
  readonly #wanted: readonly string[];
  readonly #sample: Sample;
  spentMs = 0;

  constructor(run: Run, wanted: readonly string[], sample: Sample) {
    this.#run = run;
    this.#wanted = wanted;
    this.#sample = sample;
  }

  /** Median of a few calls. */
  time(n: number): readonly [number, number] {
    const feeds = this.#sample(n);
    const times: number[] = [];
    for (let i = 0; i < REPEATS; i++) {
      const start = monotonicMs();
      this.#run(feeds, this.#wanted);
      times.push(monotonicMs() - start);
      this.spentMs += times.at(-1)!;
      if (this.spentMs > BUDGET_MS) break;
    }
    return [n, times.sort((a, b) => a - b)[times.length >> 1]!];
  }

  /** The first and the last sample of a batch, beside the same alone. */
  compare(n: number): Likeness {
    const feeds = this.#sample(n);
    const together = this.#run(feeds, this.#wanted);
    return worst(
      [0, n - 1].map((row) => {
        const alone = this.#run(
          mapped(feeds, (tensor) => copied(rowsOf(tensor, row, 1))),
          this.#wanted,
        );
        return this.#alike(together, row, alone);
      }),
    );
  }

  /** The first sample of a full batch, beside the same in a batch filled up with copies of it. */
  compareFilledUp(size: number): Likeness {
    const feeds = this.#sample(size);
    const together = this.#run(feeds, this.#wanted);
    const alone = runInPieces(
      this.#run,
      size,
      mapped(feeds, (tensor) => copied(rowsOf(tensor, 0, 1))),
      this.#wanted,
    );
    return this.#alike(together, 0, alone);
  }

  #alike(together: NamedTensors, row: number, alone: NamedTensors): Likeness {
    return worst(
      this.#wanted.map((name) => {
        const [batch, one] = [together[name]!, alone[name]!];
        if (one.shape[0] !== 1 || batch.data.length !== batch.shape[0]! * one.data.length) return 'other';
        return likeness(one, rowsOf(batch, row, 1));
      }),
    );
  }
}

function copied({ data, shape }: ReturnType<typeof rowsOf>): ReturnType<typeof rowsOf> {
  return { data: data.slice(), shape };
}

/** Batching that the declared shapes allow. Whether samples change each other's answers is found out by running. */
export function declaredBatching(inputs: readonly TensorSpec[], outputs: readonly TensorSpec[]): Batching {
  const firsts = [...inputs, ...outputs].map(({ shape }) => shape[0]);
  if (firsts.length === 0 || firsts.includes(undefined)) return { kind: 'whole' };
  const [size] = firsts;
  if (typeof size === 'number') {
    return size > 0 && firsts.every((other) => other === size) ? { kind: 'fixed', size } : { kind: 'whole' };
  }
  if (!firsts.every((first) => typeof first === 'string')) return { kind: 'whole' };
  // Two names are two sizes; a size without a name may be any.
  const names = new Set(firsts.filter((first) => first !== ''));
  return names.size <= 1 ? { kind: 'any' } : { kind: 'whole' };
}
