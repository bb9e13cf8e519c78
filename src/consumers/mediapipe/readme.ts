import { shownFrom } from '../../report/answer-figures.ts';
import { fileSize } from '../../report/format.ts';
import { scoreOf } from '../../report/score.ts';
import type { ModelRow, Report } from '../../report/types.ts';

interface ShippedFile {
  readonly file: string;
  readonly sizeBytes: number;
  readonly row: ModelRow;
}

interface ReadmeOptions {
  readonly task: MediaPipeTask;
  readonly notes: readonly string[];
  /** Contents of the files beside the model. */
  readonly packed: string;
  /** Score from which boxes are shown where the model states none; absent for other answers. */
  readonly usualThreshold?: number | undefined;
}

export type MediaPipeTask = keyof typeof CALLS;

/** Methods of MediaPipe's tasks and the fields of their results, by their names in Python and in JavaScript. */
const CALLS = {
  TextClassifier: {
    method: 'classify',
    python: '.classifications[0].categories',
    web: '.classifications[0].categories',
  },
  TextEmbedder: { method: 'embed', python: '.embeddings[0].embedding', web: '.embeddings[0].floatEmbedding' },
  ImageClassifier: {
    method: 'classify',
    python: '.classifications[0].categories',
    web: '.classifications[0].categories',
  },
  ImageEmbedder: { method: 'embed', python: '.embeddings[0].embedding', web: '.embeddings[0].floatEmbedding' },
  ImageSegmenter: { method: 'segment', python: '.confidence_masks', web: '.confidenceMasks' },
  ObjectDetector: { method: 'detect', python: '.detections', web: '.detections' },
} as const;

/** Parts of the samples by the kind of data: module of MediaPipe, and the expressions in Python and JavaScript for the text or picture. */
const KINDS = {
  Text: { module: 'text', python: "'A text.'", web: "'A text.'" },
  Image: {
    module: 'vision',
    python: "mp.Image.create_from_file('picture.jpg')",
    web: "document.querySelector('img')",
  },
} as const;

/** Lines that open a file; boxes are asked for from the score of the model, without which every box is an answer. */
function madeBy(task: MediaPipeTask, module: string, { file, row }: ShippedFile, usualThreshold: number | undefined) {
  const of = `mp.tasks.${module}.${task}`;
  if (usualThreshold === undefined)
    return {
      python: [`with ${of}.create_from_model_path('${file}') as asked:`],
      web: `const asked = await ${task}.createFromModelPath(files, '${file}');`,
    };
  const threshold = shownFrom(row) ?? usualThreshold;
  const model = `mp.tasks.BaseOptions(model_asset_path='${file}')`;
  return {
    python: [
      `options = ${of}Options(base_options=${model}, score_threshold=${threshold})`,
      `with ${of}.create_from_options(options) as asked:`,
    ],
    web: `const asked = await ${task}.createFromOptions(files, { baseOptions: { modelAssetPath: '${file}' }, scoreThreshold: ${threshold} });`,
  };
}

/** README.md of a folder for MediaPipe. */
export function mediaPipeReadme(
  report: Report,
  files: readonly ShippedFile[],
  { task, notes, packed, usualThreshold }: ReadmeOptions,
): string {
  const score = scoreOf(report);
  const figure = (value: number | null): string => (value === null ? '' : score.text(value));
  const rows = files.map(
    ({ file, sizeBytes, row }) =>
      `| \`${file}\` | ${fileSize(sizeBytes)} | ${figure(row.score.validation)} | ${figure(row.score.test)} |`,
  );
  const { method, python, web } = CALLS[task];
  const kind = KINDS[task.startsWith('Text') ? 'Text' : 'Image'];
  const made = madeBy(task, kind.module, files[0]!, usualThreshold);
  return [
    `# ${report.name}: for MediaPipe`,
    '',
    `\`${task}\` of MediaPipe opens these files as they are, with ${packed} inside.`,
    '',
    `| file | size | ${score.name.toLowerCase()}, validation | test |`,
    '| --- | ---: | ---: | ---: |',
    ...rows,
    '',
    '```python',
    'import mediapipe as mp',
    '',
    ...made.python,
    `    print(asked.${method}(${kind.python})${python})`,
    '```',
    '',
    '```js',
    `import { FilesetResolver, ${task} } from '@mediapipe/tasks-${kind.module}';`,
    '',
    `const files = await FilesetResolver.for${kind.module === 'text' ? 'Text' : 'Vision'}Tasks('node_modules/@mediapipe/tasks-${kind.module}/wasm');`,
    made.web,
    `console.log(asked.${method}(${kind.web})${web});`,
    '```',
    '',
    ...notes.map((note) => `- ${note}`),
    '',
  ].join('\n');
}
