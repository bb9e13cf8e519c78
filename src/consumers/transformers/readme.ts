import { shownFrom } from '../../report/answer-figures.ts';
import { stringify } from 'yaml';
import { fileSize } from '../../report/format.ts';
import { modelsMarkdown } from '../../report/render/markdown.ts';
import { markdownTexts } from '../../report/render/markdown-texts.ts';
import { scoreOf } from '../../report/score.ts';
import { summarySentences } from '../../report/summary.ts';
import type { ModelRow, Report } from '../../report/types.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { Pipeline } from './config.ts';

export interface ShippedFile {
  readonly file: string;
  readonly sizeBytes: number;
  readonly row: ModelRow;
}

interface ReadmeOptions {
  readonly pipeline: Pipeline;
  readonly card: Recipe['card'];
  readonly notes: readonly string[];
  readonly classes: readonly string[];
  /** Score from which boxes are shown where the model states none; absent for other answers. */
  readonly usualThreshold?: number | undefined;
  /** Numbers of a vector, for a model that answers with vectors. */
  readonly vector?: number | undefined;
}

/** Argument of a pipeline by which it shows boxes from the model's own threshold: its default is 0.9. */
const boxesFrom = ({ row }: ShippedFile, usualThreshold: number | undefined): string =>
  usualThreshold === undefined ? '' : `, { threshold: ${shownFrom(row) ?? usualThreshold} }`;

const SAMPLES: Readonly<Record<Pipeline, string>> = {
  'image-classification': "'picture.png'",
  'image-segmentation': "'picture.png'",
  'object-detection': "'picture.png'",
  'image-feature-extraction': "'picture.png'",
  'text-classification': "'A text.'",
  'token-classification': "'A text.'",
  'feature-extraction': "'A text.'",
  'text-generation': "'A text', { max_new_tokens: 20 }",
};

/** README.md of a folder for transformers.js, with the front matter of the Hugging Face hub. */
export function readme(
  given: Report,
  files: readonly ShippedFile[],
  { pipeline, card, vector, usualThreshold, ...texts }: ReadmeOptions,
): string {
  const report = markdownTexts(given);
  const { notes, classes } = markdownTexts(texts);
  const score = scoreOf(report);
  const figure = (value: number | null): string => (value === null ? '' : score.text(value));
  const head = {
    library_name: 'transformers.js',
    pipeline_tag: pipeline,
    tags: ['limbeck', 'knowledge-distillation', 'onnx'],
    metrics: [score.name.toLowerCase().includes('f1') ? 'f1' : score.name.toLowerCase().replace(/ /g, '_')],
    ...(card?.license !== undefined && { license: card.license }),
    ...(card?.baseModel !== undefined && { base_model: card.baseModel }),
  };
  const rows = files.map(
    ({ file, sizeBytes, row }) =>
      `| ${file} | ${fileSize(sizeBytes)} | ${figure(row.score.validation)} | ${figure(row.score.test)} |`,
  );
  const listed =
    classes.length <= 20 ? classes.join(', ') : `${classes.slice(0, 20).join(', ')}, … (${classes.length})`;
  return `---
${stringify(head)}---

# ${report.name}

${summarySentences(report).join(' ')}

\`\`\`js
import { pipeline } from '@huggingface/transformers';

const ask = await pipeline('${pipeline}', 'folder-or-name'); // { dtype: 'q8' } or 'fp16' for the smaller files
console.log(await ask(${SAMPLES[pipeline]}${boxesFrom(files[0]!, usualThreshold)}));
\`\`\`

Answers: ${vector === undefined ? listed : `a vector of ${vector} numbers, of length 1`}.

| file | size | validation ${score.name} | test ${score.name} |
| --- | ---: | ---: | ---: |
${rows.join('\n')}

${notes.map((note) => `- ${note}`).join('\n')}

## Report

${modelsMarkdown(report)}
`;
}
