import type { StatedPreparation } from '../files/stated.ts';
import { fieldsIn, partsIn, statedIn } from '../files/stated.ts';
import type { InputPart } from '../data/dataset.ts';
import { Slot } from '../base/registry.ts';
import { answerForms } from '../recipe/answer-forms.ts';
import { namesByForm, statedForm } from '../recipe/stated-names.ts';
import type { AnswerField } from '../tasks/fields.ts';
import type { CustomMetadata } from '../formats/tflite/metadata/mediapipe.ts';
import type { InputDescription, ModelDescription } from '../formats/tflite/metadata/metadata.ts';

/** Metadata by which a task of MediaPipe opens a file. */
interface ForMediaPipe extends Pick<ModelDescription, 'outputs'> {
  readonly custom: CustomMetadata;
  /** Part of a sample that the file gives a class. */
  readonly each: string;
}

/** Metadata of a form of answers, by the kind of output; undefined for files that MediaPipe has no task for, or that want no such metadata. */
export type MediaPipeMetadata = (
  output: string | undefined,
  fields: readonly AnswerField[] | undefined,
) => ForMediaPipe | undefined;

const TFLITE_METADATA = new Slot<MediaPipeMetadata>(answerForms, 'tfliteMetadata', 'metadata for MediaPipe');

/** Loads what `descriptionFrom` knows of answers of this form. */
export async function loadDescription(form: string): Promise<void> {
  await TFLITE_METADATA.loadIfThere(form);
}

/** Form of the answers of a file, by its metadata. */
export function formIn(metadata: ReadonlyMap<string, string>): string {
  const logits = metadata.get('output') === 'logits';
  return statedForm({ ...namesByForm(metadata, statedIn(metadata).names), logits }).kind;
}

/** The metadata of a TFLite file from those of the ONNX file of the same model; what is not there, or not sound, is left out. `input`: the name of an only one. `loadDescription` has been called. */
export function descriptionFrom(name: string, metadata: ReadonlyMap<string, string>, input: string): ModelDescription {
  const { labels: stated, names, preprocessing: prepared } = statedIn(metadata);
  const [output, version] = [metadata.get('output'), metadata.get('recipeSha256')];
  const logits = output === 'logits';
  const form = formIn(metadata);
  const opened = TFLITE_METADATA.has(form) ? TFLITE_METADATA.of(form)(output, fieldsIn(metadata)) : undefined;
  const labels = opened === undefined ? stated : names;
  const sentences = [
    'Made by limbeck.',
    ...(labels === undefined
      ? []
      : [`Gives ${opened === undefined ? '' : `${opened.each} `}one of ${labels.length} classes.`]),
    ...(logits ? ['Outputs are logits: softmax makes probabilities of them.'] : []),
    ...(output === 'probabilities' ? ['Outputs are probabilities.'] : []),
  ];
  const entries = entriesOf(metadata, prepared);
  return {
    name,
    description: sentences.join(' '),
    // A recipe has no number that people gave it: this tells one from another.
    ...(version === undefined ? {} : { version: version.slice(0, 12) }),
    ...only('author', metadata),
    ...only('license', metadata),
    ...(prepared === undefined ? {} : { inputs: inputsOf(prepared, partsIn(metadata), input) }),
    ...(labels === undefined ? {} : { labels }),
    ...(opened && { custom: [opened.custom] }),
    ...(opened?.outputs && { outputs: opened.outputs }),
    ...(entries.size === 0 ? {} : { entries }),
  };
}

/** Metadata entries beside the standard ones: the preparation of anything but a picture, and what our own readers look for. */
function entriesOf(
  metadata: ReadonlyMap<string, string>,
  prepared: StatedPreparation | undefined,
): Map<string, string> {
  const isStandard =
    prepared === undefined || (isPicture(prepared) && prepared.layout !== 'nchw' && prepared.fit === undefined);
  const own = [
    'targets',
    'text',
    'classOutput',
    'check',
    'columns',
    'sound',
    'stream',
    'inputs',
    'threshold',
    ...(isStandard ? [] : ['preprocessing']),
  ];
  return new Map([...metadata].filter(([key]) => own.includes(key)));
}

function isPicture({ shape }: StatedPreparation): boolean {
  return shape.length === 3 && (shape[2] === 1 || shape[2] === 3);
}

function only(key: 'author' | 'license', metadata: ReadonlyMap<string, string>): { [K in typeof key]?: string } {
  const value = metadata.get(key);
  return value === undefined ? {} : { [key]: value };
}

/** Descriptions of the inputs by name: of the only one, or of those that each take a part of a sample. */
function inputsOf(
  prepared: StatedPreparation,
  parts: readonly InputPart[] | undefined,
  input: string,
): Record<string, InputDescription> {
  if (parts === undefined) return { [input]: inputOf(prepared) };
  return Object.fromEntries(
    parts.map(({ name, shape, from, isWhole }) => {
      // Each channel of an input has the same numbers at every place of the sample.
      const own = (values: readonly number[]): number[] => values.slice(from, from + (shape.at(-1) ?? 1));
      const part = { ...prepared, shape: [...shape], mean: own(prepared.mean), std: own(prepared.std) };
      return [
        name,
        isWhole ? { description: `Whole numbers of shape ${shape.join('×')}, as they are.` } : inputOf(part),
      ];
    }),
  );
}

/** The format has (value - mean) / std, so that both are divided by the scale. */
function inputOf(stated: StatedPreparation): InputDescription {
  const { shape, scale, mean, std } = stated;
  const description = `Values of shape ${shape.join('×')}, prepared as (value * ${scale} - mean) / std with mean ${mean.join(', ')} and std ${std.join(', ')}.`;
  if (!isPicture(stated)) return { description };
  const colorSpace = shape[2] === 1 ? 'grayscale' : 'rgb';
  const scaled = (values: readonly number[]): number[] => values.map((value) => value / scale);
  return { description, image: { colorSpace, mean: scaled(mean), std: scaled(std) } };
}
