import { clipped, UserError } from '../../base/errors.ts';
import type { OnProgress } from '../../base/progress.ts';
import { isReadAsOnnx } from '../../files/as-onnx.ts';
import { readOnnx } from '../../files/onnx-file.ts';
import type { OnnxContent } from '../../formats/onnx/large.ts';
import { loadTfjsModel, predictTfjs } from '../../files/tfjs-file.ts';
import { hits, isWorse } from '../../tasks/classification/classes.ts';
import { oneClassWarning } from '../../tasks/classification/one-class.ts';
import { openerFor, sessionOptionsOf } from '../../runtime/recipe-options.ts';
import type { ModelFile } from '../model-file.ts';
import { beyondBudget, likenessText } from '../../convert/budgets.ts';
import { withFirstLayer } from '../../convert/first-layer.ts';
import { compareOn } from '../parity/compare.ts';
import type { Compared } from '../parity/compare.ts';
import { CLEARLY_DB, leastDb } from '../../convert/likeness.ts';
import type { OutputLikeness } from '../../convert/likeness.ts';
import { openFileRunner } from '../parity/runners.ts';
import type { Feeds, FileRunner } from '../parity/file-runner.ts';
import { typedAs } from '../../graph/arrays.ts';
import { roundedOff, sharesIn } from './rounding.ts';
import type { Made } from '../../convert/write.ts';
import type { ConvertSamples } from './samples.ts';
import type { ConvertSource } from './source.ts';

export interface Checked {
  readonly outputs: readonly OutputLikeness[];
  readonly top1Agreement: number | null;
  readonly largestError: number | null;
  readonly samples: number;
  readonly isMadeUp: boolean;
  /** The samples in words: held out, left out once each, or made up. */
  readonly kind: string;
  readonly accepted: readonly string[];
  readonly warnings: readonly string[];
  /** The file is the one whose biases were not corrected, which answers better. */
  readonly isUncorrected: boolean;
}

/** Bytes of a file that is read from its path. */
export const NO_BYTES = new Uint8Array();

/** A file that was made from a source. */
export type MadeFile = ModelFile &
  Pick<Made, 'layers' | 'uncorrected' | 'tensors'> & {
    readonly path?: string | undefined;
    readonly open?: typeof openFileRunner;
  };

/**
 * The new file beside the source file: the user's own bytes in ONNX Runtime, not our reading of them. `UserError` where an
 * output is beyond the budget of the precision, unless `accept`. `weighted`: the source with its weights, which `source` may lack. `makeFold`: the file as the samples of a fold calibrate it.
 * Where the noise of rounding is much larger than its mean, corrected biases can do more harm than good: `isUncorrected` then, see `answersBetter`.
 */
export async function checkConversion(
  source: ConvertSource,
  file: MadeFile,
  samples: ConvertSamples,
  accept: boolean,
  weighted: () => Promise<ConvertSource>,
  makeFold: (calibration: readonly Feeds[]) => Promise<Pick<Made, 'bytes' | 'uncorrected'>>,
  onProgress?: OnProgress,
): Promise<Checked> {
  const known = new SourceAnswers(source);
  const folds: Awaited<ReturnType<typeof makeFold>>[] = [];
  const compare = async (made: MadeFile, bytesOf: (fold: (typeof folds)[number]) => OnnxContent) => {
    const own = await run(known, [{ ...made, check: samples.check }], samples, onProgress);
    // The file that is written must be sound on its own samples too.
    const isSound = typeof own !== 'string' && !own.outputs.some((output) => beyondBudget(output, made.precision));
    if (!isSound || samples.folds.length === 0) return { made, compared: own, areLeftOut: false };
    for (const { calibration } of samples.folds.slice(folds.length)) folds.push(await makeFold(calibration));
    const parts = samples.folds.map(({ check }, i) => ({ ...made, bytes: bytesOf(folds[i]!), check }));
    return { made, compared: await run(known, parts, samples, onProgress), areLeftOut: true };
  };
  let chosen = await compare(file, ({ bytes }) => bytes);
  if (file.uncorrected !== undefined) {
    const other = await compare({ ...file, ...file.uncorrected }, ({ uncorrected }) => uncorrected!.bytes);
    if (answersBetter(other.compared, chosen.compared, samples)) chosen = other;
  }
  const { made, compared, areLeftOut } = chosen;
  const isUncorrected = made !== file;
  const kind = `${kindOf(samples, areLeftOut)}${samples.isStream === true ? ', hop by hop' : ''}`;
  if (typeof compared === 'string')
    return {
      ...NOTHING,
      isMadeUp: true,
      isUncorrected,
      warnings: [`${made.file}: was not compared with ${source.file}: ${compared}`],
    };
  const { outputs } = compared;
  const far = outputs.filter((output) => beyondBudget(output, made.precision) !== undefined);
  const rounded = await roundedOff(source.graph, far, made.precision, samples.check, weighted);
  const beyond = far.flatMap((output) =>
    rounded.has(output.output) ? [] : (beyondBudget(output, made.precision) ?? []),
  );
  const warnings = [
    ...oddities(source, made, samples, compared),
    ...fewSamples(made.file, samples),
    ...far.flatMap((output) => (rounded.has(output.output) ? [nothingSaid(source, output)] : [])),
  ];
  const on = `on ${compared.samples} ${kind}`;
  if (beyond.length > 0 && !accept) {
    const traced = made.path === undefined && made.open === undefined;
    const told = traced ? await withFirstLayer(beyond, source.graph, made, samples.check, RUNTIMES) : beyond;
    throw refusal(source, made, on, told, warnings, samples);
  }
  return {
    outputs,
    samples: compared.samples,
    isMadeUp: samples.isMadeUp,
    kind,
    warnings,
    isUncorrected,
    accepted: beyond.map((one) => `${one} (${on})`),
    top1Agreement:
      outputs.find(({ sqnrDb, top1Agreement }) => sqnrDb !== null && top1Agreement !== null)?.top1Agreement ?? null,
    largestError: Math.max(...outputs.map(({ largestError }) => largestError)),
  };
}

const RUNTIMES = {
  open: openerFor({ device: 'cpu', threads: 0 }),
  tflite: (bytes: Uint8Array) =>
    openFileRunner({ file: 'the new file', bytes, format: 'tflite' }, sessionOptionsOf({ device: 'cpu', threads: 0 })),
};

const NOTHING = { outputs: [], samples: 0, kind: '', top1Agreement: null, largestError: null, accepted: [] } as const;

/**
 * True if a file answers better than another: by the share of right classes where it differs by more than chance (right: as the label says, without
 * labels as the source does), else by its signal to noise. Noise that all classes share, or that a few sure answers have, changes no class.
 */
function answersBetter(one: Compared | string, than: Compared | string, { labels }: ConvertSamples): boolean {
  if (typeof one !== 'string' && typeof than !== 'string') {
    const rightOf = ({ classes: { actual, expected } }: Compared): boolean[] => hits(actual, labels ?? expected);
    const [own, its] = [rightOf(one), rightOf(than)];
    if (isWorse(its, own)) return true;
    if (isWorse(own, its)) return false;
  }
  return leastOf(one) > leastOf(than) + CLEARLY_DB;
}

/** Signal to noise of the output that has the least, in dB. */
function leastOf(compared: Compared | string): number {
  return typeof compared === 'string' ? -Infinity : leastDb(compared.outputs);
}

/** Samples that a file is compared on, as people are told. */
function kindOf({ isMadeUp, folds, calibrated }: ConvertSamples, areLeftOut: boolean): string {
  if (isMadeUp) return 'made-up inputs';
  if (areLeftOut) return 'samples, each left out of the calibration once';
  if (calibrated === 0) return 'samples';
  return folds.length === 0 && calibrated > 1 ? 'samples that were held out' : 'samples that calibrated it';
}

/** Result of the comparison, or the reason why there is none: a source that does not take the inputs made up for it. */
async function run(
  known: SourceAnswers,
  files: readonly (Pick<MadeFile, keyof ModelFile | 'path' | 'open'> & { readonly check: readonly Feeds[] })[],
  { isMadeUp, classOutput }: ConvertSamples,
  onProgress?: OnProgress,
): Promise<Compared | string> {
  const session = sessionOptionsOf({ device: 'cpu', threads: 0 });
  const runners = new Map<Feeds, FileRunner>();
  const batches = files.flatMap(({ check }) => check);
  const [first] = batches;
  if (first === undefined) return 'there are no samples';
  try {
    if (isMadeUp) {
      const failed = await known.run(first).then(
        () => undefined,
        (error: unknown) => (error instanceof Error ? error.message : String(error)).split('\n')[0]!,
      );
      if (failed !== undefined) return `it does not run on made-up inputs (${failed}); add --data`;
    }
    const outputs = await known.ask(batches, onProgress);
    for (const file of files) {
      const runner = await (file.open ?? openFileRunner)(file, session);
      for (const feeds of file.check) runners.set(feeds, runner);
    }
    let compared = 0;
    const asked = {
      file: files[0]!.file,
      outputs: runners.get(first)!.outputs,
      run: async (feeds: Feeds) => {
        const answer = await runners.get(feeds)!.run(feeds);
        onProgress?.('comparing with the source, batch', ++compared, batches.length);
        return answer;
      },
    };
    return await compareOn(batches, { outputs, run: known.run.bind(known) }, asked, classOutput);
  } finally {
    known.close();
    for (const runner of new Set(runners.values())) runner.dispose();
  }
}

/** Bytes of answers that are kept so that the source is closed before a new file is opened. */
const KEPT_BYTES = 2 ** 28;

/** Answers of the source to each batch of samples. They are kept, unless they take too much memory: the source then answers the rest when asked. */
class SourceAnswers {
  readonly #source: ConvertSource;
  readonly #answers = new Map<Feeds, Awaited<ReturnType<FileRunner['run']>>>();
  #bytes = 0;
  #outputs: readonly string[] = [];
  #reference: FileRunner | undefined;

  constructor(source: ConvertSource) {
    this.#source = source;
  }

  /** Runs the source on the samples whose answers are not stored yet, and closes it once all answers are stored. Gives the names of its outputs. */
  async ask(batches: readonly Feeds[], onProgress?: OnProgress): Promise<readonly string[]> {
    const unknown = batches.filter((feeds) => !this.#answers.has(feeds));
    for (const [i, feeds] of unknown.entries()) {
      await this.run(feeds);
      if (!this.#answers.has(feeds)) return this.#outputs;
      onProgress?.('asking the source, batch', i + 1, unknown.length);
    }
    this.close();
    return this.#outputs;
  }

  async run(feeds: Feeds): ReturnType<FileRunner['run']> {
    const known = this.#answers.get(feeds);
    if (known !== undefined) return known;
    this.#reference ??= await openReference(this.#source);
    this.#outputs = this.#reference.outputs;
    const answer = await this.#reference.run(feeds);
    const bytes = Object.values(answer).reduce((sum, { data }) => sum + data.byteLength, 0);
    if (this.#bytes + bytes <= KEPT_BYTES) {
      this.#answers.set(feeds, answer);
      this.#bytes += bytes;
    }
    return answer;
  }

  close(): void {
    this.#reference?.dispose();
    this.#reference = undefined;
  }
}

async function openReference({ file, graph, fixed }: ConvertSource): Promise<FileRunner> {
  const session = sessionOptionsOf({ device: 'cpu', threads: 0 });
  if (file.toLowerCase().endsWith('.onnx') && (fixed?.size ?? 0) === 0)
    return openFileRunner({ file, bytes: NO_BYTES, format: 'onnx', path: file }, session);
  if (await isReadAsOnnx(file))
    return openFileRunner({ file, bytes: await readOnnx(file, fixed), format: 'onnx' }, session);
  const model = await loadTfjsModel(file);
  const outputs = [...graph.outputs.keys()];
  return {
    outputs,
    run: async (feeds) => {
      const { data, shape } = Object.values(feeds)[0]!;
      const answers = await predictTfjs(model, typedAs('float32', data) as Float32Array, shape);
      return Object.fromEntries(outputs.map((name, i) => [name, { ...answers[i]!, isInteger: false }]));
    },
    dispose: () => model.dispose(),
  };
}

function oddities(
  source: ConvertSource,
  made: ModelFile,
  samples: ConvertSamples,
  { classes, outputs, samples: count }: Compared,
): string[] {
  const { labels, classNames, isMadeUp } = samples;
  const of = outputs.filter(({ sqnrDb }) => !isMadeUp && sqnrDb !== null);
  // Such samples say nothing of how the file answers others, nor what ranges others have.
  if (of.length > 0 && of.every(({ variationDb }) => variationDb === null))
    return [
      count === 1
        ? `${source.file}: was compared on one sample, which says nothing about others`
        : `${source.file}: gives all ${count} samples the same answer, so the comparison, and what was chosen by them, say nothing about others`,
    ];
  // Made-up inputs may differ in nothing that the model looks at.
  const flat = outputs.filter(({ variationDb }) => !isMadeUp && variationDb !== null && variationDb < 0);
  const drowned = flat.map(
    ({ output, variationDb }) =>
      `${made.file}: the error of its output ${output} is larger than what the answers to different samples differ by (${variationDb!.toFixed(1)} dB)`,
  );
  const parts = outputs.flatMap(({ output, lost }) => {
    if (isMadeUp || lost === null) return [];
    const { axis, places, of, error } = lost;
    const shares = sharesIn(source.graph, source.graph.outputs.get(output));
    if (shares === 'all' || (shares === 'some' && error < SHARE_STEP)) return [];
    return [
      `${made.file}: at ${places.length} of the ${of} places of axis ${axis} of its output ${output} (${clipped(places.join(', '))}) the error is larger than what the answers to different samples differ by`,
    ];
  });
  drowned.push(...parts);
  if (labels === undefined) return drowned;
  // Of both together the source is to blame, or what it is fed.
  const odd =
    oneClassWarning(source.file, classes.expected, labels.subarray(0, classes.expected.length), classNames) ??
    oneClassWarning(made.file, classes.actual, classes.expected, classNames);
  return odd === undefined ? drowned : [odd, ...drowned];
}

/** Step of a probability in 8 bits: one that is next to nothing may well be nothing in such a file. */
const SHARE_STEP = 1 / 256;

function nothingSaid({ file }: ConvertSource, output: OutputLikeness): string {
  return `${file}: of these samples its output ${output.output} holds hardly more than the rounding of its own numbers (${likenessText(output)}), so they cannot tell whether the new file answers alike: give samples that it answers plainly`;
}

/** Samples of which more tell the ranges of activations hardly any better, see docs/export.md. */
const ENOUGH = 128;

function fewSamples(file: string, { calibrated }: ConvertSamples): string[] {
  if (calibrated === 0 || calibrated >= ENOUGH) return [];
  return [
    `${file}: was calibrated on ${calibrated} ${calibrated === 1 ? 'sample, which is' : 'samples, which are'} few: give ${ENOUGH} or more, as different as those that it will meet`,
  ];
}

function refusal(
  source: ConvertSource,
  made: MadeFile,
  on: string,
  beyond: readonly string[],
  warnings: readonly string[],
  { isMadeUp }: ConvertSamples,
): UserError {
  const fact = `${made.file}: answers too differently from ${source.file} ${on}: ${[...beyond, ...warnings].join('; ')}`;
  const remedies = [
    'The file was not written.',
    ...(isMadeUp ? ['Add --data with real inputs.'] : []),
    made.precision === 'fp32'
      ? 'A file of the same precision must answer the same: please report this with the model.'
      : made.precision === 'int8' || made.precision === 'int16x8'
        ? `Try another --calibrator, or --keep-float with some of: ${made.layers.join(', ')}.`
        : 'Try a higher precision.',
    'Or write it all the same with --accept.',
  ];
  return new UserError(fact, remedies.join(' '));
}
