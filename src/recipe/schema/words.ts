import { dataType } from '../data-types.ts';

type Mapping = Readonly<Record<string, unknown>>;

/** Parts of a recipe that are checked for tagging. */
interface WordRecipe {
  readonly dataset: { readonly type: string; readonly text?: unknown };
  readonly teacher?: object | undefined;
  readonly student?: object | undefined;
  readonly prune: readonly unknown[];
  readonly target?: unknown;
}

type Refuse = (path: readonly (string | number)[], expected: string, received: unknown) => void;

/** Refuses keys that tagging does not support. */
export function refuseForWords({ dataset, teacher, student, prune, target }: WordRecipe, refuse: Refuse): void {
  if (dataType(dataset.type).canHoldWords !== true)
    refuse(['dataset', 'type'], 'jsonl, parquet or conll for tagging, which reads lists of words', dataset.type);
  const { text, ...rest } = dataset as { readonly text?: Mapping };
  if (text === undefined) {
    refuse(['dataset', 'text'], 'the column of the words for tagging, as `text: { column: tokens }`', 'none');
    return;
  }
  const valueOf = (key: string): unknown => (rest as Mapping)[key];
  for (const key of ['unlabelled', 'labelled', 'labelledBy'])
    if (valueOf(key) !== undefined)
      refuse(['dataset', key], 'no such key for tagging: every sentence needs its tags', valueOf(key));
  if (valueOf('missing') !== undefined && valueOf('missing') !== 'error')
    refuse(['dataset', 'missing'], 'no such key for tagging: every sentence needs its words', valueOf('missing'));
  if (Array.isArray(text['column']) && text['column'].length > 1)
    refuse(['dataset', 'text', 'column'], 'one column of words for tagging', text['column']);
  if (dataType(dataset.type).holds === 'words' && typeof text['column'] !== 'number')
    refuse(
      ['dataset', 'text', 'column'],
      'the number of a column, from 0: columns of such files have no names',
      text['column'],
    );
  if (text['truncate'] === 'start') refuse(['dataset', 'text', 'truncate'], 'end for tagging', 'start');
  if (text['tokenizer'] === 'hashed')
    refuse(
      ['dataset', 'text', 'tokenizer'],
      'bytes or a tokenizer.json for tagging: hashed has ids of several words',
      'hashed',
    );
  if (text['inputs'] !== undefined)
    refuse(['dataset', 'text', 'inputs'], 'no such key for tagging: students have one input', text['inputs']);
  const teacherKeys = (teacher ?? {}) as Mapping;
  for (const [key, why] of [
    ['text', 'a teacher reads the same tokens as the student'],
    ['logits', 'name the teacher itself'],
    ['ensemble', 'name one teacher'],
    ['chain', 'name one teacher'],
    ['intermediate', 'inner tensors are not compared'],
  ] as const)
    if (teacherKeys[key] !== undefined && !(Array.isArray(teacherKeys[key]) && teacherKeys[key].length === 0))
      refuse(['teacher', key], `no such key for tagging: ${why}`, teacherKeys[key]);
  for (const key of ['module', 'tfjs', 'onnx'])
    if ((student as Mapping | undefined)?.[key] !== undefined)
      refuse(['student', key], 'a model of the registry for tagging: text-transformer or text-cnn', key);
  if (prune.length > 0) refuse(['prune'], 'none for tagging', 'a step');
  if (target !== undefined) refuse(['target'], 'none for tagging', 'a search');
}
