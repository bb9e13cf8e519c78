import { fileSize } from '../../report/format.ts';
import { scoreOf } from '../../report/score.ts';
import type { ModelRow, Report } from '../../report/types.ts';

interface ShippedFile {
  readonly file: string;
  readonly sizeBytes: number;
  readonly row: ModelRow;
}

interface ReadmeOptions {
  readonly task: 'TextClassifier' | 'TextEmbedder';
  readonly notes: readonly string[];
}

/** Methods of MediaPipe's tasks and the fields of their results, by their names in Python and in JavaScript. */
const CALLS = {
  TextClassifier: {
    python: "classify('A text.').classifications[0].categories",
    web: "classify('A text.').classifications[0].categories",
  },
  TextEmbedder: {
    python: "embed('A text.').embeddings[0].embedding",
    web: "embed('A text.').embeddings[0].floatEmbedding",
  },
} as const;

/** README.md of a folder for MediaPipe. */
export function mediaPipeReadme(report: Report, files: readonly ShippedFile[], { task, notes }: ReadmeOptions): string {
  const score = scoreOf(report);
  const figure = (value: number | null): string => (value === null ? '' : score.text(value));
  const rows = files.map(
    ({ file, sizeBytes, row }) =>
      `| \`${file}\` | ${fileSize(sizeBytes)} | ${figure(row.score.validation)} | ${figure(row.score.test)} |`,
  );
  const { python, web } = CALLS[task];
  return [
    `# ${report.name}: for MediaPipe`,
    '',
    `\`${task}\` of MediaPipe opens these files as they are: the tokenizer and its vocabulary${task === 'TextClassifier' ? ' and the labels' : ''} are packed in them.`,
    '',
    `| file | size | ${score.name.toLowerCase()}, validation | test |`,
    '| --- | ---: | ---: | ---: |',
    ...rows,
    '',
    '```python',
    'import mediapipe as mp',
    '',
    `with mp.tasks.text.${task}.create_from_model_path('${files[0]!.file}') as asked:`,
    `    print(asked.${python})`,
    '```',
    '',
    '```js',
    `import { FilesetResolver, ${task} } from '@mediapipe/tasks-text';`,
    '',
    "const files = await FilesetResolver.forTextTasks('node_modules/@mediapipe/tasks-text/wasm');",
    `const asked = await ${task}.createFromModelPath(files, '${files[0]!.file}');`,
    `console.log(asked.${web});`,
    '```',
    '',
    ...notes.map((note) => `- ${note}`),
    '',
  ].join('\n');
}
