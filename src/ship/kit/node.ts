import type { AnswerFormKind } from '../../recipe/task.ts';
import { KIT_FORMS } from './forms.ts';
import type { SampleKind } from './forms.ts';
import { sharedModules } from './portable.ts';
import { sampleFile, sampleParts, sharedScripts } from './samples.ts';

const RAW = '{"raw": [numbers before normalization, row by row, channels last]}';

/** Samples that a program takes, as its messages say. */
const TAKEN: Readonly<Record<SampleKind, string>> = {
  numbers: `${RAW}, ...`,
  arrays: '{"inputs": {"the name of an input": [numbers before normalization, row by row, channels last], ...}}, ...',
  words: `${RAW}, ...], or rows of a table by column: [{"age": 39, "city": "Oslo"}, ...`,
  text: '{"text": "a text, or [the two of a pair]"}, ...',
  tags: '{"text": "a text"}, or words as you cut them: {"words": ["New", "York"]}, ...',
};

/** Answers among the results of a session. */
const ONE = 'results[output.name].data';
const SEVERAL = 'output.fields.flatMap(({ name }) => Array.from(results[name].data))';

/** Kinds that a tokenizer prepares. */
const TEXTS: ReadonlySet<SampleKind> = new Set(['text', 'tags']);

/**
 * Program for Node that runs the examples of a kit with ONNX Runtime, and says whether it gives what it should: classes, numbers or labels by name, or
 * the tags of words. `isOneOutput`: answers are one output; else they are several, one after another. `arePictures`: it also takes a picture file.
 */
export async function nodeSample(
  form: AnswerFormKind,
  kind: SampleKind,
  { isOneOutput = true, arePictures = false }: { readonly isOneOutput?: boolean; readonly arePictures?: boolean } = {},
): Promise<Readonly<Record<string, string>>> {
  const {
    program: { name, modules = [], takes, ...words },
    hasNames = true,
  } = KIT_FORMS[form];
  const what = takes ?? TAKEN[kind];
  const picture = arePictures
    ? {
        SAMPLES: '/\\.json$/i.test(String(given)) ? samplesIn(given) : [await pictureIn(given)]',
        GIVEN: 'samples.json or picture.png',
      }
    : { PICTURE: undefined, SAMPLES: 'samplesIn(given)', GIVEN: 'samples.json' };
  const marks = {
    ...{ NAME: `${name}-in-node`, FILE: `${name}.mjs`, WHAT: what, ...words },
    ANSWERS: isOneOutput ? ONE : SEVERAL,
    NAMES: hasNames
      ? `const ${words.LABELS} = readFileSync(new URL('labels.txt', kit), 'utf8').replace(/\\n$/, '').split('\\n');`
      : undefined,
    EXPECTED: JSON.stringify(`: expected a JSON file of samples, [${what}]`),
    ...sharedScripts(),
    ...sampleParts('node/picture.mjs', `node/${name}.mjs`, `node/${kind}.mjs`),
    ...picture,
  };
  return {
    'package.json': arePictures
      ? withSharp(sampleFile('node/package.json', marks))
      : sampleFile('node/package.json', marks),
    ...(await sharedModules([
      ...(TEXTS.has(kind) ? [] : ['normalized' as const]),
      ...(arePictures ? (['resize'] as const) : []),
      ...modules,
    ])),
    [marks.FILE]: sampleFile('node/program.mjs', marks),
  };
}

/** The manifest with the decoder of pictures, without which the program still answers to the examples. */
function withSharp(manifest: string): string {
  const content = JSON.parse(manifest) as object;
  return `${JSON.stringify({ ...content, optionalDependencies: { sharp: '^0.35.0' } }, null, 2)}\n`;
}
