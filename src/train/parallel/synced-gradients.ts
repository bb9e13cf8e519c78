import { UserError } from '../../base/errors.ts';
import { CARRIED, cutAtBatchNorms, PART, WHOLE_PREFIX } from '../../graph/passes/step/cut-at-batch-norms.ts';
import { staticSize } from '../../graph/shapes.ts';
import type { TensorData, TensorType } from '../../graph/types.ts';
import { divisibleStep } from '../../runtime/divisible-step.ts';
import type { CompiledStep } from '../../runtime/engine.ts';
import { fedTo, samplesInBatch } from '../step/batch.ts';
import { feedsOfPart, withRandoms } from '../step/gradients.ts';
import type { BatchPartGradients, GradientsOptions, OwnParts } from '../step/gradients.ts';
import type { Sharing } from '../processes.ts';
import { PartSum } from './part-sum.ts';
import { Slices } from './slices.ts';
import type { StepValues } from '../step/steps.ts';

interface SyncedOptions extends GradientsOptions {
  /** The processes that share the parts. */
  readonly sharing: Pick<Sharing, 'allgather'>;
  /** Number of parts of this process. */
  readonly parts: number;
}

/**
 * Gradients with batch norms over the whole batch. The program is cut at its batch norms; all parts are computed up to a cut before any continues,
 * and the statistics are summed over the parts, in order and in float32: the same bits in any number of processes.
 */
export class SyncedGradients implements BatchPartGradients {
  readonly holder: CompiledStep;
  readonly outputs: ReadonlyMap<string, TensorType>;
  readonly variables: ReadonlySet<string>;
  readonly #options: SyncedOptions;
  readonly #pieces: readonly CompiledStep[];
  readonly #sized = new Map<number, readonly CompiledStep[]>();
  readonly #sum = new PartSum('in pairs');

  private constructor(options: SyncedOptions, pieces: readonly CompiledStep[]) {
    this.#options = options;
    this.#pieces = pieces;
    this.holder = pieces[0]!;
    this.outputs = new Map(pieces.flatMap(({ outputs }) => [...outputs].filter(([name]) => isResult(name))));
    this.variables = new Set(pieces.flatMap((piece) => [...(divisibleStep(piece)?.variables ?? [])]));
    this.#sized.set(options.largest, pieces);
  }

  static async create(given: SyncedOptions): Promise<SyncedGradients> {
    const options = { ...given, ...withRandoms(given) };
    return new SyncedGradients(options, await piecesFor(options.largest, options));
  }

  /** All parts of this process are in memory at once, with copies of the tensors that pass between the pieces of the program. */
  get memoryBytes(): number | undefined {
    const bytes = this.#pieces.map(({ memoryBytes }) => memoryBytes ?? NaN);
    if (bytes.some(Number.isNaN)) return undefined;
    const handed = this.#pieces.flatMap(({ outputs }) =>
      [...outputs.values()].map(({ shape }) => 4 * staticSize(shape)),
    );
    return Math.max(...bytes) + (this.#options.parts + 1) * handed.reduce((sum, size) => sum + size, 0);
  }

  async *of({ own, count, each }: OwnParts, feeds: StepValues, step: number): AsyncGenerator<StepValues> {
    const { task } = this.#options;
    const work = [];
    for (const part of own) {
      const pieces = await this.#for(samplesInBatch(part.batch, task));
      const held = new Map(Object.entries(feedsOfPart(part, feeds, task, step)));
      work.push({ part, pieces, held, results: {} as Record<string, TensorData> });
    }
    for (const [at, { outputs }] of this.#pieces.entries()) {
      for (const { part, pieces, held, results } of work) {
        const piece = pieces[at]!;
        const pieceOutputs = await piece.run(fedTo(piece, Object.fromEntries(held)), step, part.first);
        // The results of a call are valid until the next call.
        for (const [name, values] of Object.entries(pieceOutputs)) {
          if (name.startsWith(CARRIED)) held.set(name.slice(CARRIED.length), values.slice());
          else results[name] = values.slice();
        }
        for (const name of held.keys()) if (!isReadAfter(pieces, at, name)) held.delete(name);
      }
      const sums = this.#summed(
        outputs,
        work.map(({ results }) => results),
        { count, each },
      );
      for (const { held } of work) for (const [name, values] of Object.entries(sums)) held.set(name, values);
    }
    for (const { results } of work)
      yield Object.fromEntries(Object.entries(results).filter(([name]) => isResult(name)));
  }

  async dispose(): Promise<void> {
    for (const pieces of this.#sized.values())
      for (const piece of pieces) if (piece !== this.holder) await piece.dispose();
    await this.holder.dispose();
  }

  /** Sums over all parts of the batch, in all processes. */
  #summed(
    outputs: ReadonlyMap<string, TensorType>,
    own: readonly StepValues[],
    { count, each }: Omit<OwnParts, 'own'>,
  ): StepValues {
    const wanted = new Map([...outputs].filter(([name]) => name.startsWith(PART)));
    if (wanted.size === 0) return {};
    const slices = new Slices(wanted, { count: 1 });
    const { width } = slices;
    const flat = new Float32Array(each * width);
    own.forEach((results, i) => slices.write(results, flat.subarray(i * width, (i + 1) * width)));
    const all = this.#options.sharing.allgather(flat);
    this.#sum.clear();
    for (let i = 0; i < count; i++) this.#sum.add(slices.read(all.subarray(i * width, (i + 1) * width)));
    const named = [...wanted.keys()].map((name) => [
      WHOLE_PREFIX + name.slice(PART.length),
      this.#sum.values[name]!.slice(),
    ]);
    return Object.fromEntries(named) as StepValues;
  }

  async #for(size: number): Promise<readonly CompiledStep[]> {
    const known = this.#sized.get(size);
    if (known !== undefined) return known;
    const pieces = await piecesFor(size, this.#options, this.holder);
    this.#sized.set(size, pieces);
    return pieces;
  }
}

async function piecesFor(
  size: number,
  { engine, program, compile }: SyncedOptions,
  holder?: CompiledStep,
): Promise<readonly CompiledStep[]> {
  if (engine.compilePieces === undefined || engine.device !== 'cpu')
    throw new UserError(
      `syncBatchNorm: expected the engine onnxruntime on the cpu, received ${engine.name} on ${engine.device}`,
      'Set engine: onnxruntime and device: cpu, or take syncBatchNorm out: each shard is then normalized by itself.',
    );
  const options = { ...compile, ...(holder && { shareStateWith: holder }) };
  return engine.compilePieces(program(size), (graph) => cutAtBatchNorms(graph, 'samples'), options);
}

function isResult(name: string): boolean {
  return !name.startsWith(CARRIED) && !name.startsWith(PART);
}

function isReadAfter(pieces: readonly CompiledStep[], at: number, name: string): boolean {
  return pieces.slice(at + 1).some(({ inputs }) => inputs.has(name));
}
