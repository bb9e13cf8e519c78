import { Registry, Slot } from '../../base/registry.ts';
import type { Dataset } from '../../data/dataset.ts';
import type { Task } from '../../tasks/task.ts';
import type { KitForm } from './forms.ts';

/** Platform of apps, for which a kit has a sample in the folder `samples/NAME`. */
export interface KitPlatform {
  readonly name: string;
  /** Formats of model files that its sample opens, each with the name of what opens them there. */
  readonly opens: { readonly [Format in 'onnx' | 'tflite']?: string };
  /** Words of the README on how its program is started; absent for classes that an app copies. */
  readonly starts?: string;
}

/** Platforms of kits; `src/kits.ts` fills the registry. */
export const platforms = new Registry<KitPlatform>('platform');

/** Kit that a sample is part of. */
export interface SampleContext {
  /** Name of the form of the answers. */
  readonly form: string;
  readonly kit: KitForm;
  readonly task: Pick<Task, 'name' | 'fields'>;
  readonly data: Pick<Dataset, 'text' | 'inputs' | 'columns' | 'sampleShape'>;
  /** Formats of the files of the kit. */
  readonly formats: ReadonlySet<string>;
  readonly isSound: boolean;
}

/** Files of a sample by their names in its folder. */
export type SampleFiles = Readonly<Record<string, string>>;

export interface KitSample {
  /** Slot of forms of answers: what a form has for the platform. */
  readonly sources: Slot<unknown>;
  /** Files of the sample, for a form that fills the slot; a sentence that says why a kit has none. */
  readonly filesOf: (of: SampleContext) => Promise<SampleFiles | string>;
}

export const KIT_SAMPLE = new Slot<KitSample>(platforms, 'kitSample', 'sample in kits');

export interface KitSamples {
  readonly made: readonly { readonly platform: KitPlatform; readonly files: SampleFiles }[];
  readonly skipped: readonly { readonly what: string; readonly why: string }[];
}

/** Folder of a sample in a kit. */
export const sampleFolder = ({ name }: KitPlatform): string => `samples/${name}`;

/** Samples of a kit, and those that it lacks. */
export async function kitSamples(of: SampleContext): Promise<KitSamples> {
  const made: { platform: KitPlatform; files: SampleFiles }[] = [];
  const skipped: { what: string; why: string }[] = [];
  for (const platform of platforms.all()) {
    if (!Object.keys(platform.opens).some((format) => of.formats.has(format))) continue;
    const { sources, filesOf } = await KIT_SAMPLE.load(platform.name);
    const files = sources.has(of.form) ? await filesOf(of) : sources.absence(of.form);
    if (typeof files === 'string') skipped.push({ what: sampleFolder(platform), why: files });
    else made.push({ platform, files });
  }
  return {
    made,
    skipped: [
      ...skipped,
      ...withoutFormat(of.formats, 'tflite', 'TFLite'),
      ...withoutFormat(of.formats, 'onnx', 'ONNX'),
    ],
  };
}

/** Files of a format that a kit lacks, and the samples that would open them. */
function withoutFormat(formats: ReadonlySet<string>, format: 'onnx' | 'tflite', title: string): KitSamples['skipped'] {
  if (formats.has(format)) return [];
  const names = platforms.all().flatMap(({ opens: { [format]: name } }) => (name === undefined ? [] : [name]));
  const samples = names.length === 0 ? '' : `, and the samples for ${namesInSentence(names)}`;
  return [{ what: `${title} files${samples}`, why: 'there is no file for them, as said above' }];
}

/** Names in a sentence: `Android, iOS and LiteRT.js`. */
export function namesInSentence(names: readonly string[]): string {
  return [names.slice(0, -1).join(', '), names.at(-1) ?? ''].filter((name) => name !== '').join(' and ');
}

/** Sentence on a kit whose models have more outputs than the samples read of such answers; undefined for other kits. */
export function unreadOutputs({ kit: { outputs = 1 }, task }: SampleContext): string | undefined {
  if (task.fields.length === outputs) return undefined;
  return `it reads ${outputs === 1 ? 'one output' : `${outputs} outputs`}, and answers of ${task.name} are ${task.fields.length}`;
}
