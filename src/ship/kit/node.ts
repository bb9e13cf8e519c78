import { dataModule } from './portable.ts';
import { sampleFile, sampleParts, sharedScripts } from './samples.ts';

const RAW = '{"raw": [numbers before normalization, row by row, channels last]}';

/** Samples that a program takes, as its messages say: `arrays` for each of several inputs, `words` of columns of a table, `tags` of texts whose words have one each. */
const TAKEN = {
  numbers: `${RAW}, ...`,
  arrays: '{"inputs": {"the name of an input": [numbers before normalization, row by row, channels last], ...}}, ...',
  words: `${RAW}, ...], or rows of a table by column: [{"age": 39, "city": "Oslo"}, ...`,
  text: '{"text": "a text, or [the two of a pair]"}, ...',
  tags: '{"text": "a text"}, or words as you cut them: {"words": ["New", "York"]}, ...',
};

export type SampleKind = keyof typeof TAKEN;

/** Names in the programs: their purpose, the labels, and the function that asks the model. */
const PROGRAMS = {
  classify: { DOES: 'Classifies samples', LABELS: 'labels', ASKS: 'logitsOf' },
  predict: { DOES: 'Predicts', LABELS: 'names', ASKS: 'predict' },
  tag: { DOES: 'Tags the words of texts', LABELS: 'names', ASKS: 'logitsOf' },
};

/**
 * Program for Node that runs the examples of a kit with ONNX Runtime, and says whether it gives what it should: classes, numbers or labels by name, or
 * the tags of words.
 */
export async function nodeSample(
  name: keyof typeof PROGRAMS,
  kind: SampleKind,
): Promise<Readonly<Record<string, string>>> {
  const what = TAKEN[kind];
  const marks = {
    ...{ NAME: `${name}-in-node`, FILE: `${name}.mjs`, WHAT: what, ...PROGRAMS[name] },
    EXPECTED: JSON.stringify(`: expected a JSON file of samples, [${what}]`),
    ...sharedScripts(),
    ...sampleParts(`node/${name}.mjs`, `node/${kind}.mjs`),
  };
  return {
    'package.json': sampleFile('node/package.json', marks),
    ...(kind !== 'text' && kind !== 'tags' && { 'normalized.js': await dataModule('normalized') }),
    [marks.FILE]: sampleFile('node/program.mjs', marks),
  };
}
