import { bytesOf, sha256 } from '../../base/bytes.ts';
import { orClose } from '../../base/closing.ts';
import { UserError } from '../../base/errors.ts';
import type { Dataset } from '../../data/dataset.ts';
import type { SampleForm } from '../../data/inputs.ts';
import type { AtSize } from '../../data/pictures/originals.ts';
import { checkParts } from '../../networks/inputs.ts';
import { onlyInput, networkParameters } from '../../networks/network.ts';
import type { ModelNetwork } from '../../networks/network.ts';
import type { CompiledStep, Engine, State } from '../../runtime/engine.ts';
import { fedTo, inputFeedsOf } from '../../train/step/batch.ts';
import { predictionProgram } from '../../train/evaluate/inference.ts';
import { fieldValues, joinedValues, widthOfFields } from '../../tasks/fields.ts';
import { taskOf } from '../../tasks/registry.ts';
import { preparationAffine, preprocess } from './inputs/preprocess.ts';
import type { Probe } from './file-teacher.ts';
import { sizeRemedy } from './inputs/teacher-inputs.ts';
import { seenAs } from './inputs/own-pictures.ts';
import type { OwnSize } from './inputs/own-pictures.ts';
import type { TeacherNormalization } from './inputs/preprocess.ts';
import { orderOf } from '../../files/class-order.ts';
import { joinedInOrder } from '../preflight/class-order.ts';
import { answersProbabilities, checkFields, logitsOfProbabilities } from './teacher.ts';
import type { Answer, Teacher, TeacherOutputs } from './teacher.ts';

export interface ModelTeacherOptions {
  readonly name: string;
  readonly engine: Engine;
  readonly network: ModelNetwork;
  /** Weights, if not the present values of its variables. */
  readonly weights?: State;
  /** Layers whose outputs are read. */
  readonly features: readonly string[];
  readonly dataset: Dataset;
  readonly outputs: TeacherOutputs;
  /** Default: the student's normalization. */
  readonly normalize?: TeacherNormalization | undefined;
  /** Default: the data set's size. */
  readonly size?: OwnSize | undefined;
  /** Class names in the model's order. Default: the data set's. */
  readonly classes?: readonly string[] | undefined;
  /** Samples on which it is tested whether the answers are probabilities. */
  readonly probe?: Probe;
}

interface Opened {
  readonly seen: ReturnType<typeof seenAs>;
  /** Shapes of the layers that are read. */
  readonly shapes: readonly (readonly [string, number[]])[];
  readonly steps: SizedSteps;
}

/** A network as a teacher, such as one trained by this run. */
export async function modelTeacher(options: ModelTeacherOptions): Promise<Teacher> {
  const { name, engine, network, features, dataset } = options;
  const seen = seenAs(dataset, options.size ?? {});
  checkShape(network, name, seen.form);
  const shapes = features.flatMap((feature) => {
    const layer = Object.hasOwn(network.layers, feature) ? network.layers[feature] : undefined;
    return layer === undefined ? [] : [[feature, layer.shape.slice(1).map(Number)] as const];
  });
  const steps = new SizedSteps(engine, network, features, options.weights);
  return orClose(
    () => withSteps(options, { seen, shapes, steps }),
    () => steps.dispose(),
  );
}

async function withSteps(
  { name, network, features, dataset, outputs, normalize, probe, ...options }: ModelTeacherOptions,
  { seen, shapes, steps }: Opened,
): Promise<Teacher> {
  const { device } = options.engine;
  const { fields, answers } = taskOf(dataset);
  const names = fields.map((field) => field.name);
  const preprocessing = { ...preparationAffine(seen.form, normalize), layout: 'nhwc' } as const;
  const raw = async (x: Float32Array, n: number, original?: AtSize): Promise<Answer> => {
    const step = await steps.for(n);
    const prepared = preprocess(await seen.bring(x, n, original), seen.form.sampleShape, preprocessing);
    const results = await step.run(fedTo(step, inputFeedsOf(prepared, n, dataset.inputs)));
    const copy = (output: string): Float32Array => (results[output] as Float32Array).slice();
    const values = Object.fromEntries(names.map((field) => [field, copy(field)]));
    return { logits: joinedValues(values, fields, n), features: Object.fromEntries(features.map((f) => [f, copy(f)])) };
  };
  if (fields.length > 1)
    checkFields(name, fields, names, (output) => network.outputs[output]?.shape.slice(1).map(Number));
  // Shapes of the network's outputs. Where they differ from the task's, the preflight refuses the teacher.
  const given = fields.map(({ name: field }) => ({
    name: field,
    shape: network.outputs[field]!.shape.slice(1).map(Number),
  }));
  const classes = widthOfFields(given);
  const order = orderOf(name, options.classes, dataset.classNames);
  const scoresIn = ({ logits }: Answer): Float32Array => fieldValues(logits, given, names[0]!);
  const isProbability =
    probe === undefined
      ? outputs === 'probabilities'
      : (outputs !== 'auto' || answers === 'logits' || fields.length > 1) &&
        answersProbabilities(
          name,
          outputs,
          scoresIn(await raw(probe.x, probe.n, probe.original)),
          given[0]!.shape.at(-1)!,
        );
  const content = await (await steps.for(1)).state();
  const sorted = [...content].sort(([a], [b]) => (a < b ? -1 : 1));
  const { filter, cutFrom } = options.size ?? {};
  const size = seen.form === dataset ? {} : { size: seen.form.sampleShape, filter, cutFrom };
  const settings = { config: network.definition(), features, preprocessing, isProbability, order, ...size };
  return {
    name,
    key: sha256(JSON.stringify(settings), ...sorted.flatMap(([key, { data }]) => [key, bytesOf(data)])),
    classes,
    featureShapes: Object.fromEntries(shapes),
    params: networkParameters(network),
    sizeBytes: sorted.reduce((sum, [, { data }]) => sum + data.byteLength, 0),
    device,
    ...(seen.form !== dataset && { sampleShape: seen.form.sampleShape }),
    answer: async (x, n, original) => {
      const asGiven = await raw(x, n, original);
      const { logits, features: named } = asGiven;
      if (order === undefined && !isProbability) return asGiven;
      const values = Object.fromEntries(names.map((field) => [field, fieldValues(logits, given, field)]));
      const scores = scoresIn(asGiven);
      const own = isProbability ? logitsOfProbabilities(scores) : scores;
      return { logits: joinedInOrder({ ...values, [names[0]!]: own }, fields, n, order), features: named };
    },
    dispose: () => steps.dispose(),
  };
}

function checkShape(network: ModelNetwork, name: string, { sampleShape: sample, inputs }: SampleForm): void {
  if (inputs !== undefined) {
    checkParts(name, network.inputs, inputs);
    return;
  }
  const shape = onlyInput(network)[1].shape.slice(1).map(Number);
  if (shape.length === sample.length && shape.every((size, i) => Number.isNaN(size) || size === sample[i])) return;
  throw new UserError(
    `${name}: its input is [batch, ${shape.map((size) => (Number.isNaN(size) ? '?' : size)).join(', ')}], received samples of shape [${sample.join(', ')}]`,
    sizeRemedy(['', ...shape], sample),
  );
}

/** A compiled prediction for each batch size, with shared weights. */
class SizedSteps {
  readonly #make: (batchSize: number, first: CompiledStep | undefined) => Promise<CompiledStep>;
  readonly #weights: State | undefined;
  readonly #steps = new Map<number, CompiledStep>();

  constructor(engine: Engine, network: ModelNetwork, features: readonly string[], weights: State | undefined) {
    this.#weights = weights;
    this.#make = (batchSize, first) =>
      engine.compile(predictionProgram({ network, batchSize, features }), first && { shareStateWith: first });
  }

  async for(batchSize: number): Promise<CompiledStep> {
    const known = this.#steps.get(batchSize);
    if (known !== undefined) return known;
    const first = this.#steps.values().next().value;
    const step = await this.#make(batchSize, first);
    if (first === undefined && this.#weights !== undefined) await step.load(this.#weights);
    this.#steps.set(batchSize, step);
    return step;
  }

  async dispose(): Promise<void> {
    for (const step of this.#steps.values()) await step.dispose();
    this.#steps.clear();
  }
}
