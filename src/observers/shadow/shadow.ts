import { bytesOf } from '../../base/bytes.ts';
import { UserError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import { argMax } from '../../base/numbers.ts';
import { RandomStream } from '../../base/random.ts';
import { inClassOrder, orderOf, otherOrder } from '../../files/class-order.ts';
import { fieldsIn } from '../../files/stated.ts';
import { readOnnx } from '../../files/onnx-file.ts';
import { decodeModel } from '../../formats/onnx/protobuf.ts';
import type { InferAnswer, InferRequest } from '../../serve/batch/queue.ts';
import { classesOutput } from '../../serve/model.ts';
import type { ServedModel } from '../../serve/model.ts';
import type { ModelFacts } from '../../measure/batching/facts.ts';
import { loadForm } from '../../serve/v1/forms.ts';
import { statedNames } from '../../serve/v1/preparation.ts';
import { labelsOf } from '../../serve/v2/classification.ts';
import { typedView } from '../../serve/v2/json-tensor.ts';
import { Pool } from '../../serve/worker/pool.ts';
import type { PoolOptions } from '../../serve/worker/pool.ts';
import { spooled } from '../../serve/worker/spool.ts';
import { TransferSet } from './keep.ts';
import { translationOf } from './preparation.ts';
import type { Translation } from './preparation.ts';
import { transferClasses } from './transfer-recipe.ts';
import { inOnePiece } from '../../formats/onnx/large.ts';

export interface ShadowOptions {
  /** `teacher.onnx`, or `student=teacher.onnx` where several models are served. */
  readonly teacher: string;
  /** Share of the requests that it answers too. */
  readonly share: number;
  /** Folder for the samples of which the two say different things, and its most bytes. */
  readonly keep?: { readonly folder: string; readonly mostBytes: number } | undefined;
}

/** Result for a sample: compared, or not sent to the teacher because it was busy, or failed there. */
export type ShadowResult = 'agree' | 'disagree' | 'dropped' | 'failed';

/** Way in which a model's requests are answered and kept; `key` is that of the model as it was loaded. */
interface Fit {
  readonly key: string;
  readonly value: Translation;
  /** Position in the teacher's answer of each class of the model. */
  readonly order: readonly number[] | undefined;
  /** The same of each class of the transfer set, which more than one model may have been compared for. */
  readonly keptOrder: readonly number[] | undefined;
}

interface Teacher extends Pick<ServedModel, 'facts' | 'metadata'> {
  readonly file: string;
}

const MOST_BATCH = 64;
const KEY = 'shadow';

/**
 * A teacher that answers a sample of a model's requests after the model has: in a process of its own at the lowest priority,
 * one request at a time, and not at all while it is busy.
 */
export class Shadow {
  readonly counts: Record<ShadowResult, number> = { agree: 0, disagree: 0, dropped: 0, failed: 0 };
  /** Samples in the transfer set; undefined where none are kept. */
  get kept(): number | undefined {
    return this.#set?.rows;
  }

  readonly model: string;
  readonly #teacher: Teacher;
  readonly #pool: Pool;
  readonly #options: ShadowOptions;
  readonly #log: Log;
  readonly #random = new RandomStream('shadow');
  #set: TransferSet | undefined;
  /** Classes of the transfer set in the order of its rows. */
  #names: readonly string[] | undefined;
  #translation: Fit | undefined;
  #asking: Promise<void> | undefined;
  #isFull = false;

  private constructor(model: string, teacher: Teacher, pool: Pool, options: ShadowOptions, log: Log) {
    this.model = model;
    this.#teacher = teacher;
    this.#pool = pool;
    this.#options = options;
    this.#log = log;
  }

  /** `UserError` for a file that cannot be the teacher of any of the models. */
  static async start(
    options: ShadowOptions,
    models: readonly ServedModel[],
    pool: PoolOptions,
    log: Log,
  ): Promise<Shadow> {
    const { model, file } = chosen(options.teacher, models);
    const bytes = inOnePiece(await readOnnx(file), file, 'the server');
    const { metadata } = decodeModel(bytes, file);
    const several = fieldsIn(model.metadata) ?? fieldsIn(metadata);
    if (several !== undefined)
      throw new UserError(
        `--shadow ${options.teacher}: expected models that answer with one output, received the outputs ${several.map(({ name }) => name).join(', ')}`,
        'A transfer set holds logits of classes alone.',
      );
    await loadForm(statedNames({ metadata }));
    const workers = new Pool({ ...pool, workers: 1, lowPriority: true }, log, () => undefined);
    let facts: ModelFacts | undefined;
    const message = { type: 'model', key: KEY, fileName: file, bytes: bytes.length, maxBatch: MOST_BATCH } as const;
    await workers.replace([{ message, read: await spooled(bytes) }], ({ models: found }) => (facts = found[KEY]));
    const shadow = new Shadow(model.name, { file, facts: facts!, metadata }, workers, options, log);
    try {
      await shadow.#fit(model);
      return shadow;
    } catch (error) {
      await shadow.close();
      throw error;
    }
  }

  /** An answer of the model; nobody waits for what is done with it. */
  offer(model: ServedModel, request: InferRequest, answer: InferAnswer): void {
    if (model.name !== this.model || this.#random.uniform() >= this.#options.share) return;
    const said = answer.outputs.find(({ name }) => name === classesOutput(model));
    if (said === undefined) return;
    if (this.#asking !== undefined || this.#pool.free() === undefined) {
      this.counts.dropped += request.samples;
      return;
    }
    this.#asking = this.#ask(model, request, said)
      .catch((error: unknown) => {
        this.counts.failed += request.samples;
        this.#log.write('warn', `the shadow of ${this.model} did not answer: ${(error as Error).message}`);
      })
      .finally(() => (this.#asking = undefined));
  }

  async close(): Promise<void> {
    await this.#asking;
    await this.#pool.close(1000);
    await this.#set?.close();
  }

  async #fit(model: ServedModel): Promise<void> {
    const { file } = this.#teacher;
    const value = translationOf(model, this.#teacher, file);
    const classes = classCount(model);
    if (classes === undefined)
      throw new UserError(
        `--shadow: ${model.name} gives no answers [batch, classes] in float32, which are what a shadow compares`,
        'Leave out --shadow, or name a model of classes: --shadow NAME=TEACHER.onnx.',
      );
    if (classes !== classCount(this.#teacher)) {
      throw new UserError(
        `${file}: expected answers of ${classes} classes, as ${model.name} gives, received ${classCount(this.#teacher) ?? 'none'}`,
        'Name a teacher with the same classes.',
      );
    }
    const order = orderBetween(model, this.#teacher, classes);
    const keptOrder = await this.#orderKept(model, value, classes);
    this.#translation = { key: model.key, value, order, keptOrder };
    if (value.isGuess)
      this.#log.write(
        'warn',
        `${file} and ${model.name} do not both say how their input is prepared: the shadow is fed what ${model.name} is`,
      );
  }

  async #orderKept(
    model: ServedModel,
    { rawShape, rawDtype }: Translation,
    classes: number,
  ): Promise<readonly number[] | undefined> {
    const { keep } = this.#options;
    if (keep === undefined) return undefined;
    const form = { sampleShape: rawShape, dtype: rawDtype, classes };
    this.#set?.requireForm(form);
    this.#set ??= await TransferSet.open(keep.folder, form, keep.mostBytes);
    const labels = labelsOf(model) ?? labelsOf(this.#teacher);
    this.#names ??= await transferClasses(keep.folder, { labels, classes, rows: this.#set.rows });
    return orderOfRows(keep.folder, this.#names, model, this.#teacher);
  }

  async #ask(
    model: ServedModel,
    { inputs, samples }: InferRequest,
    said: InferAnswer['outputs'][number],
  ): Promise<void> {
    // Loaded again, and perhaps another model by now.
    if (this.#translation!.key !== model.key) await this.#fit(model);
    const { value, order, keptOrder } = this.#translation!;
    const { shape, toTeacher, toRaw } = value;
    const [{ shape: given, bytes }] = inputs as [(typeof inputs)[number]];
    const fed = typedView('float32', given, bytes) as Float32Array;
    const [input] = this.#teacher.facts.inputs;
    const output = classesOutput(this.#teacher)!;
    const head = { name: input!.name, dtype: 'float32', shape: [samples, ...shape] } as const;
    const run = { key: KEY, inputs: [head], outputs: [output], mostBytes: Number.MAX_SAFE_INTEGER };
    const answer = await this.#pool.free()!.run(run, [[bytesOf(toTeacher(fed))]]);
    const [own, its] = [said, answer.outputs[0]!].map(
      (one) => typedView(one.dtype, one.shape, one.bytes) as Float32Array,
    );
    const other = inClassOrder(its!, order);
    const classes = own!.length / samples;
    const raw = this.#set && toRaw(fed);
    const kept = inClassOrder(its!, keptOrder);
    for (let i = 0; i < samples; i++) {
      const isSame = argMax(other, i * classes, classes) === argMax(own!, i * classes, classes);
      this.counts[isSame ? 'agree' : 'disagree']++;
      if (isSame || raw === undefined) continue;
      const size = raw.length / samples;
      const sample = raw.slice(i * size, (i + 1) * size);
      this.#keep(sample, argMax(kept, i * classes, classes), kept.slice(i * classes, (i + 1) * classes));
    }
  }

  #keep(sample: Uint8Array | Float32Array, label: number, logits: Float32Array): void {
    const onFailed = (why: string): void =>
      this.#log.write(
        'warn',
        `${this.#options.keep!.folder}: no more samples are kept: ${why}; ${this.kept} are there`,
      );
    if (this.#set!.add({ sample, label, logits }, onFailed) || this.#isFull) return;
    this.#isFull = true;
    this.#log.write('warn', `${this.#options.keep!.folder} is full: ${this.kept} samples; no more are kept`);
  }
}

/** Position in the teacher's answer of each class of the model, where both name the same classes in another order. */
export function orderBetween(
  model: Pick<ServedModel, 'metadata'>,
  teacher: Pick<Teacher, 'metadata' | 'file'>,
  classes: number,
): number[] | undefined {
  const own = labelsOf(model);
  if (own?.length !== classes) return undefined;
  return orderOf(teacher.file, otherOrder(teacher.file, labelsOf(teacher), own), own);
}

/**
 * Position in the teacher's answer of each class of a transfer set, by whatever model is served: `names` in the order of its rows. `UserError` where
 * the teacher names no classes, and the model has those of the set in another order.
 */
export function orderOfRows(
  folder: string,
  names: readonly string[],
  model: Pick<ServedModel, 'metadata' | 'name'>,
  teacher: Pick<Teacher, 'metadata' | 'file'>,
): number[] | undefined {
  const its = labelsOf(teacher);
  if (its === undefined && otherOrder(model.name, labelsOf(model), names) !== undefined)
    throw new UserError(
      `${folder}: it holds samples with the classes in another order than ${model.name}, and ${teacher.file} does not name those that it answers with`,
      'Name another folder with --keep, for the samples of this model.',
    );
  return orderOf(teacher.file, otherOrder(teacher.file, its, names), names);
}

function classCount(model: Pick<ServedModel, 'facts'>): number | undefined {
  const name = classesOutput(model);
  const size = model.facts.outputs.find((output) => output.name === name)?.shape.at(-1);
  return typeof size === 'number' ? size : undefined;
}

function chosen(given: string, models: readonly ServedModel[]): { model: ServedModel; file: string } {
  const [, name, file = given] = /^([A-Za-z0-9_][A-Za-z0-9_.-]*)=(.+)$/.exec(given) ?? [];
  const names = models.map((model) => model.name).join(', ');
  const model = name === undefined && models.length === 1 ? models[0] : models.find((one) => one.name === name);
  if (model !== undefined) return { model, file };
  if (name === undefined) {
    throw new UserError(
      `--shadow ${given}: several models are served, ${names}`,
      `Say which of them it is for: --shadow ${models[0]!.name}=${file}.`,
    );
  }
  throw new UserError(`--shadow ${given}: there is no model ${name}`, `The models are ${names}.`);
}
