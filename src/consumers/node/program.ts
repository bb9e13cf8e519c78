import path from 'node:path';
import { Slot } from '../../base/registry.ts';
import { answerForms } from '../../recipe/answer-forms.ts';
import { loadKit } from '../../ship/kit/forms.ts';
import type { SampleKind } from '../../ship/kit/forms.ts';
import { sharedModules } from '../../ship/kit/portable.ts';
import type { SharedModule } from '../../ship/kit/portable.ts';
import { sampleFile, sampleParts, sampleTexts, sharedScripts } from '../../ship/kit/samples.ts';

/** Program for answers of a form, with the names in it: its purpose, the labels, and the function that asks the model. */
export interface NodeProgram {
  readonly name: string;
  readonly DOES: string;
  readonly LABELS: string;
  readonly ASKS: string;
  /** File with the parts of the program that handle answers of the form; `samples/` has the parts that read samples. */
  readonly parts: string;
  /** File with the parts for its samples, where they are of a kind that no other form has. */
  readonly samples?: string;
  /** Scripts for marks of the parts. */
  readonly scripts?: Readonly<Record<string, string>>;
  /** Our modules that it imports beside those for its samples. */
  readonly modules?: readonly (SharedModule | URL)[];
  /** Text about the samples that the program takes; default: the text for their kind of data. */
  readonly takes?: string;
}

export const NODE = new Slot<NodeProgram>(answerForms, 'node', 'sample for Node');

const RAW = '{"raw": [numbers before normalization, row by row, channels last]}';

/** Samples that a program takes, as its messages say. */
const TAKEN: Readonly<Record<SampleKind, string>> = {
  numbers: `${RAW}, ...`,
  arrays: '{"inputs": {"the name of an input": [numbers before normalization, row by row, channels last], ...}}, ...',
  columns: `${RAW}, ...], or rows of a table by column: [{"age": 39, "city": "Oslo"}, ...`,
  text: '{"text": "a text, or [the two of a pair]"}, ...',
  tags: '{"text": "a text"}, or words as you cut them: {"words": ["New", "York"]}, ...',
};

/** Answers among the results of a session. */
const ONE = 'results[output.name].data';
const SEVERAL = 'output.fields.flatMap(({ name }) => Array.from(results[name].data))';

/** Files that a program takes beside JSON: the function that reads them, and the modules of that. */
const FILES = {
  picture: { reads: 'pictureIn', example: 'picture.png', modules: ['resize'] },
  sound: { reads: 'soundIn', example: 'clip.wav', modules: ['riff', 'polyphase'] },
} as const;
const NO_FILE = { reads: undefined, example: '', modules: [] } as const;

/** Kinds that a tokenizer prepares. */
const TEXTS: ReadonlySet<SampleKind> = new Set(['text', 'tags']);

const at = (name: string): string => path.join(import.meta.dirname, 'samples', name);

/** Script that writes pictures, for programs that draw. */
export const PNG_WRITER = at('png.js');

/**
 * Program for Node that runs the examples of a kit with ONNX Runtime, and says whether it gives what it should: classes, numbers or labels by name, or
 * the tags of words. `isOneOutput`: answers are one output; else they are several, one after another. `file`: kind of file that it also takes.
 */
export async function nodeSample(
  form: string,
  kind: SampleKind,
  { isOneOutput = true, file }: { readonly isOneOutput?: boolean; readonly file?: keyof typeof FILES | undefined } = {},
): Promise<Readonly<Record<string, string>>> {
  const { hasNames = true } = await loadKit(form);
  const { name, parts, samples, scripts = {}, modules = [], takes, ...words } = await NODE.load(form);
  const what = takes ?? TAKEN[kind];
  const { reads, example, modules: own } = file === undefined ? NO_FILE : FILES[file];
  const given =
    reads === undefined
      ? { PICTURE: undefined, SAMPLES: 'samplesIn(given)', GIVEN: 'samples.json' }
      : {
          SAMPLES: `/\\.json$/i.test(String(given)) ? samplesIn(given) : [await ${reads}(given)]`,
          GIVEN: `samples.json or ${example}`,
        };
  const marks = {
    NAME: `${name}-in-node`,
    FILE: `${name}.mjs`,
    WHAT: what,
    ...words,
    ANSWERS: isOneOutput ? ONE : SEVERAL,
    NAMES: hasNames
      ? `const ${words.LABELS} = readFileSync(new URL('labels.txt', kit), 'utf8').replace(/\\n$/, '').split('\\n');`
      : undefined,
    EXPECTED: JSON.stringify(`: expected a JSON file of samples, [${what}]`),
    ...sharedScripts(),
    ...sampleTexts(scripts),
    ...sampleParts(at(`${file ?? 'picture'}.mjs`), parts, samples ?? at(`${kind}.mjs`)),
    ...given,
  };
  return {
    'package.json':
      file === 'picture' ? withSharp(sampleFile(at('package.json'), marks)) : sampleFile(at('package.json'), marks),
    ...(await sharedModules([...(TEXTS.has(kind) ? [] : ['normalized' as const]), ...own, ...modules])),
    ...(kind === 'columns' && (await sharedModules(['dates']))),
    [marks.FILE]: sampleFile(at('program.mjs'), marks),
  };
}

/** The manifest with the decoder of pictures, without which the program still answers to the examples. */
function withSharp(manifest: string): string {
  const content = JSON.parse(manifest) as object;
  return `${JSON.stringify({ ...content, optionalDependencies: { sharp: '^0.35.0' } }, null, 2)}\n`;
}
