import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { UserError } from '../../base/errors.ts';
import { TOKENIZER_FILE } from '../../data/text/tokenizer-file.ts';
import { formatOfTokens } from '../../files/token-vectors.ts';
import { namesOfEnds } from '../../formats/onnx/protobuf.ts';
import type { TaskName } from '../../recipe/task.ts';
import { hubFile, hubJson, isFolder, namesInHub, regular } from './files.ts';

/** Facts about a model in a folder as the Hugging Face hub has it. */
export interface HubFolder {
  readonly folder: string;
  /** The ONNX file, relative to the folder or, if the recipe names it, as it is there. */
  readonly onnx: string;
  readonly inputs: readonly string[];
  /** The output that answers. */
  readonly output: string;
  /** Undefined for a model that answers with an embedding. */
  readonly task: TaskName | undefined;
  /** Pooling of an output with a vector for each token. */
  readonly pooling?: 'mean' | 'cls';
  readonly reads: 'pictures' | 'texts';
  /** Names of its classes in order; undefined if config.json has no names but LABEL_0 and so on. */
  readonly classes?: readonly string[];
  readonly channels: number;
  readonly preprocessor?: Readonly<Record<string, unknown>>;
  /** Its tokenizer.json, relative to the folder. */
  readonly tokenizer?: string;
  /** Largest number of tokens of a text. */
  readonly mostTokens?: number;
}

const configSchema = z.object({
  architectures: z.array(z.string()).nullish(),
  problem_type: z.enum(['regression', 'single_label_classification', 'multi_label_classification']).nullish(),
  id2label: z.record(z.string().regex(/^\d+$/), z.coerce.string()).nullish(),
  num_channels: z.int().min(1).nullish(),
});

/** Ends of the names of architectures, and what they answer. */
const HEADS: readonly (readonly [RegExp, HubFolder['reads'], TaskName | undefined])[] = [
  [/ForImageClassification(WithTeacher)?$/, 'pictures', 'classification'],
  [/ForSequenceClassification$/, 'texts', 'classification'],
  [/ForTokenClassification$/, 'texts', 'tagging'],
  [
    /^(ViT|DeiT|Beit|Dinov2|DINOv3ViT|ConvNext|ResNet|Swin|CLIPVision|SiglipVision)Model(WithProjection)?$/,
    'pictures',
    undefined,
  ],
  [
    /^(Bert|Roberta|XLMRoberta|DistilBert|MPNet|Albert|Electra|DebertaV2|NomicBert|ModernBert|Camembert)(Model|ForMaskedLM)$/,
    'texts',
    undefined,
  ],
];

/** Outputs with one row for each sample, in the order in which they are looked for. */
const EMBEDDINGS = ['sentence_embedding', 'image_embeds', 'text_embeds', 'pooler_output'];

/** Reads a folder. `named`: the ONNX file that the recipe names beside it. `UserError` for a folder without one, and for a model of another kind. */
export function readHubFolder(folder: string, named?: string): HubFolder {
  const config = configOf(folder);
  const architecture = config.architectures?.[0] ?? '';
  const ofTokens =
    named === undefined
      ? formatOfTokens(architecture, Object.values(hubJson(folder, 'modules.json') ?? {}))
      : undefined;
  if (ofTokens !== undefined)
    return {
      folder,
      ...ofTokens.ends,
      task: undefined,
      reads: 'texts',
      channels: 3,
      ...(hubFile(folder, TOKENIZER_FILE) !== undefined && { tokenizer: TOKENIZER_FILE }),
    };
  const [, reads, head] = HEADS.find(([ending]) => ending.test(architecture)) ?? [];
  if (reads === undefined)
    throw new UserError(
      `${folder}: a ${architecture || 'model whose config.json names no architecture'}, expected a classifier of pictures or texts, a tagger, or a model of embeddings`,
      'If its ONNX file answers a task of docs/tasks.md, name it as `onnx`, and its classes and preparation beside it.',
    );
  const onnx = named ?? onnxIn(folder);
  const file = named ?? path.join(folder, onnx);
  const { inputs, outputs } = namesOfEnds(readFileSync(regular(file)), file);
  const names = Object.entries(config.id2label ?? {})
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, name]) => name);
  const isNamed = head !== undefined && names.length > 1 && !names.every((name, i) => name === `LABEL_${i}`);
  const preprocessor =
    hubJson(folder, 'preprocessor_config.json') ??
    (hubJson(folder, 'processor_config.json')?.['image_processor'] as HubFolder['preprocessor']);
  const task = taskOf(head, config.problem_type, names.length);
  return {
    folder,
    onnx,
    inputs,
    ...outputOf(file, outputs, task, { folder, reads }),
    task,
    reads,
    ...(isNamed && { classes: names }),
    channels: config.num_channels ?? 3,
    ...(preprocessor && reads === 'pictures' && { preprocessor }),
    ...(reads === 'texts' && tokenizerOf(folder)),
  };
}

function configOf(folder: string): z.infer<typeof configSchema> {
  if (!isFolder(folder)) throw new UserError(`${folder}: expected a folder, and there is none`, 'Check the path.');
  const config = hubJson(folder, 'config.json');
  if (config === undefined)
    throw new UserError(
      `${folder}: expected a config.json in it, received ${namesInHub(folder).slice(0, 5).join(', ') || 'nothing'}`,
      'Name the folder that `save_pretrained` or `optimum-cli export onnx` wrote, or an ONNX file as `onnx`.',
    );
  const read = configSchema.safeParse(config);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new UserError(
    `${folder}: its config.json has a ${issue!.path.join('.')} that is not understood: ${issue!.message}`,
    'Name its ONNX file as `onnx`, and its classes and preparation beside it.',
  );
}

/** The float ONNX file of a folder, relative to it. */
function onnxIn(folder: string): string {
  const all = ['onnx', '.'].flatMap((sub) =>
    namesInHub(folder, sub).flatMap((name) => (name.endsWith('.onnx') ? [path.posix.join(sub, name)] : [])),
  );
  const found =
    all.find((name) => path.posix.basename(name) === 'model.onnx') ?? (all.length === 1 ? all[0] : undefined);
  if (found !== undefined) {
    hubFile(folder, found);
    return found;
  }
  if (all.length > 1)
    throw new UserError(
      `${folder}: expected model.onnx among its ONNX files, received ${all.join(', ')}`,
      'Name one of them as `onnx` beside the folder.',
    );
  const weights = namesInHub(folder).filter((name) => /\.(safetensors|bin|h5|msgpack|pt)$/.test(name));
  throw new UserError(
    `${folder}: expected an ONNX file, received ${weights.slice(0, 3).join(', ') || 'none'}`,
    `Export it: pip install "optimum-onnx[onnxruntime]", then optimum-cli export onnx --model ${folder} ${path.join(folder, 'onnx')}.`,
  );
}

function taskOf(
  head: TaskName | undefined,
  problem: z.infer<typeof configSchema>['problem_type'],
  labels: number,
): TaskName | undefined {
  if (head !== 'classification') return head;
  if (problem === 'multi_label_classification') return 'multi-label';
  return problem === 'regression' || labels === 1 ? 'regression' : head;
}

/** Outputs with a vector for each token. */
const TOKENS = ['last_hidden_state', 'token_embeddings'];
const MODES: Readonly<Record<string, 'mean' | 'cls'>> = {
  pooling_mode_mean_tokens: 'mean',
  pooling_mode_cls_token: 'cls',
};

function outputOf(
  file: string,
  outputs: readonly string[],
  task: TaskName | undefined,
  { folder, reads }: Pick<HubFolder, 'folder' | 'reads'>,
): Pick<HubFolder, 'output' | 'pooling'> {
  const wanted = task === undefined ? EMBEDDINGS : ['logits'];
  const pooling = hubJson(folder, '1_Pooling/config.json');
  const modes = Object.keys(pooling ?? {}).filter((key) => key.startsWith('pooling_mode_') && pooling?.[key] === true);
  const [mode, ...more] = modes;
  const tokens = TOKENS.find((name) => outputs.includes(name));
  // The pooling that the folder states is preferred to pooler_output, which was trained for another purpose.
  const isWhole = outputs.includes('sentence_embedding');
  if (
    task === undefined &&
    tokens !== undefined &&
    !isWhole &&
    (mode !== undefined || !EMBEDDINGS.some((name) => outputs.includes(name)))
  ) {
    const own = mode === undefined ? (reads === 'pictures' ? 'cls' : 'mean') : MODES[mode];
    if (own !== undefined && more.length === 0 && !hasDense(folder)) return { output: tokens, pooling: own };
  }
  const found =
    wanted.find((name) => outputs.includes(name)) ??
    (task !== undefined && outputs.length === 1 ? outputs[0] : undefined);
  if (found !== undefined && (mode === undefined || isWhole || task !== undefined)) return { output: found };
  throw new UserError(
    `${file}: expected an output ${wanted.join(', ')}, received ${outputs.join(', ')}${mode === undefined ? '' : `; 1_Pooling says ${modes.join(' and ')}, which is not in the file`}`,
    task === undefined
      ? `Export it with its pooling: optimum-cli export onnx --library sentence_transformers --model ${folder} ${path.join(folder, 'onnx')}.`
      : 'Name its logits as `output` beside the folder.',
  );
}

/** True if a dense layer follows the pooling, which an output of tokens does not hold. */
function hasDense(folder: string): boolean {
  return Object.values(hubJson(folder, 'modules.json') ?? {}).some((part) =>
    /\.Dense$/.test(String((part as { type?: unknown }).type)),
  );
}

/** Parts of sentence-transformers that an ONNX file with `sentence_embedding` holds. */
const MODULES =
  /^sentence_transformers\.(models|sentence_transformer\.modules(\.\w+)?|base\.modules(\.\w+)?)\.(Transformer|Pooling|Normalize|Dense)$/;

function tokenizerOf(folder: string): Pick<HubFolder, 'tokenizer' | 'mostTokens'> {
  const modules = Object.values(hubJson(folder, 'modules.json') ?? {}) as { type?: unknown }[];
  const other = modules.map(({ type }) => String(type)).find((type) => !MODULES.test(type));
  if (other !== undefined)
    throw new UserError(
      `${folder}: its modules.json names ${other}, expected Transformer, Pooling, Normalize and Dense`,
      'Name its ONNX file as `onnx`, and its tokenizer as `text.tokenizer`.',
    );
  const stated = [
    hubJson(folder, 'tokenizer_config.json')?.['model_max_length'],
    hubJson(folder, 'sentence_bert_config.json')?.['max_seq_length'],
  ].filter((most): most is number => typeof most === 'number' && most >= 1 && most < 1e6);
  return {
    ...(hubFile(folder, 'tokenizer.json') !== undefined && { tokenizer: 'tokenizer.json' }),
    ...(stated.length > 0 && { mostTokens: Math.min(...stated) }),
  };
}
